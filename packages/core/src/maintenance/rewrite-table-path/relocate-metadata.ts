import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';

/** Where the files of a table are to be. */
export interface Relocation {
  /** The table's own location. */
  readonly table: string;
  readonly file: (location: string) => string;
  /** Of a property that names a directory; null if the property is to go. */
  readonly directory: (location: string) => string | null;
}

/** Properties that name directories of the table's files. */
const DIRECTORIES: ReadonlySet<string> = new Set([
  'write.data.path',
  'write.metadata.path',
  'write.object-storage.path',
  'write.folder-storage.path',
]);

/** A version of a table whose files have moved, itself among them. */
export function relocateMetadata(metadata: TableMetadata, to: Relocation): TableMetadata {
  const moved = <T extends { readonly statisticsPath: string }>(files: readonly T[]): readonly T[] =>
    files.map((file) => ({ ...file, statisticsPath: to.file(file.statisticsPath) }));
  return {
    ...metadata,
    location: to.table,
    properties: relocateProperties(metadata.properties, to),
    snapshots: metadata.snapshots.map((snapshot) => relocateSnapshot(snapshot, to)),
    metadataLog: metadata.metadataLog.map((entry) => ({ ...entry, metadataFile: to.file(entry.metadataFile) })),
    statistics: moved(metadata.statistics),
    partitionStatistics: moved(metadata.partitionStatistics),
  };
}

function relocateSnapshot(snapshot: Snapshot, to: Relocation): Snapshot {
  const { manifestList, manifests } = snapshot;
  return {
    ...snapshot,
    manifestList: manifestList === null ? null : to.file(manifestList),
    manifests: manifests?.map(to.file) ?? null,
  };
}

function relocateProperties(properties: TableMetadata['properties'], to: Relocation): TableMetadata['properties'] {
  const entries = Object.entries(properties).flatMap(([key, value]) => {
    const moved = DIRECTORIES.has(key) ? to.directory(value) : value;
    return moved === null ? [] : [[key, moved] as const];
  });
  return Object.fromEntries(entries);
}
