// Arrow goes in and comes out, batch by batch: neither side ever holds the whole table.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { type RecordBatch, tableFromArrays } from 'apache-arrow';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('iot');
const readings = await catalog.createTable('iot.readings', {
  schema: schema({ id: t.long(), value: t.double() }),
});

async function* measurements(): AsyncGenerator<RecordBatch> {
  for (let start = 0; start < 100_000; start += 10_000) {
    const ids = Array.from({ length: 10_000 }, (_, i) => start + i);
    yield* tableFromArrays({
      id: BigInt64Array.from(ids, BigInt),
      value: Float64Array.from(ids, (id) => Math.sin(id)),
    }).batches;
  }
}
await readings.append(measurements());

let rows = 0;
let sum = 0;
for await (const batch of readings.scan({ filter: 'id < 25000', select: ['value'] }).batches()) {
  rows += batch.numRows;
  for (const value of batch.getChild('value') ?? []) sum += value as number;
}
console.log(`${rows} rows, sum ${sum.toFixed(6)}`);

const table = await readings.scan({ filter: 'id BETWEEN 1 AND 3' }).toArrow();
console.log(table.toArray().map((row) => Number(row.id)));
