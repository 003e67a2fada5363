// What a table is made of: its description, and metadata tables, which are Spark's, in SQL.
import { MemoryCatalog, MemoryFileIO, partitionBy, schema, t } from '@lh/core';
import { Lakehouse } from '@lh/sql';

const catalog = new MemoryCatalog({ io: new MemoryFileIO() });
await catalog.createNamespace('web');
const events = await catalog.createTable('web.events', {
  schema: schema({ id: t.long().required(), day: t.date(), city: t.string().doc('where it was') }),
  partitionBy: [partitionBy.identity('day')],
});
await events.append([{ id: 1n, day: '2026-03-01', city: 'Seoul' }]);
await events.append([
  { id: 2n, day: '2026-03-01', city: 'Busan' },
  { id: 3n, day: '2026-03-02', city: 'Jeju' },
]);

// `String(description)` prints all of it.
const { contents, health, partitionedBy } = await events.describe({ files: true });
console.log(`${contents.rows} rows in ${contents.dataFiles} files, partitioned by ${partitionedBy.join(', ')}`);
console.log(`${contents.files?.smallFiles} files are small; ${health.deleteRatio} deletes per row`);

const lake = await Lakehouse.open({ catalog });
const show = async (sql: string): Promise<void> => console.log((await lake.sql(sql)).table());
await show('DESCRIBE web.events');
await show('SELECT partition, record_count, file_count FROM web.events.partitions ORDER BY partition');
// Filters reach the manifests: only those of that day are read, and no statistics.
await show(
  "SELECT count(*) AS files, sum(record_count) AS rows FROM web.events.files WHERE partition.day = '2026-03-01'",
);
await show(`SELECT operation, summary['total-records'] AS records FROM web.events.snapshots ORDER BY committed_at`);
await lake.close();
