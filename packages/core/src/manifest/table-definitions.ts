import { currentSchema } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { ReadManifestOptions } from './read-manifest.ts';

/** What a table's manifests are read with: all of its specs, and schemas that have the columns these are of. */
export function tableDefinitions(
  metadata: TableMetadata,
): Required<Pick<ReadManifestOptions, 'specs' | 'schema' | 'otherSchemas'>> {
  return { specs: metadata.partitionSpecs, schema: currentSchema(metadata), otherSchemas: metadata.schemas };
}
