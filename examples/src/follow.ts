// Keeps a copy of a table up to date as commits come, and goes on where it stopped: the position is saved with the copy.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, Table, schema, t, type FollowPosition } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const io = new LocalFileIO();
const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io, warehouse });
await catalog.createNamespace('shop');
const stock = await catalog.createTable('shop.stock', {
  schema: schema({ item: t.string().required(), count: t.int() }, { identifier: ['item'] }),
});

// What a service would keep in its database, and change in one transaction.
const saved = { copy: new Map<string, number>(), position: 'null' };

/** Follows the table until the copy says so, as if the process were stopped then. */
async function follow(until: (copy: ReadonlyMap<string, number>) => boolean): Promise<void> {
  const table = await Table.load(stock.location, { io });
  const stop = new AbortController();
  const after = JSON.parse(saved.position) as FollowPosition | null;
  for await (const step of table.follow({ after, intervalMs: 20, signal: stop.signal })) {
    for await (const { _change_type: type, item, count } of step.changes.rows()) {
      if (type === 'delete') saved.copy.delete(item as string);
      else saved.copy.set(item as string, count as number);
    }
    saved.position = JSON.stringify(step.position);
    console.log(`${step.kind}: ${[...saved.copy].map(([item, count]) => `${count} ${item}`).join(', ')}`);
    if (until(saved.copy)) stop.abort();
  }
}

const firstRun = follow((copy) => copy.get('tea') === 4);
await stock.append([{ item: 'tea', count: 5 }]);
const { snapshotId } = await stock.upsert([{ item: 'milk', count: 1 }], { on: ['item'] });
await stock.update("item = 'tea'", { count: 4 });
await firstRun;

await stock.rollbackTo(snapshotId!);
await stock.append([{ item: 'cocoa', count: 9 }]);
await follow((copy) => copy.has('cocoa'));
