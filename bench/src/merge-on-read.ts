// Reading 6 million rows like TPC-H's lineitem, some of which are deleted by position, by deletion vector or by key,
// beside the same data files without deletes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { MemoryCatalog, MemoryFileIO } from '@lh/core';
import type { ScanOptions, Table } from '@lh/core';
import { Lakehouse } from '@lh/sql';
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

/** The two queries themselves, over a table called by the variant's name. */
const SQL_QUERIES: readonly {
  readonly name: string;
  readonly title: string;
  readonly sql: (from: string) => string;
}[] = [
  {
    name: 'q6',
    title: 'Q6, by SQL',
    sql: (from) => `
      SELECT sum(l_extendedprice * l_discount) AS revenue FROM ${from}
      WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
        AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24`,
  },
  {
    name: 'q1',
    title: 'Q1, by SQL',
    sql: (from) => `
      SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
        sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
        sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, avg(l_quantity) AS avg_qty,
        avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order
      FROM ${from} WHERE l_shipdate <= DATE '1998-12-01' - INTERVAL 90 DAY
      GROUP BY ALL ORDER BY l_returnflag, l_linestatus`,
  },
];

async function openLake(variants: readonly Variant[]): Promise<Lakehouse> {
  const lake = await Lakehouse.open({ catalog: new MemoryCatalog({ io: new MemoryFileIO() }) });
  for (const variant of variants) lake.register(variant, await lineitemTable(variant));
  return lake;
}

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

type Reader = 'core' | 'sql';

interface MemoryUse {
  readonly idleMb: number;
  readonly peakMb: number;
  readonly rows: number;
}

/**
 * Megabytes at most above those of the idle process, when core reads all columns of all rows, or SQL runs Q1. For a
 * process of its own.
 */
async function measureMemory(reader: Reader, variant: Variant): Promise<void> {
  const table = await lineitemTable(variant);
  await table.scan().plan();
  const lake = reader === 'sql' ? await openLake([variant]) : null;
  globalThis.gc?.();
  const idle = process.memoryUsage.rss();
  const rows = lake
    ? (await (await lake.sql(SQL_QUERIES.at(-1)!.sql(variant))).rows()).length
    : await eachBatch(table, {});
  await lake?.close();
  const peak = process.resourceUsage().maxRSS * 1024;
  const use: MemoryUse = { rows, idleMb: Math.round(idle / MB), peakMb: Math.round((peak - idle) / MB) };
  console.log(JSON.stringify(use));
}

function memoryOf(reader: Reader, variant: Variant): MemoryUse {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), '--memory', reader, variant];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as MemoryUse;
}

function printMemory(reader: Reader, title: string): void {
  console.log(`\n${title}\n`);
  for (const variant of VARIANTS) {
    const { rows, idleMb, peakMb } = memoryOf(reader, variant);
    console.log(
      `  ${NAMES[variant].padEnd(32)} ${peakMb} MB (idle ${idleMb} MB), ${rows.toLocaleString('en-US')} rows`,
    );
  }
}

if (process.argv[2] === '--memory') await measureMemory(process.argv[3] as Reader, process.argv[4] as Variant);
else {
  const tables = new Map<Variant, Table>();
  for (const variant of VARIANTS) tables.set(variant, await lineitemTable(variant));
  const lake = await openLake(VARIANTS);
  for (const { name, title, sql } of SQL_QUERIES) {
    const [first, ...others] = VARIANTS.map((variant) => ({
      name: NAMES[variant],
      run: async () => (await lake.sql(sql(variant))).rows(),
    }));
    await bench({
      name: `merge-on-read-sql-${name}`,
      title,
      work: { count: ROWS, unit: 'rows' },
      contenders: [first!, ...others],
    });
  }
  await lake.close();
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
  printMemory('core', 'Memory above the idle process when all columns are read, through batches()');
  printMemory('sql', "Memory above the idle process when SQL runs Q1, DuckDB's included");
}
