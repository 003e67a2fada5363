import { describe, expect, it } from 'vitest';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { checkRequirements } from '../../src/spec/requirements.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { TableRequirement } from '../../src/spec/updates.ts';

const empty = newTableMetadata({
  schema: schema({ id: t.long() }),
  partitionBy: [partitionBy.identity('id')],
  location: 'l',
  uuid: 'ABC',
  nowMs: 1,
});
const none = { minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null };
const metadata: TableMetadata = { ...empty, refs: { main: { snapshotId: 5n, type: 'branch', ...none } } };

describe('checkRequirements', () => {
  it('lets through what holds', () => {
    checkRequirements(null, [{ type: 'assert-create' }]);
    checkRequirements(metadata, [
      { type: 'assert-table-uuid', uuid: 'abc' },
      { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 5n },
      { type: 'assert-ref-snapshot-id', ref: 'constructor', snapshotId: null },
      { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 1 },
      { type: 'assert-current-schema-id', currentSchemaId: 0 },
      { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1000 },
      { type: 'assert-default-spec-id', defaultSpecId: 0 },
      { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
    ]);
    expect(metadata.refs['main']?.snapshotId).toBe(5n);
  });

  it.each<[TableRequirement, string, boolean]>([
    [{ type: 'assert-table-uuid', uuid: 'x' }, 'another table', false],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 4n }, "'main' has moved from snapshot 4 to 5", true],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: null }, 'created', true],
    [{ type: 'assert-ref-snapshot-id', ref: 'b', snapshotId: 4n }, 'removed', true],
    [{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: 2 }, 'last column id has changed from 2 to 1', true],
    [{ type: 'assert-current-schema-id', currentSchemaId: 2 }, 'current schema', true],
    [{ type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 2 }, 'partition field id', true],
    [{ type: 'assert-default-spec-id', defaultSpecId: 2 }, 'partition spec', true],
    [{ type: 'assert-default-sort-order-id', defaultSortOrderId: 2 }, 'sort order', true],
  ])('names what changed: %o', (requirement, message, retryable) => {
    expect(() => checkRequirements(metadata, [requirement])).toThrow(
      expect.objectContaining({ code: 'COMMIT_CONFLICT', retryable, message: expect.stringContaining(message) }),
    );
  });

  it('tells tables that are there, or gone', () => {
    expect(() => checkRequirements(metadata, [{ type: 'assert-create' }])).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    );
    expect(() => checkRequirements(null, [{ type: 'assert-default-spec-id', defaultSpecId: 0 }])).toThrow(
      /no longer exists/,
    );
  });
});
