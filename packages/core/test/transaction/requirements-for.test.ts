import { expect, test } from 'vitest';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { SnapshotRef } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { requirementsFor } from '../../src/transaction/requirements-for.ts';

const UUID = '9c12d441-03fe-4693-9a96-a0705ddf69c1';
const ref = (snapshotId: bigint, type: SnapshotRef['type'] = 'branch'): SnapshotRef => ({
  snapshotId,
  type,
  minSnapshotsToKeep: null,
  maxSnapshotAgeMs: null,
  maxRefAgeMs: null,
});
const base: TableMetadata = {
  ...newTableMetadata({ schema: schema({ id: t.long() }), location: '/t', uuid: UUID, nowMs: 0 }),
  refs: { main: ref(1n), audit: ref(2n), v1: ref(1n, 'tag') },
};
const sameTable = { type: 'assert-table-uuid', uuid: UUID };

test('the table must be the same one, whatever changes', () => {
  expect(requirementsFor(base, [{ action: 'set-properties', updates: { a: 'b' } }])).toEqual([sameTable]);
});

test('a ref must be where it was, or not exist, at its first change', () => {
  const updates = [
    { action: 'set-snapshot-ref', refName: 'main', ref: ref(3n) },
    { action: 'set-snapshot-ref', refName: 'main', ref: ref(4n) },
    { action: 'set-snapshot-ref', refName: 'new', ref: ref(4n) },
    { action: 'remove-snapshot-ref', refName: 'v1' },
  ] as const;
  expect(requirementsFor(base, updates)).toEqual([
    sameTable,
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 1n },
    { type: 'assert-ref-snapshot-id', ref: 'new', snapshotId: null },
    { type: 'assert-ref-snapshot-id', ref: 'v1', snapshotId: 1n },
  ]);
});

test('definitions must be those that the change was made on', () => {
  const updates = [
    { action: 'add-schema', schema: base.schemas[0]! },
    { action: 'set-current-schema', schemaId: -1 },
    { action: 'add-spec', spec: { fields: [] } },
    { action: 'set-default-spec', specId: -1 },
    { action: 'add-sort-order', fields: [] },
    { action: 'set-default-sort-order', sortOrderId: -1 },
    { action: 'add-schema', schema: base.schemas[0]! },
  ] as const;
  expect(requirementsFor(base, updates)).toEqual([
    sameTable,
    { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 1 },
    { type: 'assert-current-schema-id', currentSchemaId: 0 },
    { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 999 },
    { type: 'assert-default-spec-id', defaultSpecId: 0 },
    { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
  ]);
});

test('removing specs and schemas needs all branches to be where they were', () => {
  expect(requirementsFor(base, [{ action: 'remove-partition-specs', specIds: [0] }])).toEqual([
    sameTable,
    { type: 'assert-default-spec-id', defaultSpecId: 0 },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 1n },
    { type: 'assert-ref-snapshot-id', ref: 'audit', snapshotId: 2n },
  ]);
});
