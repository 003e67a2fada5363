// A thousand commits of one row each, one after the other, durable on the local disk. Does the thousandth take longer?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t, type Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { bench } from './harness.ts';

const COMMITS = 1000;
const MEASURED = 100;

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: join(folder, 'warehouse') });
await catalog.createNamespace('bench');

let tables = 0;

async function tableWith(commits: number): Promise<Table> {
  const table = await catalog.createTable(`bench.t${tables++}`, {
    schema: schema({ id: t.long().required(), name: t.string(), value: t.double() }),
  });
  await append(table, commits);
  return table as unknown as Table;
}

async function append(table: Pick<Table, 'append'>, commits: number): Promise<void> {
  for (let i = 0; i < commits; i++) await table.append([{ id: BigInt(i), name: `row ${i}`, value: i / 2 }]);
}

const empty = await tableWith(0);
const full = await tableWith(COMMITS - MEASURED);

await bench({
  name: 'commits',
  title: `${MEASURED} commits of one row, each after the other`,
  work: { count: MEASURED, unit: 'commits' },
  warmup: 0,
  rounds: 1,
  contenders: [
    { name: 'the first hundred', run: () => append(empty, MEASURED) },
    { name: 'the tenth hundred', run: () => append(full, MEASURED) },
  ],
});

await rm(folder, { recursive: true });
