// Several writers append to one table at once: a commit that loses its race is made again on top of the winner's.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, Table, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const io = new LocalFileIO();
const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io, warehouse });
await catalog.createNamespace('web');
const events = await catalog.createTable('web.events', { schema: schema({ writer: t.int(), n: t.int() }) });

// Each writer has its own handle, as it would in a process of its own.
async function write(writer: number): Promise<void> {
  const table = await Table.load(events.location, { io });
  for (let n = 0; n < 5; n++) await table.append([{ writer, n }]);
}
await Promise.all([1, 2, 3, 4].map(write));

await events.refresh();
console.log(`${events.snapshots().length} snapshots, ${await events.scan().count()} rows`);
