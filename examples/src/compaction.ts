// Keep a table that is written in small pieces fast: small files become few, deletes are applied, rows are sorted.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('web');
const events = await catalog.createTable('web.events', {
  schema: schema({ id: t.long(), day: t.date(), city: t.string() }),
  partitionBy: [partitionBy.identity('day')],
});
const cities = ['Seoul', 'Busan', 'Jeju'];
for (let id = 0; id < 20; id++) {
  await events.append([{ id, day: id < 12 ? '2026-03-01' : '2026-03-02', city: cities[id % 3]! }]);
}
await events.rowDelta({ equalityDeletes: { fields: ['id', 'day'], rows: [{ id: 3, day: '2026-03-01' }] } });

// What is worth doing, and nothing done yet.
const { groups } = await events.rewriteDataFiles({ dryRun: true });
for (const { partition, inputFiles, deleteFiles } of groups) {
  console.log(`${partition}: ${inputFiles} files, ${deleteFiles} with deletes`);
}

// Writers may go on meanwhile. A commit for each group, so that a crash loses one at most.
const report = await events.rewriteDataFiles({
  partialProgress: { enabled: true },
  maxConcurrentFileGroupRewrites: 1,
  onProgress: ({ filesDone, filesTotal }) => console.log(`${filesDone} of ${filesTotal} files`),
});
console.log(`${report.rewrittenDataFilesCount} files became ${report.addedDataFilesCount}`);

// Sorted by DuckDB, which puts on disk what doesn't fit into its memory; only one day.
const lake = await Lakehouse.open({ catalog, memoryLimit: '1GB' });
const table = await lake.table('web.events');
await table.rewriteDataFiles({
  strategy: 'sort',
  sortBy: ['city', { field: 'id', direction: 'desc' }],
  where: "day = '2026-03-02'",
  rewriteAll: true,
});
const rows = await table.scan({ filter: "day = '2026-03-02'", select: ['city', 'id'] }).toRows();
console.log(rows.map((row) => `${String(row['city'])} ${String(row['id'])}`).join(', '));
await lake.close();
