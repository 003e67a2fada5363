import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import type { Table } from '../../../src/table.ts';
import type { RowLevelMode } from '../../../src/transaction/operations/row-level-settings.ts';
import type { Transaction } from '../../../src/transaction/transaction.ts';
import { expectError, openCatalog } from '../../table/support.ts';

type Row = { id: bigint; n: number };

const KINDS = ['append', 'update', 'delete', 'upsert', 'merge'] as const;
type Kind = (typeof KINDS)[number];

/** What is drawn of one change; `pick` names one of the rows that are there. */
interface Drawn {
  readonly kind: Kind;
  readonly mode: RowLevelMode;
  readonly pick: number;
}

interface Change extends Omit<Drawn, 'pick'> {
  readonly key: number;
  readonly fresh: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom(...KINDS),
  mode: fc.constantFrom<RowLevelMode>('copy-on-write', 'merge-on-read'),
  pick: fc.nat(20),
});
const rounds = fc.array(
  fc.record({ own: fc.array(drawn, { minLength: 1, maxLength: 3 }), others: fc.array(drawn, { maxLength: 2 }) }),
  { minLength: 1, maxLength: 4 },
);

const APPLY: Readonly<Record<Kind, (target: Transaction | Table<Row>, change: Change) => Promise<unknown>>> = {
  append: (target, { fresh }) => target.append([rowOf(fresh, 0)]),
  update: (target, { key, mode, fresh }) => target.update(`id = ${key}`, { n: fresh }, { mode }),
  delete: (target, { key, mode }) => target.delete(`id = ${key}`, { mode }),
  upsert: (target, { key, mode, fresh }) => target.upsert([rowOf(key, fresh), rowOf(fresh, 0)], { on: 'id', mode }),
  merge: (target, { key, mode }) =>
    target.merge([rowOf(key, 0)], { on: 'id', mode, whenMatched: 'delete', whenNotMatched: 'insert' }),
};

const EXPECT: Readonly<Record<Kind, (rows: Map<number, number>, change: Change) => unknown>> = {
  append: (rows, { fresh }) => rows.set(fresh, 0),
  update: (rows, { key, fresh }) => rows.has(key) && rows.set(key, fresh),
  delete: (rows, { key }) => rows.delete(key),
  upsert: (rows, { key, fresh }) => rows.set(key, fresh).set(fresh, 0),
  merge: (rows, { key }) => rows.delete(key) || rows.set(key, 0),
};

function rowOf(id: number, n: number): Row {
  return { id: BigInt(id), n };
}

/** By key: value, row id, sequence number of the last change. */
async function readRows(table: Table<Row>): Promise<ReadonlyMap<number, readonly [number, bigint, bigint]>> {
  const select: readonly string[] = ['id', 'n', '_row_id', '_last_updated_sequence_number'];
  const rows = await table.scan({ select }).toRows();
  const byKey = new Map(
    rows.map((row) => [
      Number(row['id']),
      [row['n'] as number, row['_row_id'] as bigint, row['_last_updated_sequence_number'] as bigint] as const,
    ]),
  );
  expect(byKey.size).toBe(rows.length);
  return byKey;
}

test('transactions beside other writers keep the lineage of rows (spec: "Row Lineage")', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (drawnRounds) => {
      const catalog = await openCatalog('file-system');
      const properties = { 'commit.manifest.min-count-to-merge': '2' };
      const shape = schema({ id: t.long().required(), n: t.int().required() });
      const table: Table<Row> = await catalog.createTable<Row>('db.t', { schema: shape, formatVersion: 3, properties });
      await table.append([1, 2, 3].map((id) => rowOf(id, 0)));
      const other = (await catalog.loadTable('db.t')) as unknown as Table<Row>;
      let next = 10;
      for (const { own, others } of drawnRounds) {
        const before = await readRows(table);
        const toChange = ({ pick, ...rest }: Drawn): Change => {
          const keys = [...before.keys()];
          // Where no row is left, nobody meets: two that add the same key is what snapshot isolation allows.
          return { ...rest, key: keys[pick % Math.max(keys.length, 1)] ?? next++, fresh: next++ };
        };
        const [ours, theirs] = [own.map(toChange), others.map(toChange)];
        const expected = new Map([...before].map(([key, [n]]) => [key, n]));
        const running = table.transaction(
          async (tx) => {
            for (const change of ours) await APPLY[change.kind](tx, change);
            for (const change of theirs) await APPLY[change.kind](other, change);
          },
          { isolation: 'snapshot' },
        );
        for (const change of theirs) EXPECT[change.kind](expected, change);
        const failed = await running.then(
          () => false,
          () => true,
        );
        if (failed) await expectError(running, 'COMMIT_CONFLICT');
        // Changes of the same key in another order than they were made in are what snapshot isolation allows.
        const met = theirs.some((change) => change.kind !== 'append' && ours.some(({ key }) => key === change.key));
        if (!failed) for (const change of ours) EXPECT[change.kind](expected, change);
        await table.refresh();
        const after = await readRows(table);
        if (!met || failed) expect(new Map([...after].map(([key, [n]]) => [key, n]))).toEqual(expected);
        const ids = [...after.values()].map(([, rowId]) => rowId);
        expect(new Set(ids).size, 'row ids are unique').toBe(ids.length);
        const changed = new Set([...ours, ...theirs].map(({ key }) => key));
        for (const [key, lineage] of before) if (!changed.has(key)) expect(after.get(key)).toEqual(lineage);
      }
    }),
    { numRuns: runs(20) },
  );
}, 60_000);
