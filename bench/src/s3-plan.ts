// Loading and planning a table of 10,000 files in 20 manifests, with statistics of 20 columns each, in S3:
// `node bench/dist/s3-plan.js`.
import { FileSystemCatalog, MappedFileIO, type FilterInput, type Table } from '@lh/core';

import { SOME_DAY, isoDay, writePlannedTable } from './_planned-table.ts';
import { LATENCIES, measure, report, startStore, type S3Measurement } from './_s3.ts';

const FILES = 10_000;
const MANIFESTS = 20;
const RUNS = 5;
const ONE_DAY = `ts >= '${isoDay(SOME_DAY)}' AND ts < '${isoDay(SOME_DAY + 1)}'`;

const store = await startStore();
await writePlannedTable(store.io, `${store.root}/wh/bench/planned/`, FILES, FILES / MANIFESTS);

/** The table as a process sees it that has read nothing of it yet. */
async function load(): Promise<Table> {
  const io = new MappedFileIO(store.io, {});
  const catalog = await FileSystemCatalog.open({ io, warehouse: `${store.root}/wh` });
  return catalog.loadTable('bench.planned');
}

async function plan(table: Table, files: number, filter?: FilterInput): Promise<void> {
  const { tasks } = await table.scan(filter === undefined ? {} : { filter }).plan();
  if (tasks.length !== files) throw new Error(`${tasks.length} files were planned instead of ${files}.`);
}

// Connections are opened, and code is compiled.
for (let i = 0; i < 5; i++) await plan(await load(), FILES);
const matching = (await (await load()).scan({ filter: ONE_DAY }).plan()).tasks.length;

const measurements: S3Measurement[] = [];
for (const latencyMs of LATENCIES) {
  /** The quickest of some runs, on tables that were only loaded: what others do on the machine is not measured. */
  const timed = async (name: string, run: (table: Table) => Promise<unknown>): Promise<void> => {
    const runs: S3Measurement[] = [];
    for (let i = 0; i < RUNS; i++) {
      const table = await load();
      runs.push(await measure(store, name, latencyMs, () => run(table)));
    }
    measurements.push(runs.reduce((best, one) => (one.wallMs < best.wallMs ? one : best)));
  };
  await timed('loadTable', load);
  await timed('loadTable and plan of all files', async () => plan(await load(), FILES));
  await timed('plan of all files', (table) => plan(table, FILES));
  await timed('plan of one day', (table) => plan(table, matching, ONE_DAY));
  await timed('refresh', (table) => table.refresh());
}
report(
  's3-plan',
  `Plans of a table in S3: ${FILES.toLocaleString('en-US')} files in ${MANIFESTS} manifests`,
  measurements,
);
await store.stop();
