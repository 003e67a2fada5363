import type { Schema, Snapshot, Table, TableChanges } from '@lh/core';
import { tableNameMapping } from '@lh/core/engine';

import { bindExpression } from '../../packages/core/src/expr/bind.ts';
import { batchToRows } from '../../packages/core/src/read/batch-rows.ts';
import { deleteLoader, readTask } from '../../packages/core/src/read/read-task.ts';
import { planScan } from '../../packages/core/src/scan/plan-scan.ts';
import { ancestorsOf } from '../../packages/core/src/spec/metadata-accessors.ts';
import { systemRuntime } from '../../packages/core/src/runtime.ts';
import { canonicalRows } from './canonical.ts';

/** How many there are of each row, by its canonical text: without rows that there are none of. */
export type Multiset = ReadonlyMap<string, number>;

export interface Pair {
  /** Null: the table before its first snapshot. */
  readonly from: Snapshot | null;
  readonly to: Snapshot;
}

/** Every snapshot with each of its ancestors that the table still knows. */
export function ancestorPairs({ metadata }: Table): Pair[] {
  return metadata.snapshots.flatMap((to) => {
    const [, ...ancestors] = ancestorsOf(metadata, to.snapshotId);
    const oldest = ancestors.at(-1) ?? to;
    const starts = oldest.parentSnapshotId === null ? [...ancestors, null] : ancestors;
    return starts.map((from) => ({ from, to }));
  });
}

/**
 * Gives the rows of a snapshot in any schema, by plain reads of one state, which know nothing of changes; each is made
 * once.
 */
export function stateReader(table: Table): (snapshot: Snapshot | null, schema: Schema) => Promise<Multiset> {
  const read = new Map<string, Promise<Multiset>>();
  return (snapshot, schema) => {
    const key = `${snapshot?.snapshotId} ${schema.schemaId}`;
    const rows = read.get(key) ?? readState(table, snapshot, schema);
    read.set(key, rows);
    return rows;
  };
}

async function readState(table: Table, snapshot: Snapshot | null, schema: Schema): Promise<Multiset> {
  const { metadata, io } = table;
  const filter = bindExpression(schema, { op: 'true' });
  const { tasks } = planScan({ io, metadata, snapshot, schema, filter, runtime: systemRuntime });
  const nameMapping = tableNameMapping(metadata.properties);
  const options = { projection: schema, deletes: deleteLoader(io), ...(nameMapping && { nameMapping }) };
  const counts = new Map<string, number>();
  for await (const task of tasks) {
    for await (const batch of readTask(io, task, options)) {
      for (const text of canonicalRows(schema, batchToRows(batch, schema))) add(counts, text, 1);
    }
  }
  return counts;
}

export interface ChangedRow {
  readonly type: string;
  readonly ordinal: number;
  readonly snapshotId: bigint;
  readonly text: string;
}

export function changedRows(table: Table, { from, to }: Pair, schema: Schema): Promise<ChangedRow[]> {
  return rowsOfChanges(table.changes({ from: from?.snapshotId ?? null, to: to.snapshotId }), schema);
}

/** Changes of all columns of a schema. */
export async function rowsOfChanges(read: TableChanges, schema: Schema): Promise<ChangedRow[]> {
  const changes: ChangedRow[] = [];
  for await (const { _change_type, _change_ordinal, _commit_snapshot_id, ...row } of read.rows()) {
    const [text] = canonicalRows(schema, [row]);
    changes.push({ type: _change_type, ordinal: _change_ordinal, snapshotId: _commit_snapshot_id, text: text! });
  }
  return changes;
}

/** Some rows with what changed: what comes of taking deletes for less and inserts for more. */
export function applied(rows: Multiset, changes: readonly Pick<ChangedRow, 'type' | 'text'>[]): Multiset {
  const counts = new Map(rows);
  for (const { type, text } of changes) add(counts, text, type === 'insert' ? 1 : -1);
  return counts;
}

function add(counts: Map<string, number>, text: string, more: number): void {
  const count = (counts.get(text) ?? 0) + more;
  if (count === 0) counts.delete(text);
  else counts.set(text, count);
}
