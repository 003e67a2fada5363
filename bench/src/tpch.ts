// TPC-H: the 22 queries over Iceberg tables, beside the same queries over raw `read_parquet` of the very same files.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { loadTpch, tpchQueries } from 'lakehouse-duckdb-support';

import { sqlText } from './flights.ts';
import { measure, saveResult } from './harness.ts';

const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);
const FILES = 16;

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const io = new LocalFileIO();
const catalog = await FileSystemCatalog.open({ io, warehouse: folder });
const maker = await Lakehouse.open({ catalog });
const tables = await loadTpch(maker, catalog, { scale: SCALE, files: FILES });
const queries = await tpchQueries(maker);
await maker.close();

// Two of them: who has asked for the raw connection pays for settings that may change at any time.
const [lake, plain] = [await Lakehouse.open({ catalog }), await Lakehouse.open({ catalog })];
const raw = plain.connection;
for (const [name, table] of tables) {
  lake.register(name, table);
  const { tasks } = await table.scan().plan();
  const files = tasks.map(({ file }) => sqlText(io.capabilities.localPath!(file.path)!)).join(', ');
  await raw.run(`CREATE VIEW ${name} AS SELECT * FROM read_parquet([${files}], hive_partitioning=false)`);
}

interface Figures {
  readonly query: string;
  readonly rawMs: number;
  readonly lakeMs: number;
  readonly ratio: number;
  readonly cpuRatio: number;
}

const figures: Figures[] = [];
const cases = queries.map((sql, i) => ({ query: `Q${i + 1}`, sql }));
console.log(`\nTPC-H at scale ${SCALE}, ${FILES} files of lineitem: lake.sql beside raw read_parquet (medians of 7)\n`);
console.log('  query       raw  lake.sql   ratio   more  CPU ratio');
for (const { query, sql } of cases) {
  const [ofRaw, ofLake] = await measure({
    rounds: 7,
    contenders: [
      { name: 'raw read_parquet', run: async () => (await raw.runAndReadAll(sql)).getRows() },
      { name: 'lake.sql', run: async () => (await lake.sql(sql)).rows() },
    ],
  });
  const { medianWallMs: rawMs, medianCpuMs: rawCpu } = ofRaw!;
  const { medianWallMs: lakeMs, medianCpuMs: lakeCpu, ratio } = ofLake!;
  figures.push({ query, rawMs, lakeMs, ratio, cpuRatio: lakeCpu / rawCpu });
  const cells = [rawMs, lakeMs].map((ms) => `${ms.toFixed(0)} ms`.padStart(8));
  const more = `${(lakeMs - rawMs).toFixed(0)} ms`.padStart(6);
  console.log(
    `  ${query.padEnd(4)} ${cells.join('  ')}  ${ratio.toFixed(2)}x ${more}     ${(lakeCpu / rawCpu).toFixed(2)}x`,
  );
}
const mean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, one) => sum + Math.log(one), 0) / values.length);
const geometricMean = mean(figures.map(({ ratio }) => ratio));
console.log(
  `\n  geometric mean ${geometricMean.toFixed(3)}x, by CPU ${mean(figures.map(({ cpuRatio }) => cpuRatio)).toFixed(3)}x`,
);
saveResult('tpch', { title: `TPC-H at scale ${SCALE} beside raw read_parquet`, geometricMean, figures });

await lake.close();
await plain.close();
await rm(folder, { recursive: true });
