// A writer in a process of its own: does what stdin says, one operation per line, and says on stdout when it is done.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { Table, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const operations = {
  append: (table, { rows }) => table.append(rows),
  upsert: (table, { rows, mode }) => table.upsert(rows, { on: 'id', mode }),
  increment: (table, { rows, mode }) =>
    table.merge(rows, {
      on: 'id',
      mode,
      whenMatched: { update: { n: (row, by) => row.n + by.n } },
      whenNotMatched: 'insert',
    }),
  delete: (table, { filter, mode }) => table.delete(filter, { mode }),
  setProperty: (table, { key, value }) => table.setProperties({ [key]: value }),
  addColumn: (table, { name }) => table.updateSchema((schema) => schema.addColumn(name, t.string())),
  createTag: (table, { name }) => table.createTag(name),
};

// The options of S3 come in the environment: they hold a key. Who writes locally doesn't wait for its SDK.
const { LH_WRITER_S3: s3 } = process.env;
const io = s3 ? new (await import('@lh/io-s3')).S3FileIO(JSON.parse(s3)) : new LocalFileIO();
const [location] = process.argv.slice(2);
// Synchronous: what has been said is in the pipe, whatever happens to this process next.
const say = (text) => writeSync(1, `${text}\n`);
say('ready');
let table = null;
for await (const line of createInterface({ input: process.stdin })) {
  table ??= await Table.load(location, { io });
  const operation = JSON.parse(line);
  await operations[operation.kind](table, operation);
  say('done');
}
