import { withoutSlashes } from '../io/locations.ts';
import { hashFunction } from '../transforms/bucket.ts';
import { tableProperty } from '../spec/table-properties.ts';
import type { Properties } from '../spec/table-properties.ts';

/** Gives a data file its place; `partitionPath` is '' for files of no partition. */
export type DataLocations = (fileName: string, partitionPath: string) => string;

/**
 * Where the table's properties want data files: below `write.data.path` (`<table>/data` if unset), by partition. With
 * `write.object-storage.enabled` a hash comes first, so that an object store can spread the load.
 */
export function dataLocations(tableLocation: string, properties: Properties): DataLocations {
  const root = withoutSlashes(tableProperty(properties, 'write.data.path') ?? `${withoutSlashes(tableLocation)}/data`);
  if (!tableProperty(properties, 'write.object-storage.enabled')) {
    return (fileName, partitionPath) => join(root, partitionPath, fileName);
  }
  const partitioned = tableProperty(properties, 'write.object-storage.partitioned-paths');
  // Outside the table's own directory, its name keeps its files apart from those of other tables.
  const context = root.startsWith(withoutSlashes(tableLocation))
    ? ''
    : tableLocation.split('/').filter(Boolean).slice(-2).join('/');
  return (fileName, partitionPath) => {
    const name = partitioned ? join(partitionPath, fileName) : fileName;
    const hash = hashDirectories(name);
    if (context !== '') return join(root, hash, context, name);
    return partitioned ? join(root, hash, name) : `${join(root, hash)}-${name}`;
  };
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('/');
}

const HASH_BITS = 20;

/** 20 bits of the name's hash as directories, `0101/0011/1100/11110000`, as Iceberg Java lays them out. */
function hashDirectories(name: string): string {
  const hash = hashFunction('string')!(name) >>> 0;
  const bits = (hash % 2 ** HASH_BITS).toString(2).padStart(HASH_BITS, '0');
  return `${bits.slice(0, 4)}/${bits.slice(4, 8)}/${bits.slice(8, 12)}/${bits.slice(12)}`;
}
