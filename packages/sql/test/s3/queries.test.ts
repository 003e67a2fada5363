import { partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { WAYS, newWarehouse, openCatalog, openLake } from './support.ts';

let warehouse = '';
let events: Table;

/** Partition values that are special somewhere: in patterns, in URLs, in SQL. */
const CITIES = [
  'Seoul',
  'a*b',
  'a?b',
  '[x]',
  'a%20b',
  'a b',
  'a+b',
  'é#ü',
  "d'q",
  'x&y=z',
  'back\\slash',
  '..',
  '100%',
];

beforeAll(async () => {
  warehouse = await newWarehouse();
  const catalog = await openCatalog(warehouse);
  events = await catalog.createTable('ns.events', {
    schema: schema({ id: t.long(), city: t.string(), n: t.int(), tags: t.list(t.string()) }),
    partitionBy: [partitionBy.identity('city')],
    formatVersion: 3,
  });
  const rows = CITIES.flatMap((city, c) =>
    Array.from({ length: 20 }, (_, i) => ({ id: BigInt(c * 20 + i), city, n: i, tags: [city, `${i}`] })),
  );
  await events.append(rows);
});

describe.each(WAYS)('by %s', (way) => {
  test('every partition is read, whatever its value is', async () => {
    const lake = await openLake(way, await openCatalog(warehouse));
    const result = await lake.sql(
      'SELECT city, count(*) AS n, sum(id) AS ids, max(tags[2]) AS tag FROM ns.events GROUP BY 1',
    );
    const rows = await result.rows();
    expect(new Map(rows.map((row) => [row['city'], row['n']]))).toEqual(new Map(CITIES.map((city) => [city, 20n])));
    const { access } = result.scans[0]!;
    expect(access).toMatchObject({ local: 0, core: 0 });
    // An asterisk stays one in a directory's name, and DuckDB would take it for a pattern.
    const byHttpfs = way === 'httpfs' ? CITIES.length - 1 : 0;
    expect(access).toMatchObject({ httpfs: byHttpfs, cache: CITIES.length - byHttpfs });
    for (const city of CITIES) {
      const one = await lake.sql('SELECT count(*) AS n FROM ns.events WHERE city = $city', { city });
      expect(await one.rows()).toEqual([{ n: 20n }]);
    }
  });
});
