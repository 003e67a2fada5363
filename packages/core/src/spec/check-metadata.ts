import { invalidData } from '../errors.ts';
import { highestFieldId } from './schema-fields.ts';
import { MAIN_BRANCH } from './snapshot.ts';
import { findSnapshot, snapshotIndex } from './snapshot-index.ts';
import type { TableMetadata } from './table-metadata.ts';

/** Metadata never changes, so what was found right stays right. */
const checked = new WeakSet<TableMetadata>();

/**
 * What holds for any table metadata, whoever wrote it (spec: "Table Metadata Fields"): ids are unique, whatever is
 * current or referred to exists, no field id is above `last-column-id`. Checked on what is read and on what is about to
 * be written. INVALID_DATA otherwise.
 */
export function checkTableMetadata(metadata: TableMetadata): void {
  if (checked.has(metadata)) return;
  checkIds(
    'schemas',
    'schema-id',
    metadata.schemas.map((schema) => schema.schemaId),
    metadata.currentSchemaId,
  );
  checkIds(
    'partition-specs',
    'spec-id',
    metadata.partitionSpecs.map((spec) => spec.specId),
    metadata.defaultSpecId,
  );
  checkIds(
    'sort-orders',
    'order-id',
    metadata.sortOrders.map((order) => order.orderId),
    metadata.defaultSortOrderId,
  );
  checkColumnIds(metadata);
  checkSnapshots(metadata);
  checkRefs(metadata);
  checked.add(metadata);
}

function checkIds(list: string, key: string, ids: readonly number[], current: number): void {
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw invalidData(`'${list}' has the ${key} ${twice} twice.`);
  if (!ids.includes(current)) throw invalidData(`'${list}' has nothing with the current ${key} ${current}.`);
}

function checkColumnIds({ schemas, lastColumnId }: TableMetadata): void {
  for (const schema of schemas) {
    const highest = highestFieldId(schema);
    if (highest > lastColumnId) {
      throw invalidData(
        `'last-column-id' is ${lastColumnId}, but schema ${schema.schemaId} has the field id ${highest}.`,
      );
    }
  }
}

function checkSnapshots({ snapshots, lastSequenceNumber }: TableMetadata): void {
  const { twice, highestSequenceNumber } = snapshotIndex(snapshots);
  if (twice !== null) throw invalidData(`'snapshots' has the snapshot ${twice} twice.`);
  if (highestSequenceNumber <= lastSequenceNumber) return;
  const above = snapshots.find(({ sequenceNumber }) => sequenceNumber > lastSequenceNumber)!;
  throw invalidData(
    `The snapshot ${above.snapshotId} has the sequence number ${above.sequenceNumber}, above 'last-sequence-number' ${lastSequenceNumber}.`,
  );
}

function checkRefs({ refs, snapshots, currentSnapshotId }: TableMetadata): void {
  for (const [name, ref] of Object.entries(refs)) {
    if (!findSnapshot(snapshots, ref.snapshotId)) {
      throw invalidData(`The ${ref.type} '${name}' refers to the snapshot ${ref.snapshotId}, which the table lacks.`);
    }
  }
  const main = Object.hasOwn(refs, MAIN_BRANCH) ? refs[MAIN_BRANCH] : undefined;
  if ((main?.snapshotId ?? null) !== currentSnapshotId) {
    throw invalidData(
      `'current-snapshot-id' is ${currentSnapshotId ?? 'none'}, but the branch 'main' is at ${main?.snapshotId ?? 'none'}.`,
    );
  }
  if (main && main.type !== 'branch') throw invalidData("'main' must be a branch, not a tag.");
}
