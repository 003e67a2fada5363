// Change how a table is partitioned: old files keep their layout, new ones get the new one, a scan prunes both.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('web');
const clicks = await catalog.createTable('web.clicks', {
  schema: schema({ id: t.long(), ts: t.timestamptz() }),
  partitionBy: [partitionBy.month('ts')],
});

const day = (month: number, date: number) => ({
  id: month * 100 + date,
  ts: new Date(Date.UTC(2026, month - 1, date)),
});
await clicks.append([1, 2, 3].flatMap((month) => [day(month, 1), day(month, 15)]));

await clicks.updateSpec((p) => p.remove('ts_month').add(partitionBy.day('ts')).add(partitionBy.bucket(2, 'id')));
await clicks.append([4, 5].flatMap((month) => [day(month, 1), day(month, 15)]));

for (const filter of ["ts = '2026-02-15'", "ts = '2026-05-15'"]) {
  const { tasks, metrics } = await clicks.scan({ filter }).plan();
  const names = tasks.map((task) => task.spec.fields.map((field) => field.name).join(', '));
  console.log(`${filter}: ${tasks.length} of ${metrics.filesTotal} files, partitioned by ${names.join(' and ')}`);
}
