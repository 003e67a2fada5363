// Every scan and commit as a line of JSON, as log collectors take it, in the form of Iceberg's REST specification.
import { MemoryCatalog, MemoryFileIO, partitionBy, reportToJson, schema, t } from '@lh/core';
import { Lakehouse } from '@lh/sql';

const catalog = new MemoryCatalog({
  io: new MemoryFileIO(),
  reporter: (report) => process.stdout.write(`${reportToJson(report)}\n`),
});
await catalog.createNamespace('shop');
const sales = await catalog.createTable('shop.sales', {
  schema: schema({ day: t.date(), city: t.string(), amount: t.decimal(10, 2) }),
  partitionBy: [partitionBy.identity('city')],
});
await sales.append([
  { day: '2026-03-01', city: 'Seoul', amount: '12.50' },
  { day: '2026-03-01', city: 'Busan', amount: '7.25' },
]);

// What `reportMetadata` holds finds its way into the report: the request that it is for, say.
await sales.scan({ filter: "city = 'Seoul'", select: ['amount'], reportMetadata: { 'request-id': '42' } }).toRows();

const lake = await Lakehouse.open({ catalog });
await lake.sql("SELECT sum(amount) FROM shop.sales WHERE city > 'C'");
await lake.close();
