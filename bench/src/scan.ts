// SQL over an Iceberg table beside raw `read_parquet` of the very same files: what finding the files, and the exact
// types on the way out, cost.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

import { FLIGHTS, flightsFile, sqlText } from './flights.ts';
import { bench } from './harness.ts';

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const io = new LocalFileIO();
const catalog = await FileSystemCatalog.open({ io, warehouse: join(folder, 'warehouse') });
await catalog.createNamespace('bench');
const lake = await Lakehouse.open({ catalog });
const source = await lake.sql(`SELECT * FROM read_parquet(${sqlText(flightsFile)})`);
const table = await catalog.createTable('bench.flights', {
  schema: schema({
    date: t.timestamp(),
    delay: t.long(),
    distance: t.long(),
    origin: t.string(),
    destination: t.string(),
  }),
  partitionBy: [partitionBy.month('date')],
});
await table.append(await source.arrow());

const { tasks } = await table.scan().plan();
const files = tasks.map((task) => sqlText(io.capabilities.localPath!(task.file.path)!)).join(', ');
const raw = `read_parquet([${files}], hive_partitioning=false)`;

interface Case {
  readonly name: string;
  readonly title: string;
  readonly sql: (from: string) => string;
  readonly rows?: number;
}

const cases: readonly Case[] = [
  { name: 'scan-count', title: 'Count of all rows', sql: (from) => `SELECT count(*) FROM ${from}` },
  {
    name: 'scan-aggregate',
    title: 'Aggregate of all rows',
    sql: (from) => `SELECT origin, count(*), avg(delay) FROM ${from} GROUP BY origin ORDER BY 2 DESC`,
    rows: FLIGHTS,
  },
  {
    name: 'scan-day',
    title: 'One day of the table',
    sql: (from) => `SELECT destination, sum(distance) FROM ${from} WHERE date::date = '2001-03-05' GROUP BY 1`,
  },
  {
    name: 'scan-join',
    title: 'Self join of two months',
    sql: (from) =>
      `SELECT a.origin, count(*) FROM ${from} a JOIN ${from} b ON a.origin = b.destination AND a.date = b.date ` +
      `WHERE a.date < '2001-03-01' GROUP BY 1`,
  },
];

const duckdb = lake.connection;

for (const { name, title, sql, rows } of cases) {
  await bench({
    name,
    title: `${title}: SQL over the table, beside raw read_parquet of its ${tasks.length} files`,
    ...(rows !== undefined && { work: { count: rows, unit: 'rows' } }),
    rounds: 7,
    contenders: [
      { name: 'raw read_parquet', run: async () => (await duckdb.runAndReadAll(sql(raw))).getRows() },
      { name: 'lake.sql', run: async () => (await lake.sql(sql('bench.flights'))).rows() },
    ],
  });
}

const everything = (from: string): string => `SELECT * FROM ${from}`;
await bench({
  name: 'scan-export',
  title: 'All rows out of DuckDB',
  work: { count: FLIGHTS, unit: 'rows' },
  rounds: 3,
  contenders: [
    {
      name: 'raw read_parquet, chunks fetched and dropped',
      run: async () => {
        const result = await duckdb.stream(everything(raw));
        while (((await result.fetchChunk())?.rowCount ?? 0) > 0);
      },
    },
    {
      name: 'lake.sql, streamed Arrow batches',
      run: async () => {
        let rows = 0;
        for await (const batch of (await lake.sql(everything('bench.flights'))).batches()) rows += batch.numRows;
        return rows;
      },
    },
    { name: 'lake.sql, one Arrow table', run: async () => (await lake.sql(everything('bench.flights'))).arrow() },
  ],
});

await lake.close();
await rm(folder, { recursive: true });
