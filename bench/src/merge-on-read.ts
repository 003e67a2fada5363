// Reading 6 million rows like TPC-H's lineitem, some of which are deleted by position, by deletion vector or by key,
// beside the same data files without deletes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { ScanOptions, Table } from '@lh/core';
import type { RecordBatch } from 'apache-arrow';

import { ROWS, VARIANTS, lineitemTable, type Variant } from './_lineitem.ts';
import { bench } from './harness.ts';

const NAMES: Readonly<Record<Variant, string>> = {
  none: 'without deletes',
  positions: '1 % deleted by position',
  vectors: '1 % deleted by deletion vector',
  keys: '100,000 two-column keys deleted',
};

interface Query {
  readonly name: string;
  readonly title: string;
  readonly scan: ScanOptions;
}

/** What core does of the queries: the filter, the columns, the deletes; aggregating them is SQL's. */
const QUERIES: readonly Query[] = [
  {
    name: 'q6',
    title: "Q6's rows, by core",
    scan: {
      filter:
        "l_shipdate >= '1994-01-01' AND l_shipdate < '1995-01-01' AND l_discount >= 0.05 AND l_discount <= 0.07 AND l_quantity < 24",
      select: ['l_extendedprice', 'l_discount'],
    },
  },
  {
    name: 'q1',
    title: "Q1's rows, by core",
    scan: {
      filter: "l_shipdate <= '1998-09-02'",
      select: ['l_quantity', 'l_extendedprice', 'l_discount', 'l_tax', 'l_returnflag', 'l_linestatus'],
    },
  },
];

async function eachBatch(
  table: Table,
  scan: ScanOptions,
  visit: (batch: RecordBatch) => void = () => {},
): Promise<number> {
  let rows = 0;
  for await (const batch of table.scan(scan).batches()) {
    rows += batch.numRows;
    visit(batch);
  }
  return rows;
}

const MB = 1024 * 1024;

/** Megabytes at most above those of the idle process, when all columns of all rows pass by. For a process of its own. */
async function measureMemory(variant: Variant): Promise<void> {
  const table = await lineitemTable(variant);
  await table.scan().plan();
  globalThis.gc?.();
  const idle = process.memoryUsage.rss();
  const rows = await eachBatch(table, {});
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ variant, rows, idleMb: Math.round(idle / MB), peakMb: Math.round((peak - idle) / MB) }));
}

function memoryOf(variant: Variant): { readonly idleMb: number; readonly peakMb: number; readonly rows: number } {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), '--memory', variant];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ReturnType<typeof memoryOf>;
}

if (process.argv[2] === '--memory') await measureMemory(process.argv[3] as Variant);
else {
  const tables = new Map<Variant, Table>();
  for (const variant of VARIANTS) tables.set(variant, await lineitemTable(variant));
  for (const { name, title, scan } of QUERIES) {
    const [first, ...others] = VARIANTS.map((variant) => ({
      name: NAMES[variant],
      run: () => eachBatch(tables.get(variant)!, scan),
    }));
    await bench({
      name: `merge-on-read-core-${name}`,
      title,
      work: { count: ROWS, unit: 'rows' },
      contenders: [first!, ...others],
    });
  }
  console.log('\nMemory above the idle process when all columns are read, through batches()\n');
  for (const variant of VARIANTS) {
    const { rows, idleMb, peakMb } = memoryOf(variant);
    console.log(
      `  ${NAMES[variant].padEnd(32)} ${peakMb} MB (idle ${idleMb} MB), ${rows.toLocaleString('en-US')} rows`,
    );
  }
}
