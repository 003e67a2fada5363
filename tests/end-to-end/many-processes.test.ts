import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { MANY_RETRIES, appendAtOnce, expectLinearHistory, range, writeAtOnce } from './many-writers.ts';
import type { Operation } from './writer-process.ts';

let warehouse: string;
let catalog: FileSystemCatalog;

beforeEach(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-processes-'));
  catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await catalog.createNamespace('race');
});

afterEach(() => rm(warehouse, { recursive: true, force: true }));

const TIMEOUT_MS = 600_000;

test.each([
  { writers: 4, commits: 25, retries: 'the usual', properties: {} },
  { writers: 8, commits: 50, retries: 'many', properties: MANY_RETRIES },
])(
  '$writers processes make $commits commits each with $retries retries, and nothing is lost',
  { timeout: TIMEOUT_MS },
  ({ writers, commits, properties }) => appendAtOnce(catalog, { writers, commits, properties }),
);

test('processes add, count up and delete rows of one table at once', { timeout: TIMEOUT_MS }, async () => {
  const [writers, turns, counters] = [4, 8, 3];
  const table = await catalog.createTable('race.counters', {
    schema: schema({ id: t.int().required(), n: t.int().required() }, { identifier: ['id'] }),
    properties: MANY_RETRIES,
  });
  // What a writer has added is its own: one row of two is deleted again.
  const ownId = (writer: number, turn: number) => 1000 * (writer + 1) + turn;
  const modes = ['copy-on-write', 'merge-on-read'] as const;
  await writeAtOnce(table, writers, (writer) =>
    range(turns).flatMap((turn): Operation[] => {
      const [mode, other] = (writer + turn) % 2 === 0 ? modes : modes.toReversed();
      const add: Operation = { kind: 'append', rows: [{ id: ownId(writer, turn), n: turn }] };
      const rows = range(counters).map((id) => ({ id, n: id + 1 }));
      const count: Operation = { kind: 'increment', rows, mode: mode! };
      const remove: Operation = { kind: 'delete', filter: `id = ${ownId(writer, turn)}`, mode: other! };
      return turn % 2 === 0 ? [add, count] : [add, count, remove];
    }),
  );

  await table.refresh();
  const rows = await table.scan().toRows();
  expect(rows.toSorted((a, b) => a.id - b.id)).toEqual([
    ...range(counters).map((id) => ({ id, n: (id + 1) * writers * turns })),
    ...range(writers).flatMap((writer) =>
      range(turns / 2)
        .map((i) => 2 * i)
        .map((turn) => ({ id: ownId(writer, turn), n: turn })),
    ),
  ]);
  expectLinearHistory(table, writers * (2 * turns + turns / 2));
});
