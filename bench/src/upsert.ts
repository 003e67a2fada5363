// Upserting 10,000 rows into a million in four files, half of them new: rewriting files, and by delete files. Each run finds
// the table as the others did. Beside PyIceberg, which rewrites files, and Spark, which does either.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import type { RowLevelMode, Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { Table as ArrowTable, Utf8, makeVector, vectorFromArray } from 'apache-arrow';

import { type Peer, pyIceberg, spark } from './_peers.ts';
import { type Contender, bench } from './harness.ts';

const ROWS = 1_000_000;
const FILES = 4;
const UPSERTS = 10_000;

const shape = schema({ id: t.long(), a: t.long(), b: t.double(), c: t.string(), d: t.string() });

function rowsFrom(first: number, count: number): ArrowTable {
  const ids = Array.from({ length: count }, (_, i) => first + i);
  return new ArrowTable({
    id: makeVector(BigInt64Array.from(ids, BigInt)),
    a: makeVector(BigInt64Array.from(ids, (id) => BigInt(id * 7))),
    b: makeVector(Float64Array.from(ids, (id) => id * 0.5)),
    c: vectorFromArray(
      ids.map((id) => `name-${id}`),
      new Utf8(),
    ),
    d: vectorFromArray(
      ids.map((id) => `desc-${id % 1000}`),
      new Utf8(),
    ),
  });
}

const data = Array.from({ length: FILES }, (_, i) => rowsFrom((i * ROWS) / FILES, ROWS / FILES));

/** Every 197th row, and as many new ones. */
const upserts = Array.from({ length: UPSERTS }, (_, k) => {
  const id = k < UPSERTS / 2 ? k * 197 : ROWS + k;
  return { id: BigInt(id), a: BigInt(k), b: id * 0.5, c: 'x', d: `desc-${id % 1000}` };
});

const warehouse = mkdtempSync(join(tmpdir(), 'lakehouse-bench-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('bench');
let tables = 0;

async function newTable(formatVersion: 2 | 3): Promise<Table> {
  const table = await catalog.createTable(`bench.t${tables++}`, { schema: shape, formatVersion });
  for (const part of data) await table.append(part);
  return table as unknown as Table;
}

function contender(name: string, table: Table, mode: RowLevelMode): Contender {
  const { snapshotId } = table.currentSnapshot()!;
  return {
    name,
    prepare: async () => {
      await table.rollbackTo(snapshotId);
    },
    run: async () => {
      const { summary } = await table.upsert(upserts, { on: 'id', mode });
      const added = mode === 'copy-on-write' ? ROWS + UPSERTS / 2 : UPSERTS;
      if (summary['added-records'] !== String(added)) throw new Error(`${summary['added-records']} rows were written.`);
    },
  };
}

function theirs(peer: Peer | null, name: string, job: string): readonly Contender[] {
  if (peer === null) return [];
  return [{ name, run: () => peer.ask(`${job} ${ROWS} ${UPSERTS} ${FILES}`, UPSERTS), timesItself: true }];
}

const lake = await Lakehouse.open({ catalog });
const peers = { pyIceberg: pyIceberg(), spark: spark() };

await bench({
  name: 'upsert',
  title: `Upsert of ${UPSERTS.toLocaleString('en')} rows into ${ROWS.toLocaleString('en')}`,
  work: { count: UPSERTS, unit: 'rows' },
  contenders: [
    contender('v2, copy-on-write', await newTable(2), 'copy-on-write'),
    contender('v2, copy-on-write, DuckDB writes', (await newTable(2)).withWriter(lake.writer), 'copy-on-write'),
    contender('v2, merge-on-read', await newTable(2), 'merge-on-read'),
    contender('v3, copy-on-write', await newTable(3), 'copy-on-write'),
    contender('v3, merge-on-read', await newTable(3), 'merge-on-read'),
    ...theirs(peers.pyIceberg, 'PyIceberg', 'upsert'),
    ...theirs(peers.spark, 'Spark, v2, copy-on-write', 'upsert-copy-on-write'),
    ...theirs(peers.spark, 'Spark, v2, merge-on-read', 'upsert-merge-on-read'),
  ],
  rounds: 3,
});
await peers.pyIceberg?.stop();
await peers.spark?.stop();
await lake.close();
rmSync(warehouse, { recursive: true, force: true });
