// The `files` table of a table of a million files with statistics of 20 columns each, streamed on one thread:
// `node bench/dist/inspect.js`, or with another number of files. The peak of memory is that of a process of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { Table, type InspectOptions, type MetadataTableName } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { SOME_DAY, isoDay, plannedTable } from './_planned-table.ts';
import { bench, type Contender } from './harness.ts';

interface Inspection {
  readonly name: string;
  readonly table: MetadataTableName;
  readonly options: InspectOptions;
}

const COUNTS = ['file_path', 'record_count', 'file_size_in_bytes'];

const INSPECTIONS: readonly [Inspection, ...Inspection[]] = [
  { name: 'path, rows and bytes', table: 'files', options: { select: COUNTS } },
  { name: 'all columns', table: 'files', options: {} },
  {
    name: "one column's readable metrics",
    table: 'files',
    options: { select: ['file_path', 'readable_metrics.amount'] },
  },
  { name: 'of one day', table: 'files', options: { filter: `partition.ts_day = '${isoDay(SOME_DAY)}'` } },
  { name: 'large ones', table: 'files', options: { filter: 'file_size_in_bytes > 29990000' } },
  { name: 'partitions', table: 'partitions', options: {} },
];

const PEAK_OF = '--peak-of=';

async function stream(location: string, { table, options }: Inspection): Promise<number> {
  // Loaded anew: no manifest of the last run is at hand.
  const loaded = await Table.load(location, { io: new LocalFileIO() });
  let rows = 0;
  for await (const batch of loaded.metadataTable(table, options).batches()) rows += batch.numRows;
  return rows;
}

/** Mebibytes that a process needs at most for one inspection, the runtime itself included. */
function peakMemory(files: number, index: number): number {
  const script = fileURLToPath(import.meta.url);
  const { stdout } = spawnSync(process.execPath, [script, String(files), `${PEAK_OF}${index}`], { encoding: 'utf8' });
  return Number(stdout);
}

const files = Number(process.argv[2] ?? 1_000_000);
const location = await plannedTable(files);
const peakOf = process.argv.find((argument) => argument.startsWith(PEAK_OF));
if (peakOf) {
  await stream(location, INSPECTIONS[Number(peakOf.slice(PEAK_OF.length))]!);
  console.log(Math.round(process.resourceUsage().maxRSS / 1024));
} else {
  const contenders = INSPECTIONS.map((inspection, index): Contender => {
    const name = `${inspection.name} (${peakMemory(files, index)} MiB)`;
    return { name, run: () => stream(location, inspection) };
  });
  const [first, ...others] = contenders;
  await bench({
    name: `inspect-${files}`,
    title: `Metadata tables of a table of ${files.toLocaleString('en-US')} files; in brackets the peak of memory`,
    work: { count: files, unit: 'files' },
    contenders: [first!, ...others],
    // Each of them takes seconds.
    rounds: 1,
    warmup: 0,
  });
}
