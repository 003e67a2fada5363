// Change the columns of a table without touching its files: every old row reads in the new shape.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, LakehouseError, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('shop');
const orders = await catalog.createTable('shop.orders', {
  schema: schema({ id: t.int().required(), customer: t.string(), amount: t.decimal(10, 2), note: t.string() }),
});
await orders.append([{ id: 1, customer: 'Ann', amount: '12.50', note: 'fragile' }]);

await orders.updateSchema((s) =>
  s
    .updateColumn('id', t.long()) // int -> long; so do float -> double and a decimal's precision
    .renameColumn('customer', 'client')
    .deleteColumn('note')
    .addColumn('address', t.struct({ city: t.string() }))
    .addColumn('address.zip', t.string())
    .moveFirst('client'),
);
await orders.append([
  { id: 9_007_199_254_740_993n, client: 'Bob', amount: '1.00', address: { city: 'Seoul', zip: '04524' } },
]);
for (const row of await orders.scan().toRows()) console.log(row);

// What would make old files unreadable is refused, and the table stays as it was.
try {
  await orders.updateSchema((s) => s.updateColumn('id', t.int()));
} catch (error) {
  if (error instanceof LakehouseError) console.log(`${error.code}: ${error.message}`);
}
