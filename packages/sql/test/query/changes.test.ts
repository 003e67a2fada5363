import { schema, t } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();

async function rows(sql: string, parameters?: Record<string, unknown>): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

const ids: bigint[] = [];
const times: number[] = [];

beforeAll(async () => {
  await catalog.createNamespace(['deep', 'er', 'st"ill']);
  for (const name of [
    ['ns', 'events'],
    ['deep', 'er', 'st"ill', 'ev ents'],
  ]) {
    const events = await catalog.createTable(name, {
      schema: schema({ id: t.long().required(), s: t.struct({ a: t.int(), b: t.string() }), v: t.string() }),
    });
    const changes = [
      () =>
        events.append([
          { id: 1n, s: { a: 1, b: 'x' }, v: 'one' },
          { id: 2n, s: null, v: 'two' },
        ]),
      () => events.update('id = 1', { v: 'ONE' }),
      () => events.delete('id = 2'),
    ];
    for (const change of changes) {
      const { snapshotId } = await change();
      if (name[0] !== 'ns') continue;
      ids.push(snapshotId!);
      times.push(events.currentSnapshot()!.timestampMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await events.createTag('first', { snapshotId: events.snapshots()[0]!.snapshotId });
    await events.createBranch('audit', { snapshotId: events.snapshots()[1]!.snapshotId });
  }
});

const ALL = [
  { id: 1n, v: 'one', _change_type: 'insert', _change_ordinal: 0 },
  { id: 2n, v: 'two', _change_type: 'insert', _change_ordinal: 0 },
  { id: 1n, v: 'one', _change_type: 'delete', _change_ordinal: 1 },
  { id: 1n, v: 'ONE', _change_type: 'insert', _change_ordinal: 1 },
  { id: 2n, v: 'two', _change_type: 'delete', _change_ordinal: 2 },
];

const COLUMNS = 'id, v, _change_type, _change_ordinal';
const ORDER = 'ORDER BY _change_ordinal, _change_type, id';

describe('the changes of a table', () => {
  test('are a table of their own', async () => {
    expect(await rows(`SELECT ${COLUMNS} FROM ns.events.changes ${ORDER}`)).toEqual(ALL);
    expect(
      await rows('SELECT DISTINCT _commit_snapshot_id AS c FROM ns.events.changes ORDER BY _change_ordinal'),
    ).toEqual(ids.map((c) => ({ c })));
    const [first] = await rows(`FROM ns.events.changes WHERE v = 'ONE'`);
    expect(first).toEqual({
      id: 1n,
      s: { a: 1, b: 'x' },
      v: 'ONE',
      _change_type: 'insert',
      _change_ordinal: 1,
      _commit_snapshot_id: ids[1],
    });
    expect(await rows('SELECT count(*) AS n, max(changes.s.b) AS b FROM ns.events.changes')).toEqual([
      { n: 5n, b: 'x' },
    ]);
    expect((await rows('DESCRIBE ns.events.changes')).map((row) => row['column_name'])).toEqual([
      'id',
      's',
      'v',
      '_change_type',
      '_change_ordinal',
      '_commit_snapshot_id',
    ]);
  });

  const of = async (source: string, parameters?: Record<string, unknown>): Promise<unknown[]> =>
    (await rows(`SELECT v || ' ' || _change_type AS x FROM ${source} ${ORDER}`, parameters)).map((row) => row['x']);

  test('between two states, by number, name and time', async () => {
    const last = ['two delete'];
    const middle = ['one delete', 'ONE insert'];
    expect(await of(`table_changes('ns.events', from => ${ids[1]})`)).toEqual(last);
    expect(await of(`table_changes('ns.events', ${ids[0]}, ${ids[1]})`)).toEqual(middle);
    expect(await of(`table_changes(table => 'ns.events', from => 'first', to => 'audit')`)).toEqual(middle);
    expect(await of(`table_changes('ns.events', from := $from, to := $to) AS c`, { from: ids[0], to: ids[1] })).toEqual(
      middle,
    );
    expect(await of(`table_changes('ns.events', from => $at)`, { at: new Date(times[1]!) })).toEqual(last);
    expect(
      await of(`table_changes('ns.events', to => TIMESTAMPTZ '${new Date(times[0]!).toISOString()}')`),
    ).toHaveLength(2);
    expect(await of(`ns.events.changes AT (VERSION => {'from': ${ids[0]}, 'to': ${ids[1]}})`)).toEqual(middle);
    expect(await of(`ns.events.changes AT (VERSION => 'first')`)).toHaveLength(2);
    expect(await of(`table_changes('ns.events', from => ${ids[2]})`)).toEqual([]);
  });

  test('of tables with any name, beside others', async () => {
    expect(await of(`table_changes('deep.er."st""ill"."ev ents"', from => 'first', to => 'audit') c`)).toHaveLength(2);
    expect(
      await rows(
        `SELECT c.id FROM ns.events e JOIN table_changes('ns.events', from => 'first') AS c USING (id) WHERE c._change_type = 'insert'`,
      ),
    ).toEqual([{ id: 1n }]);
    await lake.sql("CREATE VIEW recent AS SELECT * FROM table_changes('ns.events', from => 'audit')");
    expect(await of('recent')).toEqual(['two delete']);
    expect(await rows("SELECT 'table_changes(' AS table_changes")).toEqual([{ table_changes: 'table_changes(' }]);
  });

  test.each<[string, string, RegExp]>([
    [
      "FROM table_changes('ns.events', since => 1)",
      'INVALID_ARGUMENT',
      /takes the name of a table in quotes[^]*LINE 1: FROM table_changes[^]*\n {13}\^/,
    ],
    ['FROM table_changes(ns.events)', 'INVALID_ARGUMENT', /in quotes/],
    ["FROM table_changes('ns.event')", 'NOT_FOUND', /ns\.event/],
    ["FROM table_changes('ns.events', from => 'frist')", 'NOT_FOUND', /no branch or tag 'frist'. Did you mean 'first'/],
    ["FROM table_changes('ns.events', from => 12)", 'NOT_FOUND', /12/],
    ["FROM table_changes('ns.events', from => 'main', to => 'first')", 'INVALID_ARGUMENT', /./],
  ])('%s', async (sql, code, message) => {
    const error = await rejection(rows(sql));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
  });
});

test('branches and tags by their names in the table', async () => {
  const n = async (source: string): Promise<unknown> =>
    (await rows(`SELECT count(*)::INT AS n FROM ${source}`))[0]!['n'];
  expect(await n('ns.events.tag_first')).toBe(2);
  expect(await n('ns.events.branch_main')).toBe(1);
  const result = await lake.sql('SELECT id, v FROM ns.events.branch_audit WHERE branch_audit.id = 1');
  expect(await result.rows()).toEqual([{ id: 1n, v: 'ONE' }]);
  expect(result.scans[0]).toMatchObject({ snapshotId: ids[1] });
  expect((await rejection(n('ns.events.branch_audti'))).message).toMatch(
    /no branch or tag 'audti'. Did you mean 'audit'/,
  );
});
