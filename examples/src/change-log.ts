// What changed between two snapshots: every change in order, or what it all comes to for each key.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('shop');
const prices = await catalog.createTable('shop.prices', {
  schema: schema({ item: t.string().required(), price: t.int() }, { identifier: ['item'] }),
});

const { snapshotId: from } = await prices.append([
  { item: 'tea', price: 3 },
  { item: 'milk', price: 2 },
]);
await prices.upsert(
  [
    { item: 'tea', price: 4 },
    { item: 'cocoa', price: 5 },
  ],
  { on: ['item'] },
);
await prices.update("item = 'tea'", { price: 6 }, { mode: 'merge-on-read' });
await prices.delete("item = 'milk'");

console.log('every change');
for await (const { _change_ordinal: n, _change_type: type, item, price } of prices.changes({ from }).rows()) {
  console.log(`  ${n} ${type} ${item} ${price}`);
}
console.log('net');
for await (const { _change_type: type, item, price } of prices.changes({ from, net: true }).rows()) {
  console.log(`  ${type} ${item} ${price}`);
}
