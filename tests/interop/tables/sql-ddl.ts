import type { Catalog } from '@lh/core';
import { Lakehouse } from '@lh/sql';

import { type ExpectedRead, type InteropTable, type Row, current, snapshot } from '../interop-table.ts';

// Tables whose definitions are made and changed by statements.

interface Step {
  readonly sql: string;
  /** What the table holds afterwards. */
  readonly rows?: readonly Row[];
}

/** Runs statements on `interop.<name>`, and reads it as it is in the end and as it was after earlier steps. */
function bySteps(name: string, steps: readonly Step[]): InteropTable {
  return {
    name,
    make: async (catalog: Catalog) => {
      const lake = await Lakehouse.open({ catalog });
      await lake.sql('USE interop');
      const reads: ExpectedRead[] = [];
      for (const [i, { sql, rows }] of steps.entries()) {
        const { snapshotId } = await lake.sql(sql);
        if (rows) reads.push(i === steps.length - 1 ? current(rows) : snapshot(sql, snapshotId, rows));
      }
      await lake.close();
      return { table: await catalog.loadTable(['interop', name]), reads };
    },
  };
}

const first: Row = { id: 1, city: 'Seoul', geo: { lat: 37.5 }, tags: [{ x: 1 }], gone: 'x' };

export const sqlDdlTables: readonly InteropTable[] = [
  bySteps('sql_evolved', [
    {
      sql: `CREATE TABLE sql_evolved (id int NOT NULL, city string, geo struct<lat: float>, tags list<struct<x: int>>, gone string)
        PARTITIONED BY (bucket(4, id)) ORDERED BY city DESC NULLS LAST TBLPROPERTIES (write.parquet.compression-codec = 'gzip')`,
    },
    {
      sql: "INSERT INTO sql_evolved VALUES (1, 'Seoul', {'lat': 37.5}, [{'x': 1}], 'x')",
      rows: [first],
    },
    {
      sql: `ALTER TABLE sql_evolved ALTER COLUMN id TYPE bigint, DROP COLUMN gone, RENAME COLUMN city TO town, ADD COLUMNS (geo.lon double FIRST, n decimal(9, 2) FIRST),
        ADD COLUMN tags.element.y string, ALTER COLUMN geo.lat TYPE double, REPLACE PARTITION FIELD id_bucket WITH truncate(2, town) AS part, ADD PARTITION FIELD n`,
    },
    {
      sql: "INSERT INTO sql_evolved VALUES (-12.5, 9007199254740993, 'Busan', {'lon': 129.0, 'lat': 35.1}, [{'x': NULL, 'y': 'z'}])",
    },
    {
      sql: 'ALTER TABLE sql_evolved DROP PARTITION FIELD part, DROP PARTITION FIELD n, WRITE UNORDERED, CREATE TAG t',
      rows: [
        { n: null, id: 1n, town: 'Seoul', geo: { lon: null, lat: 37.5 }, tags: [{ x: 1, y: null }] },
        {
          n: '-12.50',
          id: 9_007_199_254_740_993n,
          town: 'Busan',
          geo: { lon: 129, lat: 35.1 },
          tags: [{ x: null, y: 'z' }],
        },
      ],
    },
  ]),
  bySteps('sql_defaults', [
    {
      sql: "CREATE TABLE sql_defaults (id int, day date DEFAULT DATE '2024-02-29') TBLPROPERTIES ('format-version' = '3')",
    },
    { sql: 'INSERT INTO sql_defaults (id) VALUES (1)' },
    { sql: "ALTER TABLE sql_defaults ADD COLUMN city string DEFAULT 'it''s', ADD COLUMN n bigint DEFAULT -7" },
    { sql: "ALTER TABLE sql_defaults ALTER COLUMN city SET DEFAULT 'new'" },
    {
      sql: 'INSERT INTO sql_defaults (id, n) VALUES (2, 3)',
      rows: [
        { id: 1, day: '2024-02-29', city: "it's", n: -7n },
        { id: 2, day: '2024-02-29', city: 'new', n: 3n },
      ],
    },
  ]),
  bySteps('sql_replaced', [
    { sql: 'CREATE TABLE sql_replaced (id int, city string) PARTITIONED BY (city)' },
    { sql: "INSERT INTO sql_replaced VALUES (1, 'Seoul')", rows: [{ id: 1, city: 'Seoul' }] },
    {
      sql: "CREATE OR REPLACE TABLE sql_replaced (city string, n bigint, ts timestamptz) WITH (partitioning = ARRAY['day(ts)', 'city'])",
    },
    {
      sql: "INSERT INTO sql_replaced VALUES ('Busan', 5, '2024-01-01 00:00:00+00')",
      rows: [{ city: 'Busan', n: 5n, ts: '2024-01-01T00:00:00.000000Z' }],
    },
  ]),
];
