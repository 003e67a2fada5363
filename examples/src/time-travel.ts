// Every commit is a snapshot: read the table as it was, by id or by time.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('shop');
const prices = await catalog.createTable('shop.prices', { schema: schema({ item: t.string(), price: t.int() }) });

const first = await prices.append([{ item: 'tea', price: 3 }]);
await setTimeout(20);
const between = new Date();
await setTimeout(20);
await prices.append([{ item: 'coffee', price: 4 }]);

console.log('now', await prices.scan().toRows());
console.log('by snapshot', await prices.scan({ snapshotId: first.snapshotId }).toRows());
console.log('by time', await prices.scan({ asOf: between }).toRows());
console.log(`${prices.history().length} entries in the history`);
