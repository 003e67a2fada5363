import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { withChangeFields } from '../../src/changes/change-columns.ts';
import { ChangeSource } from '../../src/changes/change-source.ts';
import { netChanges } from '../../src/changes/net-changes.ts';
import type { RowChanges } from '../../src/changes/net-changes.ts';
import { planChanges } from '../../src/changes/plan-changes.ts';
import { changedBatches } from '../../src/changes/row-difference.ts';
import { RowReader } from '../../src/changes/row-reader.ts';
import { bindExpression } from '../../src/expr/bind.ts';
import { parseExpression } from '../../src/expr/parse.ts';
import { columnsToRows } from '../../src/read/batch-rows.ts';
import { ancestorsOf, schemaForSnapshot } from '../../src/spec/metadata-accessors.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { toValue } from '../../src/spec/user-values.ts';
import type { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { batchOf, stream } from '../write/support.ts';
import { applied, difference, rowText, stateOf } from './multiset.ts';
import type { Multiset } from './multiset.ts';
import { OF_ROWS, RandomTable } from './random-table.ts';
import type { ChangeKind } from './random-table.ts';

const histories = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  formatVersion: fc.constantFrom<FormatVersion>(1, 2, 2, 3, 3),
  partitioned: fc.boolean(),
  sharedDeletes: fc.boolean(),
});

type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

async function randomTable(
  options: History,
  changes: number,
  kinds?: readonly ChangeKind[],
): Promise<{ random: RandomTable; log: string[] }> {
  const random = await RandomTable.create(options);
  const log: string[] = [];
  let branch: string | undefined;
  for (let i = 0; i < changes; i++) {
    log.push(await random.change(branch && random.pick([branch, undefined]), kinds));
    if (branch === undefined && random.table.currentSnapshot() !== null && random.runtime.random() < 0.15) {
      await random.table.createBranch('dev');
      branch = 'dev';
    }
  }
  await random.table.refresh();
  return { random, log };
}

interface Pair {
  readonly from: Snapshot | null;
  readonly to: Snapshot;
}

/** Each snapshot with its parent, with the empty table, and with one of its other ancestors. */
function pairs({ table, runtime }: RandomTable): Pair[] {
  const { metadata } = table;
  return metadata.snapshots.flatMap((to) => {
    const [, parent, ...others] = [...ancestorsOf(metadata, to.snapshotId), null];
    const other = others[runtime.randomInteger(others.length)];
    return [...new Set([parent ?? null, other ?? null, null])].map((from) => ({ from, to }));
  });
}

/** Reads each state once. */
function stateReader(table: Table): (snapshot: Snapshot | null, schema: Schema) => Promise<Multiset> {
  const states = new Map<string, Promise<Multiset>>();
  return (snapshot, schema) => {
    const key = `${snapshot?.snapshotId} ${schema.schemaId}`;
    const state = states.get(key) ?? stateOf(table, snapshot, schema);
    states.set(key, state);
    return state;
  };
}

test('changes are the difference of two states, whatever happened in between', { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (options) => {
      const { random, log } = await randomTable(options, 9);
      const { table } = random;
      const state = stateReader(table);
      for (const { from, to } of pairs(random)) {
        const schema = schemaForSnapshot(table.metadata, to);
        const [before, after] = [await state(from, schema), await state(to, schema)];
        const rows = await table.changes({ from: from?.snapshotId ?? null, to: to.snapshotId }).toRows();
        expect(applied(before, rows), log.join(', ')).toEqual(after);
        // Nothing is deleted and inserted by one snapshot, and deletes come first.
        for (const ordinal of new Set(rows.map((row) => row._change_ordinal))) {
          const ofSnapshot = rows.filter((row) => row._change_ordinal === ordinal);
          const types = ofSnapshot.map((row) => row._change_type);
          expect(types).toEqual(types.toSorted());
          const deleted = new Set(ofSnapshot.filter((row) => row._change_type === 'delete').map(rowText));
          expect(ofSnapshot.filter((row) => row._change_type === 'insert' && deleted.has(rowText(row)))).toEqual([]);
        }
      }
    }),
    { numRuns: runs(12), endOnFailure: true },
  );
});

test('filters and columns of changes are those of the states', { timeout: 200_000 }, async () => {
  const filters = fc.constantFrom("city = 'a'", 'id < 5', 'city IS NULL OR id = 3');
  const selections = fc.constantFrom(['id'], ['st.a', 'city'], ['m.value', 'id', 'st.b']);
  await fc.assert(
    fc.asyncProperty(histories, filters, selections, async (options, text, select) => {
      const { random } = await randomTable(options, 7, OF_ROWS);
      const { table } = random;
      const filter = parseExpression(text);
      const { schema: projection } = table.scan({ select });
      for (const { from, to } of pairs(random)) {
        const [before, after] = await Promise.all(
          [from, to].map((one) => stateOf(table, one, table.schema, { filter, projection })),
        );
        const rows = await table
          .changes({ from: from?.snapshotId ?? null, to: to.snapshotId, filter, select })
          .toRows();
        expect(applied(before!, rows)).toEqual(after);
      }
    }),
    { numRuns: runs(7), endOnFailure: true },
  );
});

