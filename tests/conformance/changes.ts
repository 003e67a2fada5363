import type { Schema, Snapshot, Table, TableChanges } from '@lh/core';
import { tableNameMapping } from '@lh/core/engine';

import { bindExpression } from '../../packages/core/src/expr/bind.ts';
import { batchToRows } from '../../packages/core/src/read/batch-rows.ts';
import { deleteLoader, readTaskColumns } from '../../packages/core/src/read/read-task.ts';
import { arrowSchema } from '../../packages/core/src/columns/arrow-schema.ts';
import { toRecordBatch } from '../../packages/core/src/columns/to-arrow.ts';
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
    for await (const columns of readTaskColumns(io, task, options)) {
      const batch = toRecordBatch(arrowSchema(schema), columns);
      for (const text of canonicalRows(schema, batchToRows(batch, schema))) add(counts, text, 1);
    }
  }
  return counts;
}

export interface ReadChanges {
  /** For each row how many were inserted less how many were deleted; none of 0. */
  readonly sum: Multiset;
  readonly rows: number;
}

/**
 * Reads changes of all columns of a schema to the end, and adds them to a sum. Throws where snapshots don't follow each other, or one of them
 * doesn't have its deleted rows first, or inserts what it deleted.
 */
export async function readChanges(
  read: TableChanges,
  schema: Schema,
  sum: Map<string, number> = new Map(),
): Promise<ReadChanges> {
  let rows = 0;
  let last = { snapshotId: -1n, ordinal: -1, type: 'insert' };
  let deleted = new Set<string>();
  for await (const {
    _change_type: type,
    _change_ordinal: ordinal,
    _commit_snapshot_id: snapshotId,
    ...row
  } of read.rows()) {
    const text = canonicalRows(schema, [row])[0]!;
    const isNext = snapshotId !== last.snapshotId;
    if (isNext ? ordinal <= last.ordinal : ordinal !== last.ordinal)
      throw new Error(`${ordinal} after ${last.ordinal}`);
    if (!isNext && last.type === 'insert' && type !== 'insert') throw new Error(`a ${type} after inserts`);
    if (isNext) deleted = new Set();
    if (type === 'delete') deleted.add(text);
    else if (deleted.has(text)) throw new Error(`deleted and inserted at once: ${text}`);
    add(sum, text, type === 'insert' ? 1 : -1);
    last = { snapshotId, ordinal, type };
    rows++;
  }
  return { sum, rows };
}

/** What has to be added to the one to get the other. */
export function difference(before: Multiset, after: Multiset): Multiset {
  const counts = new Map<string, number>();
  for (const [text, count] of after) if (count !== before.get(text)) add(counts, text, count - (before.get(text) ?? 0));
  for (const [text, count] of before) if (!after.has(text)) add(counts, text, -count);
  return counts;
}

function add(counts: Map<string, number>, text: string, more: number): void {
  const count = (counts.get(text) ?? 0) + more;
  if (count === 0) counts.delete(text);
  else counts.set(text, count);
}
