import { LakehouseError } from '../errors.ts';
import type { TableMetadata } from './table-metadata.ts';
import type { TableRequirement } from './updates.ts';

/**
 * Checks that a commit's assumptions hold of the newest metadata; null stands for a table that doesn't exist.
 * COMMIT_CONFLICT that names what changed, or ALREADY_EXISTS for a table that was to be created.
 */
export function checkRequirements(current: TableMetadata | null, requirements: readonly TableRequirement[]): void {
  for (const requirement of requirements) {
    if (requirement.type === 'assert-create') {
      if (current)
        throw new LakehouseError('ALREADY_EXISTS', 'The table exists already; choose another name or load it.');
      continue;
    }
    if (!current) throw conflict('the table no longer exists', false);
    const check = CHECKS[requirement.type] as (metadata: TableMetadata, requirement: TableRequirement) => string | null;
    const changed = check(current, requirement);
    // Another table under the same name stays another one, however often the commit is tried.
    if (changed !== null) throw conflict(changed, requirement.type !== 'assert-table-uuid');
  }
}

type Check<K extends TableRequirement['type']> = (
  metadata: TableMetadata,
  requirement: Extract<TableRequirement, { type: K }>,
) => string | null;

/** What has changed, or null. */
const CHECKS: { readonly [K in Exclude<TableRequirement['type'], 'assert-create'>]: Check<K> } = {
  'assert-table-uuid': ({ tableUuid }, { uuid }) =>
    tableUuid.toLowerCase() === uuid.toLowerCase()
      ? null
      : `another table has taken its place (UUID ${tableUuid}, not ${uuid})`,
  'assert-ref-snapshot-id': ({ refs }, { ref, snapshotId }) => {
    const actual = Object.hasOwn(refs, ref) ? refs[ref]!.snapshotId : null;
    if (actual === snapshotId) return null;
    if (snapshotId === null) return `the branch or tag '${ref}' has been created`;
    return actual === null
      ? `the branch or tag '${ref}' has been removed`
      : `'${ref}' has moved from snapshot ${snapshotId} to ${actual}`;
  },
  'assert-last-assigned-field-id': ({ lastColumnId }, { lastAssignedFieldId }) =>
    different('the last column id', lastAssignedFieldId, lastColumnId),
  'assert-current-schema-id': (metadata, { currentSchemaId }) =>
    different('the current schema', currentSchemaId, metadata.currentSchemaId),
  'assert-last-assigned-partition-id': ({ lastPartitionId }, { lastAssignedPartitionId }) =>
    different('the last partition field id', lastAssignedPartitionId, lastPartitionId),
  'assert-default-spec-id': (metadata, { defaultSpecId }) =>
    different('the default partition spec', defaultSpecId, metadata.defaultSpecId),
  'assert-default-sort-order-id': (metadata, { defaultSortOrderId }) =>
    different('the default sort order', defaultSortOrderId, metadata.defaultSortOrderId),
};

function different(what: string, expected: number, actual: number): string | null {
  return expected === actual ? null : `${what} has changed from ${expected} to ${actual}`;
}

function conflict(changed: string, retryable: boolean): LakehouseError {
  return new LakehouseError('COMMIT_CONFLICT', `The commit is based on an older version of the table: ${changed}.`, {
    retryable,
  });
}
