import { schema, t } from '@lh/core';
import type { RowLevelMode, Table } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { everyColumn, everyTypeRows } from '../../../../../tests/interop/tables/types.ts';
import { openWarehouse } from '../../support.ts';

// Values that a statement doesn't name stay as they are to the last bit, whatever their type.

const { lake, catalog } = await openWarehouse();

const wkb = Uint8Array.from([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 64]);
const others = {
  ns: t.timestamp_ns(),
  tz_ns: t.timestamptz_ns(),
  geo: t.geometry(),
  nothing: t.unknown(),
  odd: t.decimal(25, 3),
  nested: t.struct({ list: t.list(t.struct({ fix: t.fixed(2) })), map: t.map(t.string(), t.timestamptz_ns()) }),
};
const otherRows = [
  {
    ns: '2024-02-29T12:30:45.123456789',
    tz_ns: '1969-12-31T23:59:59.999999999Z',
    geo: wkb,
    nothing: null,
    odd: '-1234567890123456789012.345',
    nested: { list: [{ fix: Uint8Array.of(1, 2) }, null], map: new Map([['a', '2024-01-01T00:00:00.000000001Z']]) },
  },
  { ns: null, tz_ns: null, geo: null, nothing: null, odd: null, nested: null },
];

async function rowsOf(table: Table): Promise<readonly Record<string, unknown>[]> {
  const rows = await (await table.refresh()).scan().toRows();
  return rows.toSorted((a, b) => Number(a['id']) - Number(b['id']));
}

describe.each(['copy-on-write', 'merge-on-read'] as const)('%s', (mode: RowLevelMode) => {
  const properties = { 'write.update.mode': mode, 'write.delete.mode': mode, 'write.merge.mode': mode };

  test('of types that DuckDB writes, and of those that core writes', async () => {
    const name = `ns.types_${mode.slice(0, 1)}`;
    const table = await catalog.createTable(name, {
      schema: schema({ ...everyColumn, ...others, extra: t.int() }),
      formatVersion: 3,
      properties,
    });
    const rows = everyTypeRows.map((row, i) => ({ ...row, ...otherRows[i % 2], extra: i }));
    await table.append(rows);
    const before = await rowsOf(table);
    await lake.sql(`UPDATE ${name} SET extra = extra + 1 WHERE id % 2 = 1`);
    await lake.sql(
      `MERGE INTO ${name} AS t USING (SELECT 2 AS id) AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET extra = 77`,
    );
    const changed = before.map((row) => ({
      ...row,
      extra: row['id'] === 2n ? 77 : Number(row['extra']) + (Number(row['id']) % 2),
    }));
    expect(await rowsOf(table)).toEqual(changed);
    await lake.sql(`DELETE FROM ${name} WHERE id = 1`);
    expect(await rowsOf(table)).toEqual(changed.slice(1));
  });

  test('variants are deleted with their rows, and never rewritten as something else', async () => {
    const name = `ns.variants_${mode.slice(0, 1)}`;
    const table = await catalog.createTable(name, {
      schema: schema({ id: t.long(), v: t.variant() }),
      formatVersion: 3,
      properties,
    });
    await table.append([
      { id: 1n, v: { a: [1, null, 'x'] } },
      { id: 2n, v: null },
      { id: 3n, v: { b: 1 } },
    ]);
    await expect(lake.sql(`UPDATE ${name} SET id = 9`)).rejects.toThrow(/isn't supported in SQL, as DuckDB's variants/);
    await lake.sql(`DELETE FROM ${name} WHERE id = 2`);
    expect((await rowsOf(table)).map(({ v }) => JSON.stringify(v))).toEqual(['{"a":[1,null,"x"]}', '{"b":1}']);
  });
});
