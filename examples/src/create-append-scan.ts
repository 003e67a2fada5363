// Create a table, append rows, read some of them back.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, type InferRow, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('web');

const shape = schema({
  id: t.long().required(),
  ts: t.timestamptz(),
  city: t.string(),
  amount: t.decimal(10, 2),
});
type Event = InferRow<typeof shape>;

const events = await catalog.createTable('web.events', { schema: shape, partitionBy: [partitionBy.day('ts')] });

const commit = await events.append([
  { id: 1, ts: '2026-03-01T09:30:00Z', city: 'Seoul', amount: '12.50' },
  { id: 2, ts: new Date('2026-03-01T10:00:00Z'), city: 'Busan', amount: 7.25 },
  { id: 3n, ts: '2026-03-02T08:15:00.000001Z', city: 'Seoul' },
]);
console.log(`added ${commit.summary['added-records']} rows in ${commit.summary['added-data-files']} files`);

const scan = events.scan({ filter: "ts >= '2026-03-02'" });
const { tasks, metrics } = await scan.plan();
console.log(`the filter leaves ${tasks.length} of ${metrics.filesTotal} files`);

const rows: Event[] = await scan.toRows();
for (const row of rows) console.log(row);
