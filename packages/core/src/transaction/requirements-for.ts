import type { TableMetadata } from '../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../spec/updates.ts';
import { findRef } from './refs.ts';

/**
 * What must still hold of the table for updates that were built on `base` to be right. Equal requirements are given
 * once: the first update that touches something asserts how it was in `base`, later ones build on the first.
 */
export function requirementsFor(base: TableMetadata, updates: readonly TableUpdate[]): readonly TableRequirement[] {
  const requirements = new Map<string, TableRequirement>();
  const require = (requirement: TableRequirement): void => {
    const key = requirement.type === 'assert-ref-snapshot-id' ? `ref ${requirement.ref}` : requirement.type;
    if (!requirements.has(key)) requirements.set(key, requirement);
  };
  require({ type: 'assert-table-uuid', uuid: base.tableUuid });
  for (const update of updates) {
    for (const requirement of requirementsOf(base, update)) require(requirement);
  }
  return [...requirements.values()];
}

type Requirements = readonly TableRequirement[];
type Rules = { [A in TableUpdate['action']]: (base: TableMetadata, update: UpdateOf<A>) => Requirements };
type UpdateOf<A> = Extract<TableUpdate, { readonly action: A }>;

function requirementsOf(base: TableMetadata, update: TableUpdate): Requirements {
  const rule = RULES[update.action] as (base: TableMetadata, update: TableUpdate) => Requirements;
  return rule(base, update);
}

const none = (): Requirements => [];
const sameSchema = (base: TableMetadata): Requirements => [
  { type: 'assert-current-schema-id', currentSchemaId: base.currentSchemaId },
];
const sameSpec = (base: TableMetadata): Requirements => [
  { type: 'assert-default-spec-id', defaultSpecId: base.defaultSpecId },
];
const sameRef = (base: TableMetadata, ref: string): Requirements => [
  { type: 'assert-ref-snapshot-id', ref, snapshotId: findRef(base, ref)?.snapshotId ?? null },
];
const sameBranches = (base: TableMetadata): Requirements =>
  Object.entries(base.refs)
    .filter(([, ref]) => ref.type === 'branch')
    .flatMap(([name]) => sameRef(base, name));

const RULES: Rules = {
  'assign-uuid': none,
  'upgrade-format-version': none,
  'add-schema': (base) => [{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: base.lastColumnId }],
  'set-current-schema': sameSchema,
  // What is removed must not be in use by a snapshot that came meanwhile.
  'remove-schemas': (base) => [...sameSchema(base), ...sameBranches(base)],
  'add-spec': (base) => [{ type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: base.lastPartitionId }],
  'set-default-spec': sameSpec,
  'remove-partition-specs': (base) => [...sameSpec(base), ...sameBranches(base)],
  'add-sort-order': none,
  'set-default-sort-order': (base) => [
    { type: 'assert-default-sort-order-id', defaultSortOrderId: base.defaultSortOrderId },
  ],
  // The snapshot's files were checked against the schema.
  'add-snapshot': sameSchema,
  'set-snapshot-ref': (base, update) => sameRef(base, update.refName),
  // A branch may have gone back to one that is removed, or a tag may be another one now.
  'remove-snapshots': (base) => Object.keys(base.refs).flatMap((name) => sameRef(base, name)),
  'remove-snapshot-ref': (base, update) => sameRef(base, update.refName),
  'set-location': none,
  'set-properties': none,
  'remove-properties': none,
  'set-statistics': none,
  'remove-statistics': none,
  'set-partition-statistics': none,
  'remove-partition-statistics': none,
  'add-encryption-key': none,
  'remove-encryption-key': none,
};
