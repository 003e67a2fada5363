import { LakehouseError, isLakehouseError } from '../../errors.ts';
import { currentSchema, currentSortOrder, currentSpec } from '../../spec/metadata-accessors.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import type { LoadedMetadata, TableOperations } from '../catalog.ts';
import { commitTable } from './commit-table.ts';
import type { RestSession } from './rest-session.ts';
import type { TableName } from './table-name.ts';
import type { RestTableOperations } from './table-operations.ts';

/**
 * A table that the server has laid out, but not made: the first commit carries all that it is made of (REST
 * specification: "Create a table in the given namespace", `stage-create`).
 */
export function stagedTableOperations(
  session: RestSession,
  name: TableName,
  operations: RestTableOperations,
  staged: LoadedMetadata,
): TableOperations {
  let isMade = false;
  return {
    name: operations.name,
    io: operations.io,
    readOnly: operations.readOnly,
    newMetadataFileLocation: (metadata, fileName) => operations.newMetadataFileLocation(metadata, fileName),
    load: async () => (isMade ? operations.load() : staged),
    async commit(
      base: LoadedMetadata,
      requirements: readonly TableRequirement[],
      updates: readonly TableUpdate[],
    ): Promise<LoadedMetadata> {
      if (isMade) return operations.commit(base, requirements, updates);
      const made = await commitTable(session, {
        name: name.text,
        namespace: name.namespace,
        table: name.table,
        requirements: [{ type: 'assert-create' }],
        updates: [...creation(staged.metadata), ...updates],
        load: () => operations.loadIfThere(),
        read: (answer) => operations.remember(answer),
      }).catch((error: unknown) => {
        throw isLakehouseError(error, 'COMMIT_CONFLICT') ? alreadyExists(name, error) : error;
      });
      isMade = true;
      return made;
    },
  };
}

/** All that the first metadata of a table consists of, as changes of nothing. */
function creation(metadata: TableMetadata): readonly TableUpdate[] {
  return [
    { action: 'assign-uuid', uuid: metadata.tableUuid },
    { action: 'upgrade-format-version', formatVersion: metadata.formatVersion },
    { action: 'add-schema', schema: currentSchema(metadata) },
    { action: 'set-current-schema', schemaId: -1 },
    { action: 'add-spec', spec: currentSpec(metadata) },
    { action: 'set-default-spec', specId: -1 },
    { action: 'add-sort-order', fields: currentSortOrder(metadata).fields },
    { action: 'set-default-sort-order', sortOrderId: -1 },
    { action: 'set-location', location: metadata.location },
    { action: 'set-properties', updates: metadata.properties },
  ];
}

function alreadyExists({ text }: TableName, cause: unknown): LakehouseError {
  return new LakehouseError('ALREADY_EXISTS', `Table ${text} exists already: somebody else has made it meanwhile.`, {
    context: { table: text },
    cause,
  });
}
