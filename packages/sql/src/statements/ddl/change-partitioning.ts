import type { PartitionFieldInput, PartitionSpec, Schema, SortFieldInput, Transaction } from '@lh/core';
import type { PartitioningChange } from './alter-actions.ts';
import { columnPath } from './column-path.ts';

/** Makes the changes of partition fields as one change of the spec. */
export function changePartitioning(changes: readonly PartitioningChange[], transaction: Transaction): void {
  const { schema, spec } = transaction;
  transaction.updateSpec((update) => {
    for (const change of changes) {
      if (change.kind !== 'add') update.remove(removedField(change.field, schema, spec));
      if (change.kind === 'add') update.add(withKnownColumn(change.field, schema));
      if (change.kind === 'replace') update.add(withKnownColumn(change.by, schema));
    }
  });
}

/** A name alone may be that of a partition field, `ts_day`, or of a column that the table is partitioned by as it is. */
function removedField(
  field: PartitionFieldInput,
  schema: Schema,
  { fields }: PartitionSpec,
): string | PartitionFieldInput {
  if (field.transform.kind !== 'identity') return withKnownColumn(field, schema);
  const named =
    fields.find(({ name }) => name === field.column) ??
    fields.find(({ name }) => name.toLowerCase() === field.column.toLowerCase());
  if (named) return named.name;
  return columnPath(schema, field.column) === null ? field.column : withKnownColumn(field, schema);
}

/** The table is partitioned by these fields from now on. */
export function replacePartitioning(partitionBy: readonly PartitionFieldInput[], transaction: Transaction): void {
  const { schema, spec } = transaction;
  transaction.updateSpec((update) => {
    for (const { name, transform } of spec.fields) if (transform.kind !== 'void') update.remove(name);
    for (const field of partitionBy) update.add(withKnownColumn(field, schema));
  });
}

export function setSortOrder(sortBy: readonly SortFieldInput[], transaction: Transaction): void {
  const { schema } = transaction;
  const named = (column: string): string => columnPath(schema, column) ?? column;
  transaction.updateSortOrder(
    sortBy.map((field) => (typeof field === 'string' ? named(field) : { ...field, field: named(field.field) })),
  );
}

function withKnownColumn(field: PartitionFieldInput, schema: Schema): PartitionFieldInput {
  return { ...field, column: columnPath(schema, field.column) ?? field.column };
}
