// One of several processes that append to a table at the same time: node append-worker.mjs <warehouse> <name> <commits>
// It prints a line for every commit that was acknowledged.
import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const [warehouse, writer, commits] = process.argv.slice(2);
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
const table = await catalog.loadTable('web.events');
for (let number = 0; number < Number(commits); number++) {
  const { snapshotId, attempts } = await table.append([
    { writer, number, part: 0 },
    { writer, number, part: 1 },
  ]);
  process.stdout.write(`${JSON.stringify({ snapshotId: String(snapshotId), attempts })}\n`);
}
