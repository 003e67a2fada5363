import { columnBuilder } from '../columns/builder.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { constantColumn } from '../columns/constant.ts';
import { invalidArgument } from '../errors.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/** What happened to a row. Only net changes know updates: each is a pair of images, before and after. */
export type ChangeType = 'insert' | 'delete' | 'update_before' | 'update_after';

/** The columns that changes have after those of their table (spec: "Reserved Field IDs"). */
export const CHANGE_COLUMNS: readonly NestedField[] = [
  { id: 2147483543, name: '_change_type', required: true, type: { kind: 'string' }, doc: 'What happened to the row' },
  { id: 2147483542, name: '_change_ordinal', required: true, type: { kind: 'int' }, doc: 'Order of the snapshots' },
  {
    id: 2147483541,
    name: '_commit_snapshot_id',
    required: true,
    type: { kind: 'long' },
    doc: 'Snapshot that changed the row',
  },
];

/** One value per column of `CHANGE_COLUMNS`. */
export type ChangeValues = readonly [type: ChangeType, ordinal: number, snapshotId: bigint];

/** The columns of a table, and those that say how a row changed. INVALID_ARGUMENT if the table has such names already. */
export function withChangeFields(columns: StructType): StructType {
  const taken = CHANGE_COLUMNS.find(({ name }) => columns.fields.some((field) => field.name === name));
  if (taken) {
    throw invalidArgument(
      `The table has a column '${taken.name}' of its own, which changes need the name of; select the others.`,
    );
  }
  return { kind: 'struct', fields: [...columns.fields, ...CHANGE_COLUMNS] };
}

/** The batch with the same change for all of its rows. */
export function withChange(batch: ColumnBatch, change: ChangeValues): ColumnBatch {
  const columns = CHANGE_COLUMNS.map(({ type }, i) => constantColumn(type, change[i] as Value, batch.length));
  return { length: batch.length, columns: [...batch.columns, ...columns] };
}

/** The batch with a change for each of its rows. */
export function withChanges(batch: ColumnBatch, changes: readonly ChangeValues[]): ColumnBatch {
  const columns = CHANGE_COLUMNS.map(({ type }, i) => {
    const builder = columnBuilder(type);
    for (const change of changes) builder.append(change[i] as Value);
    return builder.finish();
  });
  return { length: batch.length, columns: [...batch.columns, ...columns] };
}
