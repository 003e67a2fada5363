import { partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { tableFromArrays } from 'apache-arrow';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();
let table: Table;

beforeAll(async () => {
  table = await catalog.createTable('ns.events', {
    schema: schema(
      { id: t.long().required(), ts: t.timestamptz(), where: t.struct({ lat: t.double() }).doc("it's a place") },
      { identifier: ['id'] },
    ),
    partitionBy: [partitionBy.day('ts')],
    formatVersion: 3,
  });
  await table.append([{ id: 1n, ts: '2024-01-01T00:00:00Z', where: null }]);
  await table.createTag('first');
  await table.updateSchema((s) => s.addColumn('note', t.string(), { default: 'none' }));
  await catalog.createNamespace(['deep', 'er']);
  await catalog.createTable(['deep', 'er', 'extended'], { schema: schema({ x: t.int() }) });
});

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

const column = (name: string, type: string, iceberg: string, more: object = {}): object => ({
  column_name: name,
  column_type: type,
  null: 'YES',
  key: null,
  default: null,
  extra: null,
  iceberg_type: iceberg,
  comment: null,
  ...more,
});

const BEFORE = [
  column('id', 'BIGINT', 'long', { null: 'NO', key: 'PRI' }),
  column('ts', 'TIMESTAMP WITH TIME ZONE', 'timestamptz'),
  column('where', 'STRUCT(lat DOUBLE)', 'struct<lat: double>', { comment: "it's a place" }),
];
const NOTE = column('note', 'VARCHAR', 'string', { default: '"none"' });

test.each(['DESCRIBE ns.events', 'desc table "ns"."events";', "DESCRIBE ns.events AT (VERSION => 'main')"])(
  '%s',
  async (sql) => expect(await rows(sql)).toEqual([...BEFORE, NOTE]),
);

test('of a version, of a registered table, of a metadata table, of a deep name', async () => {
  expect(await rows("DESCRIBE ns.events FOR VERSION AS OF 'first'")).toEqual(BEFORE);
  lake.register('clicks', table);
  expect(await rows('DESCRIBE clicks')).toHaveLength(4);
  expect((await rows('DESCRIBE ns.events.refs')).map((row) => row['column_name'])).toEqual([
    'name',
    'type',
    'snapshot_id',
    'max_reference_age_in_ms',
    'min_snapshots_to_keep',
    'max_snapshot_age_in_ms',
  ]);
  expect(await rows(`DESCRIBE "${catalog.name}".deep.er.extended`)).toEqual([column('x', 'INTEGER', 'int')]);
});

test.each(['DESCRIBE EXTENDED ns.events', 'DESC TABLE FORMATTED ns.events'])('%s', async (sql) => {
  const lines = await rows(sql);
  expect(lines).toEqual((await table.describe()).lines());
  expect(lines).toContainEqual({ section: 'Table', name: 'partitioned by', value: 'day(ts)' });
  expect(lines).toContainEqual({ section: 'Files', name: 'rows', value: '1' });
});

test('of a version, extended', async () => {
  const lines = await rows("DESCRIBE EXTENDED ns.events FOR VERSION AS OF 'first'");
  expect(lines.filter(({ section }) => section === 'Columns')).toHaveLength(3);
});

test("what is DuckDB's stays so", async () => {
  lake.register('arrow', tableFromArrays({ x: Int32Array.of(5) }));
  await lake.sql('CREATE TEMP TABLE extended (y INTEGER)');
  const names = async (sql: string) => (await rows(sql)).map((row) => row['column_name']);
  expect(await names('DESCRIBE arrow')).toEqual(['x']);
  expect(await names('DESCRIBE extended')).toEqual(['y']);
  expect(await names('DESCRIBE SELECT 1 AS one')).toEqual(['one']);
  expect(await names('SELECT column_name FROM (DESCRIBE ns.events)')).toEqual(['id', 'ts', 'where', 'note']);
});

test('what is not there', async () => {
  for (const sql of ['DESCRIBE ns.evnts', 'DESCRIBE EXTENDED ns.evnts', 'DESCRIBE FORMATTED "ns"."evnts"']) {
    const error = await rejection(rows(sql));
    expect(error).toMatchObject({ code: 'NOT_FOUND' });
    expect(error.message).toContain("'ns.events'");
  }
});
