import { currentSchema, currentSortOrder, currentSpec } from '../spec/metadata-accessors.ts';
import type { Schema } from '../spec/schema.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { checkWriteProperties } from '../spec/table-properties.ts';
import type { WriteOptions } from '../write/data-writer.ts';
import { dataLocations } from '../write/locations.ts';
import type { TransactionState } from './transaction-state.ts';

/**
 * How a transaction's data files are written: as `metadata`, its version of the table, wants them, and remembered as
 * staged. `schema` is given where more is stored than the table's own columns. INVALID_ARGUMENT for a bad property.
 */
export function stagingOptions(
  metadata: TableMetadata,
  { host, options, staging, warnings }: TransactionState,
  schema: Schema = currentSchema(metadata),
): WriteOptions {
  const { signal, onProgress } = options;
  checkWriteProperties(metadata.properties);
  const locationFor = dataLocations(metadata.location, metadata.properties);
  return {
    io: host.operations.io,
    schema,
    spec: currentSpec(metadata),
    sortOrder: currentSortOrder(metadata),
    properties: metadata.properties,
    locationFor(fileName, partitionPath) {
      const location = locationFor(fileName, partitionPath);
      staging.staged.add(location);
      return location;
    },
    writeSmall: (location, bytes) => staging.staged.write(location, bytes),
    runtime: host.runtime,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
    onWarning: (warning) => warnings.add(warning),
  };
}
