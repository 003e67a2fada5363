// Queries of a table of six million rows in S3, by the cache and, with the path of DuckDB's extension as argument, by
// httpfs: `node bench/dist/s3-query.js .cache/httpfs-1.5.5/httpfs.duckdb_extension`
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, type Table } from '@lh/core';
import { checkedFooter, matchingRowGroups, readFooterBytes } from '@lh/core/engine';
import { Lakehouse } from '@lh/sql';

import { LINEITEM, ROWS, lineitem } from './_lineitem.ts';
import { LATENCIES, type S3Measurement, type S3Store, measure, report, startStore } from './_s3.ts';

interface Query {
  readonly name: string;
  readonly columns: readonly string[];
  readonly select: string;
  readonly filter?: string;
}

const QUERIES: readonly Query[] = [
  {
    name: 'a day',
    columns: ['l_shipdate', 'l_returnflag', 'l_quantity', 'l_extendedprice', 'l_discount'],
    select: 'l_returnflag, count(*), sum(l_quantity), sum(l_extendedprice * (1 - l_discount))',
    filter: "l_shipdate = DATE '1995-03-15'",
  },
  { name: 'two columns', columns: ['l_extendedprice', 'l_shipmode'], select: 'l_shipmode, sum(l_extendedprice)' },
];

function sqlOf({ select, filter }: Query): string {
  return `SELECT ${select} FROM lineitem ${filter ? `WHERE ${filter}` : ''} GROUP BY 1 ORDER BY 1`;
}

/** Sorted by day, in several files. */
async function writeTable({ io, root }: S3Store): Promise<FileSystemCatalog> {
  const catalog = await FileSystemCatalog.open({ io, warehouse: `${root}/wh` });
  await catalog.createNamespace('bench');
  const properties = { 'write.target-file-size-bytes': String(32 * 2 ** 20) };
  await catalog.createTable('bench.lineitem', { schema: LINEITEM, sortBy: ['l_shipdate'], properties });
  const lake = await Lakehouse.open({ catalog });
  await lake.append('bench.lineitem', lineitem(0, ROWS));
  await lake.close();
  return catalog;
}

/** Bytes of the footers of the files that may hold matching rows, and of the column chunks of their row groups that may. */
async function neededBytes(table: Table, { columns, filter }: Query): Promise<number> {
  let bytes = 0;
  for (const task of (await table.scan(filter === undefined ? {} : { filter }).plan()).tasks) {
    const { path, fileSizeInBytes: size } = task.file;
    const stored = await readFooterBytes(table.io, path, size);
    const footer = checkedFooter(stored, path, size);
    bytes += stored.length;
    for (const group of matchingRowGroups(footer, task, null)) {
      footer.leaves.forEach(({ name }, i) => {
        if (columns.includes(name)) bytes += footer.rowGroups[group]!.columns[i]!.compressedSize;
      });
    }
  }
  return bytes;
}

const store = await startStore();
const catalog = await writeTable(store);
const table = await catalog.loadTable('bench.lineitem');
const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const [extension] = process.argv.slice(2);
const measurements: S3Measurement[] = [];
const needed: Record<string, number> = {};
for (const query of QUERIES) {
  needed[`bytes of the footers and column chunks that '${query.name}' needs`] = await neededBytes(table, query);
  const answers = new Set<string>();
  for (const latencyMs of LATENCIES) {
    for (const httpfs of extension === undefined ? [false] : [false, extension]) {
      const directory = join(folder, String(measurements.length));
      const lake = await Lakehouse.open({ catalog, httpfs, cache: { directory } });
      lake.register('lineitem', table);
      // Reads no file: the plan is known then, and what is started once has started.
      await (await lake.sql('SELECT 1 AS one FROM lineitem WHERE false')).rows();
      const run = async (): Promise<void> => {
        const result = await lake.sql(sqlOf(query));
        answers.add(
          JSON.stringify(await result.rows(), (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
        );
      };
      const way = `${query.name}, ${httpfs === false ? 'cache' : 'httpfs'}`;
      measurements.push(await measure(store, way, latencyMs, run));
      measurements.push(await measure(store, `${way}, again`, latencyMs, run));
      await lake.close();
    }
  }
  if (answers.size !== 1) throw new Error(`The answers differ: ${[...answers].join(' ')}`);
}
const files = (await table.scan().plan()).tasks.length;
report('s3-query', `Lineitem in S3: ${ROWS.toLocaleString('en-US')} rows in ${files} files`, measurements, needed);
await rm(folder, { recursive: true, force: true });
await store.stop();
