// A million rows are appended to a table in S3: those of a query, which DuckDB makes and writes, and Arrow batches, which
// core writes, or DuckDB. `node bench/dist/s3-append.js`
import { FileSystemCatalog } from '@lh/core';
import { Lakehouse } from '@lh/sql';

import { LINEITEM, lineitem } from './_lineitem.ts';
import { LATENCIES, type S3Measurement, measure, report, startStore } from './_s3.ts';

const ROWS = 1_000_000;

const store = await startStore();
const catalog = await FileSystemCatalog.open({ io: store.io, warehouse: `${store.root}/wh` });
await catalog.createNamespace('bench');
const lake = await Lakehouse.open({ catalog });
const arrow = await (await lake.sql(lineitem(0, ROWS))).arrow();

const measurements: S3Measurement[] = [];
let tables = 0;
for (const latencyMs of LATENCIES) {
  for (const [name, append] of [
    ['a query, by DuckDB', (table: string) => lake.append(table, lineitem(0, ROWS))],
    ['Arrow, by DuckDB', (table: string) => lake.append(table, arrow)],
    ['Arrow, by core', async (table: string) => (await catalog.loadTable(table)).append(arrow)],
  ] as const) {
    const table = `bench.t${tables++}`;
    await catalog.createTable(table, { schema: LINEITEM });
    measurements.push(await measure(store, name, latencyMs, () => append(table)));
  }
}
report('s3-append', `Append of ${ROWS.toLocaleString('en-US')} rows of lineitem to a table in S3`, measurements);
await lake.close();
await store.stop();
