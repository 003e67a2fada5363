import { partitionBy, schema, t } from '@lh/core';
import type { FormatVersion, RowLevelMode } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { rejection } from '../support.ts';
import { WAYS, newWarehouse, openCatalog, openLake, s3FileIO } from './support.ts';

const layouts: readonly (readonly [FormatVersion, RowLevelMode])[] = [
  [1, 'copy-on-write'],
  [2, 'merge-on-read'],
  [3, 'copy-on-write'],
  [3, 'merge-on-read'],
];

describe.each(WAYS)('by %s', (way) => {
  test.each(layouts)('UPDATE, DELETE and MERGE INTO on format version %s, %s', async (formatVersion, mode) => {
    const warehouse = await newWarehouse();
    const catalog = await openCatalog(warehouse);
    const table = await catalog.createTable('ns.t', {
      schema: schema({ id: t.long(), city: t.string(), n: t.int() }),
      formatVersion,
      partitionBy: [partitionBy.identity('city')],
      properties: { 'write.update.mode': mode, 'write.delete.mode': mode, 'write.merge.mode': mode },
    });
    const cities = ['a b', 'a%20b', 'é#ü', null];
    await table.append(Array.from({ length: 12 }, (_, i) => ({ id: BigInt(i), city: cities[i % 4]!, n: i })));
    const lake = await openLake(way, catalog);
    expect((await lake.sql("UPDATE ns.t SET n = n * 10, city = 'new' WHERE id IN (1, 5)")).rowCount).toBe(2);
    expect((await lake.sql('DELETE FROM ns.t WHERE city IS NULL OR id = 2')).rowCount).toBe(4);
    const merge = `MERGE INTO ns.t AS t USING (VALUES (0, 'x'), (1, 'y'), (20, 'z')) AS s(id, city) ON t.id = s.id
      WHEN MATCHED AND t.n = 10 THEN DELETE WHEN MATCHED THEN UPDATE SET city = s.city
      WHEN NOT MATCHED THEN INSERT (id, city) VALUES (s.id, s.city)`;
    expect((await lake.sql(merge)).rowCount).toBe(3);
    expect(await (await lake.sql('SELECT id, city, n FROM ns.t ORDER BY id')).rows()).toEqual([
      { id: 0n, city: 'x', n: 0 },
      { id: 4n, city: 'a b', n: 4 },
      { id: 5n, city: 'new', n: 50 },
      { id: 6n, city: 'é#ü', n: 6 },
      { id: 8n, city: 'a b', n: 8 },
      { id: 9n, city: 'a%20b', n: 9 },
      { id: 10n, city: 'é#ü', n: 10 },
      { id: 20n, city: 'z', n: null },
    ]);
    const objects = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const { location } of s3FileIO().list(`${warehouse}/ns/t/`)) found.push(location);
      return found.toSorted();
    };
    const before = await objects();
    await rejection(lake.sql('UPDATE ns.t SET n = CAST(city AS INTEGER) WHERE id > 4'));
    expect(await objects()).toEqual(before);
  });
});
