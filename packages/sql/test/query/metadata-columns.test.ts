import { schema, t } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

const { lake, catalog } = await openWarehouse();
const shape = schema({ id: t.long(), name: t.string() });
const people = await catalog.createTable('ns.people', { schema: shape, formatVersion: 3 });
await people.append([
  { id: 1n, name: 'a' },
  { id: 2n, name: 'b' },
]);
await people.append([{ id: 3n, name: 'c' }]);
const old = await catalog.createTable('ns.old', { schema: shape, formatVersion: 2 });
await old.append([{ id: 1n, name: 'x' }]);
const own = await catalog.createTable('ns.own', { schema: schema({ id: t.long(), _pos: t.string() }) });
await own.append([{ id: 1n, _pos: 'mine' }]);

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

async function columns(sql: string): Promise<readonly string[]> {
  return (await lake.sql(sql)).columns.map(({ name }) => name);
}

test('row lineage and places can be selected, filtered and ordered by', async () => {
  expect(await rows('SELECT id, _row_id, _last_updated_sequence_number AS seq FROM ns.people ORDER BY id')).toEqual([
    { id: 1n, _row_id: 0n, seq: 1n },
    { id: 2n, _row_id: 1n, seq: 1n },
    { id: 3n, _row_id: 2n, seq: 2n },
  ]);
  expect(await rows('SELECT name FROM ns.people p WHERE p._row_id = 1')).toEqual([{ name: 'b' }]);
  const [file] = await rows('SELECT DISTINCT _file FROM ns.people WHERE id = 3');
  const { tasks } = await people.scan().plan();
  expect(tasks.map((task) => task.file.path)).toContain(file!['_file']);
  expect(await rows('SELECT count(DISTINCT _file) AS files, max(_pos) AS last, min(_spec_id) AS spec FROM ns.people')) //
    .toEqual([{ files: 2n, last: 1n, spec: 0 }]);
});

test('rows of tables without lineage have none', async () => {
  expect(await rows('SELECT id, _row_id, _last_updated_sequence_number AS seq FROM ns.old')).toEqual([
    { id: 1n, _row_id: null, seq: null },
  ]);
});

test.each([
  ['SELECT * FROM ns.people ORDER BY _row_id', ['id', 'name']],
  ['SELECT *, _row_id FROM ns.people', ['id', 'name', '_row_id']],
  ['SELECT p.*, _row_id FROM ns.people AS p', ['id', 'name', '_row_id']],
  ['SELECT * EXCLUDE (name), _row_id FROM ns.people', ['id', '_row_id']],
  ['SELECT * EXCLUDE name, _row_id FROM ns.people', ['id', '_row_id']],
  ['SELECT * REPLACE (id + 1 AS id) FROM ns.people WHERE _row_id = 0', ['id', 'name']],
  ['SELECT COLUMNS(*) FROM ns.people WHERE _row_id = 0', ['id', 'name']],
  ['FROM ns.people WHERE _row_id = 0', ['id', 'name']],
  ['SELECT * FROM (SELECT *, _row_id FROM ns.people)', ['id', 'name', '_row_id']],
  ['WITH p AS (SELECT *, _pos FROM ns.people) SELECT * FROM p WHERE _pos > 0', ['id', 'name', '_pos']],
  ['SELECT * FROM ns.people p JOIN ns.old o USING (id) WHERE p._row_id >= 0', ['id', 'name', 'name:1']],
  ['SELECT * FROM ns.people AS p, ns.own AS o WHERE p._pos = 0', ['id', 'name', 'id:1', '_pos']],
  ['SELECT * FROM ns.own WHERE _pos = $$mine$$', ['id', '_pos']],
  ['SELECT * FROM ns.people WHERE id IN (SELECT id FROM ns.old WHERE _pos = 0)', ['id', 'name']],
  ['SELECT * FROM ns.people p WHERE EXISTS (FROM ns.old WHERE id = p._row_id + 1)', ['id', 'name']],
])('%s', async (sql, expected) => {
  expect(await columns(sql)).toEqual(expected);
  expect((await rows(sql)).length).toBeGreaterThan(0);
});

test('a metadata column is unknown where only a subquery has the table', async () => {
  await expect(rows('SELECT _row_id FROM (SELECT * FROM ns.people)')).rejects.toThrow(/_row_id/);
});
