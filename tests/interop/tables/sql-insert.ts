import { Lakehouse } from '@lh/sql';

import { type InteropTable, type Row, current } from '../interop-table.ts';

// What INSERT, CREATE TABLE AS, TRUNCATE and transactions leave behind.

interface Statements {
  readonly name: string;
  /** `%t` stands for the table. */
  readonly statements: readonly string[];
  readonly rows: readonly Row[];
}

const create = `CREATE TABLE %t (id bigint NOT NULL, city string, day date, amount decimal(10, 2), tags list<string>, at timestamptz)
  PARTITIONED BY (city, months(day))`;

function row(id: number, city: string | null, day: string | null, amount: string | null): Row {
  return { id: BigInt(id), city, day, amount, tags: null, at: null };
}

const tables: readonly Statements[] = [
  {
    name: 'inserted',
    statements: [
      create,
      "INSERT INTO %t VALUES (1, 'Seoul', '2024-01-31', 1.5, ['a', NULL], '2024-01-01 00:00:00.000001Z'), (2, DEFAULT, NULL, NULL, [], NULL)",
      "INSERT INTO %t (amount, id) SELECT '99999999.99', 3",
      "INSERT INTO %t BY NAME SELECT DATE '1969-12-31' AS day, 4 AS id, 'é/ %' AS city",
    ],
    rows: [
      { ...row(1, 'Seoul', '2024-01-31', '1.50'), tags: ['a', null], at: '2024-01-01T00:00:00.000001Z' },
      { ...row(2, null, null, null), tags: [] },
      row(3, null, null, '99999999.99'),
      row(4, 'é/ %', '1969-12-31', null),
    ],
  },
  {
    name: 'overwritten',
    statements: [
      create,
      "INSERT INTO %t (id, city, day) VALUES (1, 'a', '2024-01-01'), (2, 'a', '2024-02-01'), (3, 'b', '2024-01-01'), (4, NULL, NULL)",
      "INSERT OVERWRITE %t BY NAME SELECT 5 AS id, 'a' AS city, DATE '2024-01-20' AS day",
      "INSERT OVERWRITE %t PARTITION (city = 'b') BY NAME SELECT 6 AS id, DATE '2024-07-01' AS day",
    ],
    rows: [
      row(2, 'a', '2024-02-01', null),
      row(4, null, null, null),
      row(5, 'a', '2024-01-20', null),
      row(6, 'b', '2024-07-01', null),
    ],
  },
  {
    name: 'truncated',
    statements: [
      create,
      "INSERT INTO %t (id, city) VALUES (1, 'a')",
      'TRUNCATE TABLE %t',
      'INSERT INTO %t (id) VALUES (2)',
    ],
    rows: [row(2, null, null, null)],
  },
  {
    name: 'in_a_transaction',
    statements: [
      create,
      'BEGIN',
      "INSERT INTO %t (id, city) VALUES (1, 'a'), (2, 'b')",
      'DELETE FROM %t WHERE id = 1',
      'INSERT INTO %t BY NAME SELECT id + 10 AS id, city FROM %t',
      'COMMIT',
    ],
    rows: [row(2, 'b', null, null), row(12, 'b', null, null)],
  },
  {
    name: 'made_as',
    statements: [
      "CREATE TABLE %t PARTITIONED BY (bucket(3, id)) AS SELECT i AS id, 's' || i AS s, i::UINTEGER AS n, {'x': [i::DOUBLE]} AS deep FROM range(4) AS r(i)",
    ],
    rows: [0, 1, 2, 3].map((i) => ({ id: BigInt(i), s: `s${i}`, n: BigInt(i), deep: { x: [i] } })),
  },
  {
    name: 'replaced',
    statements: [
      'CREATE TABLE %t PARTITIONED BY (id) AS SELECT 1 AS id, 2 AS gone',
      "CREATE OR REPLACE TABLE %t AS SELECT id + 1 AS id, 'new' AS s FROM %t",
      "INSERT INTO %t VALUES (3, 'more')",
    ],
    rows: [
      { id: 2, s: 'new' },
      { id: 3, s: 'more' },
    ],
  },
];

export const sqlInsertTables: readonly InteropTable[] = tables.flatMap(({ name, statements, rows }) =>
  ([2, 3] as const).map((version): InteropTable => {
    const full = `sql_${name}_v${version}`;
    return {
      name: full,
      make: async (catalog) => {
        const lake = await Lakehouse.open({ catalog });
        for (const [i, sql] of statements.entries()) {
          await lake.sql(sql.replaceAll('%t', `interop.${full}`));
          if (i === 0 && version === 3) await (await catalog.loadTable(['interop', full])).upgradeFormatVersion(3);
        }
        await lake.close();
        return { table: await catalog.loadTable(['interop', full]), reads: [current(rows)] };
      },
    };
  }),
);
