// A table that streams write to stays fast: one call looks at its metadata, and does what is worth doing.
import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('web');
const events = await catalog.createTable('web.events', {
  schema: schema({ id: t.long().required(), city: t.string() }),
});
for (let id = 1n; id <= 20n; id++) await events.append([{ id, city: id % 2n === 0n ? 'Seoul' : 'Busan' }]);
await events.delete('id = 7', { mode: 'merge-on-read' });

// Tables of a lakehouse have their files written by DuckDB, however large they are.
const lake = await Lakehouse.open({ catalog, memoryLimit: '1GB' });
const table = await lake.table('web.events');
const policy = { snapshots: { olderThan: new Date(Date.now() + 1000), retainLast: 2 }, orphanFiles: false } as const;
const planned = await table.maintain({ ...policy, dryRun: true });
for (const { task, outcome } of planned.steps) console.log(`${task}: ${outcome}`);

const { steps } = await table.maintain({ ...policy, budget: { timeMs: 60_000, bytes: 1e9 } });
console.log(steps.map(({ outcome }) => outcome).join(', '));
const { tasks } = await table.scan().plan();
console.log(`${tasks.length} file, ${tasks[0]?.deletes.length} deletes, ${table.snapshots().length} snapshots`);

// The same in SQL, with Spark's names: each task is a procedure of its own.
const statistics = await lake.sql("CALL system.compute_table_stats('web.events', columns => array('city'))");
console.log(Object.keys((await statistics.rows())[0] ?? {}));
const { columns } = await table.computeStats({ columns: ['city'], dryRun: true });
console.log(columns);
await lake.close();
await rm(warehouse, { recursive: true });
