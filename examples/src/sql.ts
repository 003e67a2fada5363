// SQL over Iceberg tables and over whatever DuckDB can read beside them.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { tableFromArrays } from 'apache-arrow';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('shop');
const sales = await catalog.createTable('shop.sales', {
  schema: schema({ day: t.date(), city: t.string(), amount: t.decimal(10, 2) }),
  partitionBy: [partitionBy.identity('city')],
});
const before = await sales.append([
  { day: '2026-03-01', city: 'Seoul', amount: '12.50' },
  { day: '2026-03-01', city: 'Busan', amount: '7.25' },
]);
await sales.append([{ day: '2026-03-02', city: 'Seoul', amount: '30.00' }]);

const lake = await Lakehouse.open({ catalog });
lake.register('regions', tableFromArrays({ city: ['Seoul', 'Busan'], region: ['north', 'south'] }));

const result = await lake.sql(
  `SELECT region, sum(amount) AS total
   FROM shop.sales JOIN regions USING (city)
   WHERE city = $city
   GROUP BY region`,
  { city: 'Seoul' },
);
console.log(await result.rows());
for (const scan of result.scans) {
  console.log(`${scan.table}: ${scan.filesScanned} of ${scan.filesTotal} files, by ${scan.predicate}`);
}

const old = await lake.sql(`SELECT count(*) AS n FROM shop.sales AT (VERSION => ${before.snapshotId})`);
console.log(await old.rows());
await lake.close();
