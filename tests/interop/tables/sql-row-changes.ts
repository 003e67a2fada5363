import { type FormatVersion, type RowLevelMode, partitionBy, schema, t } from '@lh/core';
import { Lakehouse } from '@lh/sql';

import { type InteropTable, type Row, current } from '../interop-table.ts';

// What UPDATE, DELETE and MERGE INTO leave behind, in both modes and every format version.

const shape = schema({ id: t.long().required(), city: t.string(), x: t.double(), place: t.struct({ zip: t.int() }) });
const cities = ['Seoul', 'Busan', null];

function row(id: number, city: string | null = cities[id % 3]!, x = id / 2, zip: number | null = id): Row {
  return { id: BigInt(id), city, x, place: zip === null ? null : { zip } };
}

const all = Array.from({ length: 10 }, (_, id) => row(id));
const without = (...ids: readonly number[]): readonly Row[] => all.filter(({ id }) => !ids.includes(Number(id)));

interface Changes {
  readonly name: string;
  readonly statements: (table: string) => readonly string[];
  readonly rows: readonly Row[];
}

const changes: readonly Changes[] = [
  {
    name: 'update',
    statements: (table) => [
      `UPDATE ${table} SET x = x + 1, place.zip = 99 WHERE id % 4 = 1`,
      // To other partitions.
      `UPDATE ${table} AS t SET city = s.city FROM (VALUES (2, 'Ulsan'), (3, NULL)) AS s(id, city) WHERE s.id = t.id`,
    ],
    rows: [
      ...without(1, 5, 9, 2, 3),
      ...[1, 5, 9].map((id) => row(id, cities[id % 3], id / 2 + 1, 99)),
      row(2, 'Ulsan'),
      row(3, null),
    ],
  },
  {
    name: 'delete',
    statements: (table) => [
      `DELETE FROM ${table} WHERE city = 'Seoul'`,
      `DELETE FROM ${table} WHERE x IN (SELECT max(x) FROM ${table} WHERE id < 9)`,
      `DELETE FROM ${table} AS t USING (VALUES (1), (1), (2)) AS s(id) WHERE s.id = t.id`,
    ],
    rows: without(0, 3, 6, 9, 8, 1, 2),
  },
  {
    name: 'merge',
    statements: (table) => [
      `MERGE INTO ${table} AS t USING (VALUES (1, 'gone'), (2, 'Jeju'), (12, 'Jeju')) AS s(id, city) ON t.id = s.id
       WHEN MATCHED AND s.city = 'gone' THEN DELETE
       WHEN MATCHED THEN UPDATE SET city = s.city
       WHEN NOT MATCHED THEN INSERT (id, city) VALUES (s.id, s.city)
       WHEN NOT MATCHED BY SOURCE AND t.id > 7 THEN UPDATE SET x = -1, place = NULL`,
    ],
    rows: [
      ...without(1, 2, 8, 9),
      row(2, 'Jeju'),
      { id: 12n, city: 'Jeju', x: null, place: null },
      row(8, cities[2], -1, null),
      row(9, cities[0], -1, null),
    ],
  },
];

function tableOf({ name, statements, rows }: Changes, formatVersion: FormatVersion, mode: RowLevelMode): InteropTable {
  const full = `sql_${name}_v${formatVersion}_${mode.replaceAll('-', '_')}`;
  return {
    name: full,
    make: async (catalog) => {
      const table = await catalog.createTable(['interop', full], {
        schema: shape,
        formatVersion,
        partitionBy: [partitionBy.identity('city')],
        properties: { 'write.update.mode': mode, 'write.delete.mode': mode, 'write.merge.mode': mode },
      });
      await table.append(all.slice(0, 6));
      await table.append(all.slice(6));
      const lake = await Lakehouse.open({ catalog });
      for (const sql of statements(`interop.${full}`)) await lake.sql(sql);
      await lake.close();
      return { table: await table.refresh(), reads: [current(rows)] };
    },
  };
}

/** Version 1 has no delete files. */
export const sqlRowChangeTables: readonly InteropTable[] = changes.flatMap((one) => [
  tableOf(one, 1, 'copy-on-write'),
  ...([2, 3] as const).flatMap((version) => [
    tableOf(one, version, 'copy-on-write'),
    tableOf(one, version, 'merge-on-read'),
  ]),
]);
