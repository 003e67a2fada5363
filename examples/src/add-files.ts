// Make a table of Parquet files that are there already, without copying them, and go on writing to it.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, LakehouseError, Table, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

const directory = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: join(directory, 'warehouse') });
await catalog.createNamespace('shop');
const lake = await Lakehouse.open({ catalog });

// What a job without Iceberg leaves: files in Hive's layout, whose countries only the directories tell.
const old = join(directory, 'old-orders');
await lake.connection.run(
  `COPY (SELECT i AS id, i * 1.25::DECIMAL(10, 2) AS amount, ['KR', 'US', 'DE'][i % 3 + 1] AS country FROM range(9) AS r(i))
   TO '${old}' (FORMAT parquet, PARTITION_BY (country))`,
);
const orders = await Table.migrate({ catalog, name: 'shop.orders', source: old });
console.log(orders.schema.fields.map(({ name, type }) => `${name}: ${type.kind}`).join(', '));
await orders.append([{ id: 100n, amount: '7.00', country: 'FR' }]);
const { tasks } = await orders.scan({ filter: "country = 'KR'" }).plan();
console.log(tasks.map(({ file }) => file.path.slice(directory.length)));

// Files for a table that exists. Their partition follows from the bounds in their footers.
const visits = await catalog.createTable('shop.visits', {
  schema: schema({ ts: t.timestamptz(), page: t.string() }),
  partitionBy: [partitionBy.day('ts')],
});
for (const day of [1, 2]) {
  await lake.connection.run(
    `COPY (SELECT TIMESTAMPTZ '2024-01-0${day} 10:00:00Z' AS ts, '/home' AS page) TO '${directory}/visits-${day}.parquet'`,
  );
}
await visits.addFiles({ directory, pattern: 'visits-*.parquet' });
console.log(await visits.scan({ filter: "ts >= '2024-01-02'" }).toRows());

// Files that don't fit are refused by name, and so are those that are there already.
try {
  await visits.addFiles([`${directory}/visits-1.parquet`]);
} catch (error) {
  if (error instanceof LakehouseError) console.log(`${error.code}: ${error.message.replace(directory, '')}`);
}
await lake.close();
