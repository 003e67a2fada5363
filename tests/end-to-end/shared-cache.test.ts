import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { SeededRuntime } from '@lh/core/testing';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { expect, onTestFinished, test } from 'vitest';

import { runs } from '../support/runs.ts';
import { seed } from '../support/seed.ts';
import { ScriptProcess } from './script-process.ts';

const READERS = 3;
const KILLS = runs(5);
const FILES = 6;
const ROWS = 3000;
const SEED = seed(1);
const MAX_BYTES = 900_000;

const script = fileURLToPath(new URL('cache-reader-process.mjs', import.meta.url));

test(`processes share a cache that is too small, and are killed at any moment, seed ${SEED}`, async () => {
  const root = await mkdtemp(join(tmpdir(), 'lakehouse-cache-test-'));
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 20 }));
  const [warehouse, directory] = [join(root, 'warehouse'), join(root, 'cache')];
  const questions = await askLocally(warehouse);
  const cache = { directory, maxBytes: MAX_BYTES };
  const start = (): ScriptProcess =>
    new ScriptProcess(script, [], { LH_READER: JSON.stringify({ warehouse, cache, questions }) });

  const random = new SeededRuntime(SEED);
  const readers = Array.from({ length: READERS }, start);
  for (let kills = 0; kills < KILLS; kills++) {
    const victim = random.randomInteger(READERS);
    const reader = readers[victim]!;
    await reader.printed(reader.lines + 1 + random.randomInteger(10));
    await sleep(random.random() * 20);
    await reader.kill();
    readers[victim] = start();
  }
  for (const reader of readers) {
    await reader.printed(reader.lines + 20);
    await reader.kill();
  }
  await expectCleared(directory, async () => {
    const last = start();
    await last.printed(1);
    await last.kill();
  });
}, 240_000);

/** Makes the table; questions that need several columns and row groups of it, with their answers. */
async function askLocally(warehouse: string): Promise<readonly { readonly sql: string; readonly answer: string }[]> {
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await catalog.createNamespace('ns');
  const table = await catalog.createTable('ns.t', {
    schema: schema({ id: t.int(), a: t.double(), b: t.string(), c: t.string() }),
    properties: { 'write.parquet.row-group-size-bytes': '50000' },
  });
  for (let file = 0; file < FILES; file++) {
    const noise = (i: number): number => Math.imul(file * ROWS + i + 1, 0x9e37_79b1) >>> 0;
    await table.append(
      Array.from({ length: ROWS }, (_, i) => ({
        id: file * ROWS + i,
        a: noise(i) / 3,
        b: noise(i).toString(36).repeat(3),
        c: noise(i + 7).toString(2),
      })),
    );
  }
  await using lake = await Lakehouse.open({ catalog });
  const questions: { sql: string; answer: string }[] = [];
  for (let file = 0; file < FILES; file++) {
    const [from, to] = [file * ROWS + 500, file * ROWS + 1500];
    for (const columns of ['max(a)', 'min(b), max(c)', 'max(a), max(b), max(c)']) {
      const sql = `SELECT ${columns}, count(*)::INT AS n FROM ns.t WHERE id BETWEEN ${from} AND ${to}`;
      questions.push({ sql, answer: JSON.stringify(await (await lake.sql(sql)).rows()) });
    }
  }
  return questions;
}

/** What killed processes have left is removed when they have been silent for long enough, and the limit holds. */
async function expectCleared(directory: string, start: () => Promise<void>): Promise<void> {
  const sessions = join(directory, 'sessions');
  const left = await readdir(sessions);
  expect(left.length).toBeGreaterThanOrEqual(READERS);
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of left) await utimes(join(sessions, name, 'alive'), longAgo, longAgo);
  await start();
  expect((await readdir(sessions)).filter((name) => left.includes(name))).toEqual([]);
  const entries = await readdir(join(directory, 'entries'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  // Each process may have begun a file when it counted what the others have.
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MAX_BYTES * 1.5);
}
