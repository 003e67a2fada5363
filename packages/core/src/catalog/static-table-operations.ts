import { unsupported } from '../errors.ts';
import { withCache } from '../io/caching-file-io.ts';
import type { FileIO } from '../io/file-io.ts';
import { parseTableMetadata } from '../spec/table-metadata-json.ts';
import type { LoadedMetadata, TableOperations } from './catalog.ts';
import { metadataDirectory } from './table-location.ts';

/** `…/00003-<uuid>.metadata.json`, `…/v3.gz.metadata.json`, `…/v3.metadata.json.gz`. */
export function isMetadataFile(location: string): boolean {
  return /\.metadata\.json(?:\.gz)?$/.test(location);
}

/** A table as one metadata file describes it. It stays on that version, and can't be committed to. */
export function staticTableOperations(metadataLocation: string, io: FileIO): TableOperations {
  const readOnly =
    'it was opened from a metadata file, which is one version of it; open it by its root or through its catalog to write';
  return {
    ...refusingCommits(metadataLocation, readOnly),
    io,
    async load(): Promise<LoadedMetadata> {
      return {
        metadata: parseTableMetadata(await withCache(io).read(metadataLocation), metadataLocation),
        metadataLocation,
      };
    },
    newMetadataFileLocation: (metadata, fileName) =>
      `${metadataDirectory(metadata.location, metadata.properties)}/${fileName}`,
  };
}

/** A table that stays on a version which is at hand, and can't be committed to. */
export function fixedTableOperations(
  operations: TableOperations,
  loaded: LoadedMetadata,
  readOnly: string,
): TableOperations {
  return {
    ...refusingCommits(operations.name, readOnly),
    io: operations.io,
    load: () => Promise.resolve(loaded),
    newMetadataFileLocation: (metadata, fileName) => operations.newMetadataFileLocation(metadata, fileName),
  };
}

function refusingCommits(name: string, readOnly: string): Pick<TableOperations, 'name' | 'readOnly' | 'commit'> {
  return {
    name,
    readOnly,
    commit: () => Promise.reject(unsupported(`Table ${name} can't be changed: ${readOnly}.`)),
  };
}
