import type { FormatVersion, Table } from '@lh/core';

import { must } from './must.ts';
import { operationOf, partitionWidth, snapshotsOf } from './operations.ts';
import type { Operation } from './operation.ts';
import { unfollowed } from './rows.ts';
import type { ModelRows } from './rows.ts';
import type { Job } from './writer.ts';

type Snapshot = ReturnType<Table['snapshots']>[number];

/**
 * The rows are those that the operations in the history make, one after the other, and each row is known by its row id:
 * looked at are the newest snapshots on main and beside it, one in the middle, and the newest of maintenance.
 */
export async function checkRows(
  table: Table,
  whole: Table,
  jobs: readonly Job[],
  createdAs: FormatVersion,
): Promise<void> {
  const left = new Set(table.snapshots().map(({ snapshotId }) => snapshotId));
  const main = snapshotsOf(whole, 'main').filter(({ snapshotId }) => left.has(snapshotId));
  const beside = table.snapshots().filter((one) => !main.some(({ snapshotId }) => snapshotId === one.snapshotId));
  const kept = table.snapshots().findLast((one) => operationOf(one) === undefined);
  const looked = new Set([main[Math.floor(main.length / 2)], main.at(-1), beside.at(-1), kept]);
  const expected = await expectedRows(whole, jobs);
  const rowIds = new RowIds();
  for (const snapshot of looked) {
    if (snapshot === undefined) continue;
    const rows = expected.get(snapshot.snapshotId)!;
    // Lines that parted before the upgrade give the rows that they share ids of their own.
    const known = createdAs === 3 || main.includes(snapshot) ? rowIds : new RowIds();
    const own = new Set<bigint>();
    const allFound = await readRows(table, snapshot, rows);
    if (snapshot === kept) await checkLineage(table, snapshot, allFound);
    for (const found of allFound) {
      const { identity, changedBy } = rows.get(found.k)!;
      const what = `row ${found.k} of snapshot ${snapshot.snapshotId}`;
      if (createdAs === 3 && changedBy !== null) {
        must(found.changedBy === changedBy, `${what}: changed by ${found.changedBy}, not ${changedBy}`);
      }
      if (snapshot.firstRowId === null) continue;
      must(found.rowId !== null && !own.has(found.rowId), `${what} has no row id of its own: ${found.rowId}`);
      own.add(found.rowId);
      if (identity !== null) known.check(identity, found.rowId, what);
    }
  }
}

/** Rows and their ids, by each other. */
class RowIds {
  readonly #identities = new Map<bigint, symbol>();
  readonly #rowIds = new Map<symbol, bigint>();

  check(identity: symbol, rowId: bigint, what: string): void {
    must((this.#identities.get(rowId) ?? identity) === identity, `${what} has the row id of another row: ${rowId}`);
    must((this.#rowIds.get(identity) ?? rowId) === rowId, `${what} has got another row id: ${rowId}`);
    this.#identities.set(rowId, identity);
    this.#rowIds.set(identity, rowId);
  }
}

/** Maintenance changes neither row ids nor what tells who changed a row last, also of rows from before an upgrade. */
async function checkLineage(table: Table, snapshot: Snapshot, rows: readonly FoundRow[]): Promise<void> {
  const parent = table.snapshots().find(({ snapshotId }) => snapshotId === snapshot.parentSnapshotId);
  if (parent === undefined || parent.firstRowId === null) return;
  const before = new Map((await readFoundRows(table, parent)).map((row) => [row.k, row]));
  for (const { k, rowId, changedBy } of rows) {
    const was = before.get(k);
    must(
      was?.rowId === rowId && was.changedBy === changedBy,
      `maintenance (${snapshot.snapshotId}) has made of row ${k}, ${was?.rowId} changed by ${was?.changedBy}, ${rowId} changed by ${changedBy}`,
    );
  }
}

/** By snapshot. */
async function expectedRows(table: Table, jobs: readonly Job[]): Promise<ReadonlyMap<bigint, ModelRows>> {
  const operations = new Map(jobs.map(({ operation }) => [operation.id, operation]));
  const states = new Map<bigint | null, ModelRows>([[null, new Map()]]);
  const byId = new Map(table.snapshots().map((snapshot) => [snapshot.snapshotId, snapshot]));
  for (const snapshot of table.snapshots()) {
    const id = operationOf(snapshot);
    if (id === undefined) {
      // Maintenance leaves the rows as they are.
      states.set(snapshot.snapshotId, states.get(snapshot.parentSnapshotId)!);
      continue;
    }
    const operation = operations.get(id)!;
    const parent = byId.get(snapshot.parentSnapshotId ?? 0n);
    // Of a transaction only the first part is certain to make a snapshot.
    const isSecondPart = parent !== undefined && operationOf(parent) === id;
    const effect = operation.effects[Number(isSecondPart)]!;
    const { sequenceNumber } = snapshot;
    // The first snapshot of version 3 gives all rows their ids. Its own transaction has gone on without them.
    const hadNoIds = isSecondPart && byId.get(parent.parentSnapshotId ?? 0n)?.firstRowId === null;
    const parentRows = states.get(snapshot.parentSnapshotId)!;
    const before = hadNoIds ? unfollowed(parentRows, () => true) : parentRows;
    const width = await widthOf(table, snapshot, operation);
    states.set(snapshot.snapshotId, effect(before, { sequenceNumber, partitionWidth: width }));
  }
  return states as ReadonlyMap<bigint, ModelRows>;
}

/** By what the new rows of a snapshot are partitioned. */
async function widthOf(table: Table, { snapshotId }: Snapshot, { ownKey }: Operation): Promise<number | null> {
  const [first, ...others] = table.metadata.partitionSpecs;
  if (others.length === 0 || ownKey === undefined) return partitionWidth(table.metadata, first!.specId);
  const [row] = await table.scan({ snapshotId, filter: `k = ${ownKey}`, select: ['_spec_id'] }).toRows();
  return partitionWidth(table.metadata, Number(row!['_spec_id']));
}

interface FoundRow {
  readonly k: number;
  readonly n: number;
  readonly rowId: bigint | null;
  readonly changedBy: bigint | null;
}

async function readRows(table: Table, snapshot: Snapshot, expected: ModelRows): Promise<readonly FoundRow[]> {
  const found = await readFoundRows(table, snapshot);
  const text = (entries: readonly (readonly [number, number])[]): string =>
    JSON.stringify(entries.toSorted((a, b) => a[0] - b[0]));
  const actual = text(found.map(({ k, n }) => [k, n] as const));
  const wanted = text([...expected].map(([k, { n }]) => [k, n] as const));
  must(actual === wanted, `snapshot ${snapshot.snapshotId} has ${actual}, not ${wanted}`);
  return found;
}

async function readFoundRows(table: Table, { snapshotId }: Snapshot): Promise<readonly FoundRow[]> {
  const lineage = table.formatVersion < 3 ? [] : (['_row_id', '_last_updated_sequence_number'] as const);
  const rows = await table.scan({ snapshotId, select: ['k', 'n', ...lineage] }).toRows();
  return rows.map((row) => ({
    k: Number(row['k']),
    n: Number(row['n']),
    rowId: (row['_row_id'] as bigint | undefined) ?? null,
    changedBy: (row['_last_updated_sequence_number'] as bigint | undefined) ?? null,
  }));
}
