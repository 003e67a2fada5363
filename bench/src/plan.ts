// Planning of scans over tables of 10,000 and 100,000 files with statistics of 20 columns each, on one thread:
// `node bench/dist/plan.js`, or with other numbers of files.
import { Table, type FilterInput } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { SOME_DAY, firstIdOf, isoDay, plannedTable } from './_planned-table.ts';
import { bench, type Contender } from './harness.ts';

const FILTERS: Readonly<Record<string, FilterInput | undefined>> = {
  'all files': undefined,
  'one day': `ts >= '${isoDay(SOME_DAY)}' AND ts < '${isoDay(SOME_DAY + 1)}'`,
  'one id': `id = ${firstIdOf(SOME_DAY) + 500_000n}`,
  'by statistics of two columns': 'amount > 995 AND code < 5000',
};

const numbers = process.argv.slice(2).map(Number);
for (const files of numbers.length > 0 ? numbers : [10_000, 100_000]) {
  const table = await Table.load(await plannedTable(files), { io: new LocalFileIO() });
  const contenders: Contender[] = [];
  for (const [name, filter] of Object.entries(FILTERS)) {
    const plan = () => table.scan(filter === undefined ? {} : { filter }).plan();
    const { filesScanned } = (await plan()).metrics;
    contenders.push({ name: `${name} (${filesScanned.toLocaleString('en-US')})`, run: plan });
  }
  const [first, ...others] = contenders;
  await bench({
    name: `plan-${files}`,
    title: `Plans of a table of ${files.toLocaleString('en-US')} files`,
    work: { count: files, unit: 'files' },
    contenders: [first!, ...others],
  });
}