test('net changes are the difference of two states, by key', { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      fc.constantFrom<true | { readonly on: readonly string[] }>(true, { on: ['id'] }, { on: ['city', 'id'] }),
      async (options, net) => {
        const { random } = await randomTable(options, 7, OF_ROWS);
        const { table } = random;
        const state = stateReader(table);
        for (const { from, to } of pairs(random)) {
          const [before, after] = [await state(from, table.schema), await state(to, table.schema)];
          const rows = await table.changes({ from: from?.snapshotId ?? null, to: to.snapshotId, net }).toRows();
          expect(applied(before, rows)).toEqual(after);
          checkNet(rows, net === true ? ['id'] : net.on, difference(before, after));
        }
      },
    ),
    { numRuns: runs(7), endOnFailure: true },
  );
});

type ChangedRow = Record<string, unknown> & { readonly _change_type: string };

/** No more rows than it takes; an update is one row of a key for another. */
function checkNet(rows: readonly ChangedRow[], key: readonly string[], net: ReadonlyMap<string, number>): void {
  expect(rows.length).toBe([...net.values()].reduce((sum, count) => sum + Math.abs(count), 0));
  const keyOf = (row: ChangedRow): string => rowText(Object.fromEntries(key.map((name) => [name, row[name]])));
  const byKey = new Map<string, string[]>();
  for (const row of rows) byKey.set(keyOf(row), [...(byKey.get(keyOf(row)) ?? []), row._change_type]);
  for (const types of byKey.values()) {
    const isUpdate = types.includes('update_before') || types.includes('update_after');
    if (isUpdate) expect(types).toEqual(['update_before', 'update_after']);
    else expect([...types].toSorted()).not.toEqual(['delete', 'insert']);
  }
  for (const [i, row] of rows.entries()) {
    if (row._change_type === 'update_before') expect(keyOf(rows[i + 1]!)).toBe(keyOf(row));
  }
}

test('however little memory there is, the changes are the same', { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.constantFrom(1, 3), async (options, maxCounted) => {
      const { random } = await randomTable(options, 6, OF_ROWS);
      const { table } = random;
      for (const snapshot of table.snapshots()) {
        const expected = await table.changes({ from: snapshot.parentSnapshotId, to: snapshot.snapshotId }).toRows();
        const found = await changesOf(table, snapshot, maxCounted);
        const sorted = (rows: readonly ChangedRow[]) =>
          rows.map((row) => `${row._change_type} ${rowText(row)}`).toSorted();
        expect(sorted(found)).toEqual(sorted(snapshot.operation === 'replace' ? [] : expected));
        const types = found.map((row) => row._change_type);
        expect(types).toEqual(types.toSorted());
      }
    }),
    { numRuns: runs(8), endOnFailure: true },
  );
});

/** Of one snapshot, whatever its operation, with so many rows counted at a time. */
async function changesOf(
  { io, metadata, schema }: Table,
  snapshot: Snapshot,
  maxCounted: number,
): Promise<ChangedRow[]> {
  const filter = bindExpression(schema, { op: 'true' });
  const source = new ChangeSource({ io, metadata, runtime: new SeededRuntime(1), schema, filter });
  const planned = await planChanges(source, { snapshot, kind: 'made' }, filter);
  const options = { io, schema, projection: schema, metadataColumns: [], nameMapping: null, signal: undefined };
  const rows: ChangedRow[] = [];
  for await (const { type, batch } of changedBatches(planned, { reader: new RowReader(options), schema, maxCounted })) {
    for (const row of columnsToRows(batch, schema.fields)) rows.push({ ...row, _change_type: type });
  }
  return rows;
}

test('net changes that are read in parts are the same', { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (options) => {
      const { random } = await randomTable(options, 6, OF_ROWS);
      const { table } = random;
      const { schema } = table;
      const batches: RowChanges[] = [];
      for (const snapshot of [...ancestorsOf(table.metadata, table.metadata.currentSnapshotId)].toReversed()) {
        const { snapshotId } = snapshot;
        const rows = snapshot.operation === 'replace' ? [] : await changesOf(table, snapshot, 1000);
        for (const row of rows) {
          const batch = batchOf(schema, [
            schema.fields.map((field) => toValue(field.type, row[field.name], field.name)),
          ]);
          batches.push({ type: row._change_type as 'insert', ordinal: 0, snapshotId, batch });
        }
      }
      const net = async (maxBytes: number): Promise<string[]> => {
        const all: string[] = [];
        const read = () => stream(...batches);
        const shape = withChangeFields(schema);
        for await (const batch of netChanges(read, { schema, keyIds: [1], project: (one) => one, maxBytes })) {
          for (const row of columnsToRows(batch, shape.fields))
            all.push(`${String(row['_change_type'])} ${rowText(row)}`);
        }
        return all.toSorted();
      };
      expect(await net(5000)).toEqual(await net(2 ** 30));
    }),
    { numRuns: runs(8), endOnFailure: true },
  );
});
