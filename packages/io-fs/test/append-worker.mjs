// One of several processes that append to a table at the same time: node append-worker.mjs <warehouse> <name> <commits>
import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const [warehouse, writer, commits] = process.argv.slice(2);
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
const table = await catalog.loadTable('web.events');
const snapshotIds = [];
let attempts = 0;
for (let number = 0; number < Number(commits); number++) {
  const commit = await table.append([
    { writer, number, part: 0 },
    { writer, number, part: 1 },
  ]);
  attempts += commit.attempts;
  snapshotIds.push(String(commit.snapshotId));
}
process.stdout.write(JSON.stringify({ snapshotIds, attempts }));
