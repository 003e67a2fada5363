import { bindExpression } from '../../src/expr/bind.ts';
import type { Expression } from '../../src/expr/expression.ts';
import { batchToRows } from '../../src/read/batch-rows.ts';
import { deleteLoader } from '../../src/read/read-task.ts';
import { readTask } from '../read/read-batches.ts';
import { planScan } from '../../src/scan/plan-scan.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { StructType } from '../../src/spec/types.ts';
import type { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';

/** How many there are of each row, by its text; none of 0. */
export type Multiset = ReadonlyMap<string, number>;

const CHANGE_COLUMNS = ['_change_type', '_change_ordinal', '_commit_snapshot_id'];

/** Equal for equal rows, whatever the order of a map's keys. */
export function rowText(row: object): string {
  const columns = Object.entries(row).filter(([name]) => !CHANGE_COLUMNS.includes(name));
  return JSON.stringify(Object.fromEntries(columns), (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof Map) return [...value].toSorted();
    return typeof value === 'number' && (Number.isNaN(value) || Object.is(value, -0)) ? `number ${1 / value}` : value;
  });
}

export function addTo(counts: Map<string, number>, text: string, more: number): void {
  const count = (counts.get(text) ?? 0) + more;
  if (count === 0) counts.delete(text);
  else counts.set(text, count);
}

export interface StateOptions {
  readonly filter?: Expression;
  readonly projection?: StructType;
}

/** The rows of a snapshot in some schema, by a plain read of that one state. */
export async function stateOf(
  { metadata, io }: Table,
  snapshot: Snapshot | null,
  schema: Schema,
  { filter = { op: 'true' }, projection = schema }: StateOptions = {},
): Promise<Multiset> {
  const bound = bindExpression(schema, filter);
  const { tasks } = planScan({ io, metadata, snapshot, schema, filter: bound, runtime: new SeededRuntime(1) });
  const deletes = deleteLoader(io);
  const counts = new Map<string, number>();
  for await (const task of tasks) {
    for await (const batch of readTask(io, task, { projection, deletes })) {
      for (const row of batchToRows(batch, projection)) addTo(counts, rowText(row), 1);
    }
  }
  return counts;
}

export const SIGN: Readonly<Record<string, number>> = { insert: 1, update_after: 1, delete: -1, update_before: -1 };

/** Some rows with what changed. */
export function applied(before: Multiset, changes: Iterable<{ readonly _change_type: string }>): Multiset {
  const counts = new Map(before);
  for (const row of changes) addTo(counts, rowText(row), SIGN[row._change_type]!);
  return counts;
}

/** Those of the one that the other doesn't have, in both directions. */
export function difference(before: Multiset, after: Multiset): Multiset {
  const counts = new Map(after);
  for (const [text, count] of before) addTo(counts, text, -count);
  return counts;
}
