import type { Runtime } from '../../runtime.ts';
import { currentSchema, currentSortOrder, currentSpec } from '../../spec/metadata-accessors.ts';
import { partitionSpecToJson } from '../../spec/partition-spec-json.ts';
import { schemaToJson } from '../../spec/schema-json.ts';
import { sortOrderToJson } from '../../spec/sort-order-json.ts';
import type { CreateTableOptions } from '../catalog.ts';
import { createdMetadata } from '../created-metadata.ts';

/**
 * A new table as the server is asked for it (REST specification: "CreateTableRequest"). INVALID_ARGUMENT if it can't be:
 * it is made here first. The server decides where it goes, unless that is said.
 */
export function createTableToJson(table: string, options: CreateTableOptions, runtime: Runtime): object {
  const metadata = createdMetadata(options, options?.location ?? `/${table}`, runtime);
  return {
    name: table,
    schema: schemaToJson(currentSchema(metadata)),
    'partition-spec': partitionSpecToJson(currentSpec(metadata)),
    'write-order': sortOrderToJson(currentSortOrder(metadata)),
    'stage-create': false,
    // The request has no field for the version; servers read it from the properties, as Iceberg Java does.
    properties: { ...metadata.properties, 'format-version': String(metadata.formatVersion) },
    ...(options.location !== undefined && { location: metadata.location }),
  };
}
