// Reading what changed: over 1,000 small appends, over 200 streaming upserts, and by one update of a table of 2,000,000
// rows, as rewritten files and as deletes. `node bench/dist/changes.js`.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { FileSystemCatalog, schema, t, type Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { bench } from './harness.ts';

const APPENDS = 1000;
const UPSERTS = 200;
const ROWS_PER_COMMIT = 100;
const LARGE_ROWS = 2_000_000;
/** A change of the tables below needs a new number: they are kept from run to run. */
const LAYOUT = 1;

const warehouse = fileURLToPath(new URL(`../.cache/changes-${LAYOUT}/`, import.meta.url));
const SHAPE = schema({ id: t.long().required(), city: t.string(), amount: t.double() }, { identifier: ['id'] });

function* rows(from: number, length: number): Generator<Record<string, unknown>> {
  for (let id = from; id < from + length; id++) yield { id, city: `city ${id % 97}`, amount: id / 7 };
}

const MAKERS: Readonly<Record<string, (table: Table) => Promise<unknown>>> = {
  async appends(table) {
    for (let i = 0; i < APPENDS; i++) await table.append(rows(i * ROWS_PER_COMMIT, ROWS_PER_COMMIT));
  },
  async upserts(table) {
    for (let i = 0; i < UPSERTS; i++) {
      const keys = Array.from(rows((i * ROWS_PER_COMMIT) / 2, ROWS_PER_COMMIT), ({ id }) => ({ id }));
      const delta = rows((i * ROWS_PER_COMMIT) / 2, ROWS_PER_COMMIT);
      await table.rowDelta({ rows: delta, equalityDeletes: { fields: ['id'], rows: keys } });
    }
  },
  async rewritten(table) {
    await table.append(rows(0, LARGE_ROWS));
    await table.update('id = 1000000', { city: 'here' }, { mode: 'copy-on-write' });
  },
  async deleted(table) {
    await table.append(rows(0, LARGE_ROWS));
    await table.update('id = 1000000', { city: 'here' }, { mode: 'merge-on-read' });
  },
};

async function tableOf(name: string): Promise<Table> {
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  const done = `${warehouse}${name}.done`;
  if (existsSync(done)) return catalog.loadTable(`db.${name}`);
  if (!(await catalog.namespaceExists('db'))) await catalog.createNamespace('db');
  if (await catalog.tableExists(`db.${name}`)) await catalog.dropTable(`db.${name}`, { purge: true });
  const table = (await catalog.createTable(`db.${name}`, { schema: SHAPE, formatVersion: 3 })) as unknown as Table;
  await MAKERS[name]!(table);
  await new LocalFileIO().write(done, new Uint8Array());
  return table;
}

async function count(batches: AsyncIterable<{ readonly numRows: number }>): Promise<number> {
  let changed = 0;
  for await (const { numRows } of batches) changed += numRows;
  return changed;
}

async function follow(table: Table): Promise<void> {
  const head = String(table.currentSnapshot()!.snapshotId);
  for await (const step of table.follow({ after: null })) {
    await count(step.changes);
    if (step.position.snapshotId === head) return;
  }
}

/** The changes of the newest snapshot. */
function newest(table: Table): Promise<number> {
  return count(table.changes({ from: table.currentSnapshot()!.parentSnapshotId }));
}

const appends = await tableOf('appends');
await bench({
  name: 'changes-appends',
  title: `Changes over ${APPENDS} appends of ${ROWS_PER_COMMIT} rows`,
  work: { count: APPENDS, unit: 'snapshots' },
  contenders: [
    { name: 'one scan of all rows', run: () => count(appends.scan().batches()) },
    { name: 'incremental scan of appends', run: () => count(appends.incrementalAppendScan().batches()) },
    { name: 'changes', run: () => count(appends.changes()) },
    { name: 'net changes', run: () => count(appends.changes({ net: true })) },
    { name: 'followed', run: () => follow(appends) },
  ],
});

const upserts = await tableOf('upserts');
await bench({
  name: 'changes-upserts',
  title: `Changes over ${UPSERTS} streaming upserts of ${ROWS_PER_COMMIT} rows, half of them new`,
  work: { count: UPSERTS, unit: 'snapshots' },
  contenders: [
    { name: 'one scan of all rows', run: () => count(upserts.scan().batches()) },
    { name: 'changes', run: () => count(upserts.changes()) },
    { name: 'net changes', run: () => count(upserts.changes({ net: true })) },
  ],
});

const [rewritten, deleted] = [await tableOf('rewritten'), await tableOf('deleted')];
await bench({
  name: 'changes-update',
  title: `Changes by an update of one row of ${LARGE_ROWS.toLocaleString('en-US')}`,
  work: { count: LARGE_ROWS, unit: 'rows' },
  contenders: [
    { name: 'one scan of all rows', run: () => count(rewritten.scan().batches()) },
    { name: 'changes, copy-on-write', run: () => newest(rewritten) },
    { name: 'changes, merge-on-read', run: () => newest(deleted) },
  ],
});
