// One writer of `four-processes.test.ts`, in a process of its own: appends `commits` batches of rows, one by one.
import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const [warehouse, name, writer, commits] = process.argv.slice(2);
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
const table = await catalog.loadTable(name);
for (let commit = 0; commit < Number(commits); commit++) {
  await table.append([
    { writer: Number(writer), commit, n: 0 },
    { writer: Number(writer), commit, n: 1 },
  ]);
}
