// A table on S3. Where, and with whose keys, the environment says, as to all of AWS's tools: AWS_REGION or AWS_PROFILE for
// AWS; for MinIO AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. BUCKET is ours.
import { FileSystemCatalog, isLakehouseError, schema, t } from '@lh/core';
import { S3FileIO } from '@lh/io-s3';
import { Lakehouse } from '@lh/sql';

// The same by hand: new S3FileIO({ endpoint: 'http://127.0.0.1:9000', region, credentials: { accessKeyId, secretAccessKey } })
const io = new S3FileIO();
const catalog = await FileSystemCatalog.open({ io, warehouse: `s3://${process.env['BUCKET']}/warehouse` });
await catalog.createNamespace('shop');
const sales = await catalog.createTable('shop.sales', {
  schema: schema({ id: t.int().required(), city: t.string(), price: t.decimal(9, 2) }),
});
await sales.append([
  { id: 1, city: 'Seoul', price: '12.50' },
  { id: 2, city: 'Busan', price: '7.25' },
]);

// Writers need no lock and no service: each version of the table is one object, which only one of them can create.
const others = await Promise.all([3, 4, 5].map(() => catalog.loadTable('shop.sales')));
await Promise.all(others.map((table, i) => table.append([{ id: 3 + i, city: 'Jeju', price: '1.00' }])));
await sales.refresh();
console.log(`${sales.snapshots().length} commits`);

const lake = await Lakehouse.open({ catalog });
const result = await lake.sql('SELECT city, sum(price) AS total FROM shop.sales GROUP BY city ORDER BY total DESC');
console.log(await result.rows());
await lake.close();

// What can't be reached says so at once.
const elsewhere = await FileSystemCatalog.open({ io, warehouse: 's3://no-such-bucket-here/warehouse' });
const error = await elsewhere.loadTable('shop.sales').catch((reason: unknown) => reason);
if (isLakehouseError(error)) console.log(`${error.code}: ${error.message}`);
