import { type CreateTableOptions, type Schema, Table, partitionBy, schema, t } from '@lh/core';
import { Lakehouse } from '@lh/sql';

import { type InteropTable, type PlainOptions, type Row, current } from '../interop-table.ts';

// Files that DuckDB has written without knowing of Iceberg: no field ids, columns of partitions in directories only.

const columns = {
  i: t.int(),
  l: t.long(),
  f: t.float(),
  d: t.double(),
  amount: t.decimal(9, 2),
  wide: t.decimal(30, 4),
  day: t.date(),
  ts: t.timestamp(),
  tstz: t.timestamptz(),
  s: t.string(),
  b: t.boolean(),
  u: t.uuid(),
};
const everyType = `SELECT i::INT AS i, (i * 5000000000)::BIGINT AS l, (i / 8)::FLOAT AS f, (i / 3)::DOUBLE AS d,
  (i / 4)::DECIMAL(9, 2) AS amount, (i * 1000000007 / 16)::DECIMAL(30, 4) AS wide, DATE '2024-01-01' + i::INT AS day,
  TIMESTAMP '2024-01-01 12:00:00.123456' + INTERVAL (i) MINUTE AS ts,
  TIMESTAMPTZ '2024-01-01 12:00:00.123456Z' - INTERVAL (i) DAY AS tstz,
  CASE WHEN i <> 3 THEN 'city ' || i END AS s, i % 2 = 0 AS b,
  ('f79c3e09-677c-4bbd-a479-3f349cb785e' || i)::UUID AS u FROM range(6) AS r(i)`;

/** What the query gives, as rows of the table. */
async function rowsOf(lake: Lakehouse, query: string): Promise<readonly Row[]> {
  const result = await lake.sql(query);
  return (await result.rows()) as readonly Row[];
}

interface AddedTable extends Pick<PlainOptions, 'cannotRead' | 'cannotFilter'> {
  readonly name: string;
  readonly query: string;
  /** DuckDB's options for COPY. */
  readonly copy?: string;
  /** Makes the table of the files below a directory. */
  readonly table: (from: {
    readonly catalog: Parameters<InteropTable['make']>[0];
    readonly name: readonly string[];
    readonly source: string;
  }) => Promise<Table>;
}

function added({ name, query, copy = 'FORMAT parquet', table, cannotRead, cannotFilter }: AddedTable): InteropTable {
  return {
    name,
    ...(cannotRead && { cannotRead }),
    ...(cannotFilter && { cannotFilter }),
    make: async (catalog) => {
      const beside = await catalog.createTable(['interop', `${name}_source`], { schema: schema({ i: t.int() }) });
      const source = `${beside.location}/files`;
      const lake = await Lakehouse.open({ catalog });
      const target = copy.includes('PARTITION_BY') ? source : `${source}.parquet`;
      await lake.connection.run(`COPY (${query}) TO '${target}' (${copy})`);
      const rows = await rowsOf(lake, query);
      await lake.close();
      const made = await table({ catalog, name: ['interop', name], source: target });
      return { table: made, reads: [current(rows)] };
    },
  };
}

function addTo(shape: Schema, options: Omit<CreateTableOptions, 'schema'> = {}): AddedTable['table'] {
  return async ({ catalog, name, source }) => {
    const table = await catalog.createTable(name, { schema: shape, ...options });
    await table.addFiles(source);
    return table;
  };
}

const migrate: AddedTable['table'] = ({ catalog, name, source }) => Table.migrate({ catalog, name, source });

const nested = `SELECT i::INT AS id, {'x': i, 'y': [i::VARCHAR, NULL]} AS st,
  CASE WHEN i > 0 THEN MAP {'k': i::DOUBLE} END AS m FROM range(3) AS r(i)`;
const nestedShape = schema({
  id: t.int(),
  st: t.struct({ x: t.long(), y: t.list(t.string()) }),
  m: t.map(t.string(), t.double()),
});
const places = `SELECT i::INT AS id, (i % 3)::INT AS nr, CASE WHEN i % 2 = 0 THEN 'a b/c' END AS place FROM range(9) AS r(i)`;

export const addedFileTables: readonly InteropTable[] = [
  added({ name: 'added_every_type', query: everyType, table: addTo(schema(columns)) }),
  added({
    name: 'added_by_bounds',
    query: everyType,
    table: addTo(schema(columns), { partitionBy: [partitionBy.month('day')], formatVersion: 3 }),
  }),
  added({ name: 'added_nested', query: nested, table: addTo(nestedShape) }),
  added({ name: 'migrated', query: everyType, table: migrate }),
  added({ name: 'migrated_hive', query: places, copy: 'FORMAT parquet, PARTITION_BY (nr, place)', table: migrate }),
];
