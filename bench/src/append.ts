// Append of three million rows that are in memory already, beside DuckDB's COPY of the same rows to Parquet.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';
import { FileSystemCatalog, type PartitionFieldInput, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

import { FLIGHTS, flightsFile, sqlText } from './flights.ts';
import { type Contender, bench } from './harness.ts';

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: join(folder, 'warehouse') });
await catalog.createNamespace('bench');

const lake = await Lakehouse.open({ catalog });
const flights = await (await lake.sql(`SELECT * FROM read_parquet(${sqlText(flightsFile)})`)).arrow();
await lake.close();

const instance = await DuckDBInstance.create(':memory:');
const duckdb = await instance.connect();
await duckdb.run(`CREATE TABLE flights AS SELECT *, month(date) AS month FROM read_parquet(${sqlText(flightsFile)})`);

let target = 0;

function copy(name: string, select: string, options: string, threads: number): Contender {
  return {
    name,
    prepare: async () => {
      await duckdb.run(`SET threads = ${threads}`);
      target++;
    },
    run: () =>
      duckdb.run(`COPY (${select}) TO ${sqlText(join(folder, `copy-${target}`))} (FORMAT parquet, ${options})`),
  };
}

function append(name: string, partitioning: readonly PartitionFieldInput[]): Contender {
  let fresh: Awaited<ReturnType<typeof catalog.createTable>>;
  return {
    name,
    prepare: async () => {
      target++;
      fresh = await catalog.createTable(`bench.flights_${target}`, {
        schema: schema({
          date: t.timestamp(),
          delay: t.long(),
          distance: t.long(),
          origin: t.string(),
          destination: t.string(),
        }),
        partitionBy: partitioning,
      });
    },
    run: () => fresh.append(flights),
  };
}

const work = { count: FLIGHTS, unit: 'rows' };
const columns = 'date, delay, distance, origin, destination';

await bench({
  name: 'append',
  title: 'Append 3,000,000 flights from memory, zstd Parquet, one commit',
  work,
  contenders: [
    copy('DuckDB COPY, 2 threads', `SELECT ${columns} FROM flights`, 'COMPRESSION zstd', 2),
    copy('DuckDB COPY, 1 thread', `SELECT ${columns} FROM flights`, 'COMPRESSION zstd', 1),
    append('append', []),
  ],
});

await bench({
  name: 'append-partitioned',
  title: 'The same by month of date',
  work,
  contenders: [
    copy(
      'DuckDB COPY, 2 threads',
      `SELECT ${columns}, month FROM flights`,
      'COMPRESSION zstd, PARTITION_BY (month)',
      2,
    ),
    copy('DuckDB COPY, 1 thread', `SELECT ${columns}, month FROM flights`, 'COMPRESSION zstd, PARTITION_BY (month)', 1),
    append('append', [partitionBy.month('date')]),
  ],
});

await rm(folder, { recursive: true, force: true });
