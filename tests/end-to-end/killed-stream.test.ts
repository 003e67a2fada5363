import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Table } from '@lh/core';
import { SeededRuntime } from '@lh/core/testing';
import { LocalFileIO } from '@lh/io-fs';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { seed } from '../support/seed.ts';
import { ScriptProcess } from './script-process.ts';

const KILLS = 50;
const STREAMS = 2;
const EVENTS_A_ROUND = 100;
const SEED = seed(1);

const example = fileURLToPath(new URL('../../examples/dist/streaming-writer.js', import.meta.url));
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-stream-'));
});

afterEach(() => rm(root, { recursive: true, force: true, maxRetries: 20 }));

test(`the streaming writer is killed ${KILLS} times, seed ${SEED}`, { timeout: 900_000 }, async () => {
  // Several streams at once, as a round is mostly waiting for one process to start.
  const streams = Array.from({ length: STREAMS }, async (_, i) => {
    const directory = join(root, String(i));
    return writeAndDie(directory, KILLS / STREAMS, new SeededRuntime(SEED + i));
  });
  console.table(await Promise.all(streams));
});

interface Lives {
  readonly kills: number;
  readonly events: number;
  readonly commits: number;
  readonly seconds: number;
}

/** Writers of one stream, one after the other and now and then two at once, each killed at some moment. */
async function writeAndDie(directory: string, atLeast: number, random: SeededRuntime): Promise<Lives> {
  const [logs, warehouse] = [join(directory, 'logs'), join(directory, 'warehouse')];
  await mkdir(logs, { recursive: true });
  const start = (...args: readonly string[]): ScriptProcess =>
    new ScriptProcess(example, ['--logs', logs, '--warehouse', warehouse, ...args]);

  const startedMs = performance.now();
  const log = new GrowingLog(logs, random);
  const sum = { kills: 0, batches: 0, batchMs: 0 };
  while (sum.kills < atLeast) {
    await log.grow();
    const isCrowded = sum.batches > 0 && random.randomInteger(5) === 0;
    const writers = Array.from({ length: isCrowded ? 2 : 1 }, () => start('--follow', '--batch', '25'));
    for (const writer of writers) {
      await writer.printed(1, random.randomInteger(8) === 0 ? 500 * random.random() : Infinity);
      if (writer.lines === 0) continue;
      const begunMs = performance.now();
      // Its first line says where it begins, others are batches; there may be none left.
      await writer.printed(1 + random.randomInteger(3), 3000);
      await sleep(random.random() * 2 * (sum.batchMs / Math.max(1, sum.batches)));
      sum.batchMs += performance.now() - begunMs;
    }
    for (const writer of writers) {
      await writer.kill();
      sum.batches += Math.max(0, writer.lines - 1);
      sum.kills++;
    }
  }
  await log.complete();
  const interrupted = start('--follow', '--batch', '100');
  await interrupted.printed(1);
  await interrupted.printed(2, 3000);
  interrupted.interrupt();
  await interrupted.finished();
  await start('--batch', '500').finished();

  const table = await Table.load(join(warehouse, 'web', 'logs'), { io: new LocalFileIO() });
  const rows = (await table.scan().toRows()).map(withoutNothing);
  expect(rows.toSorted(byKey)).toEqual(log.rows.toSorted(byKey));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return { kills: sum.kills, events: rows.length, commits: table.snapshots().length, seconds };
}

type Fields = Readonly<Record<string, unknown>>;

function byKey(a: Fields, b: Fields): number {
  return JSON.stringify([a['id'], a['malformed']]) < JSON.stringify([b['id'], b['malformed']]) ? -1 : 1;
}

/** A row as the log has it: what is null isn't there. */
function withoutNothing(row: Fields): Fields {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [
        name,
        value instanceof Object && !Array.isArray(value) ? withoutNothing(value as Fields) : value,
      ]),
  );
}

/** Log files that get longer, and what must be in the table when all of them has been read. */
class GrowingLog {
  readonly rows: Fields[] = [];
  readonly #directory: string;
  readonly #random: SeededRuntime;
  /** By file, the end of a line whose start is in the file. */
  readonly #unwritten = new Map<string, Buffer>();

  constructor(directory: string, random: SeededRuntime) {
    this.#directory = directory;
    this.#random = random;
  }

  async grow(): Promise<void> {
    const file = join(this.#directory, `${this.#random.randomInteger(3)}.jsonl`);
    const lines = Array.from({ length: EVENTS_A_ROUND }, () => this.#line(this.rows.length));
    const bytes = Buffer.concat([this.#unwritten.get(file) ?? Buffer.alloc(0), Buffer.from(lines.join(''))]);
    const end = bytes.length - this.#random.randomInteger(80);
    await appendFile(file, bytes.subarray(0, end));
    this.#unwritten.set(file, bytes.subarray(end));
  }

  async complete(): Promise<void> {
    for (const [file, bytes] of this.#unwritten) await appendFile(file, bytes);
  }

  /** The longer the log, the more fields its events have. */
  #line(n: number): string {
    if (n % 97 === 0) {
      this.rows.push({ malformed: `no event: ${n}` });
      return `no event: ${n}\n`;
    }
    const [isSecond, isThird] = [n > 400, n > 800];
    const day = `2026-03-0${1 + (n % 3)}`;
    const common = { id: String(n), method: 'GET', path: `/häuser/${n % 7}`, status: 200 };
    const client = { ip: `10.0.0.${n % 256}`, ...(isSecond && { country: 'DE' }) };
    const more = isThird ? { timing: { total: n / 4 }, tags: [`t${n % 5}`] } : {};
    this.rows.push({ ...common, ts: `${day}T12:00:00.000000Z`, bytes: BigInt(n), client, ...more });
    const event = { referrer: null, tags: [], ...common, ts: `${day}T12:00:00Z`, bytes: n, client, ...more };
    return `${JSON.stringify(event)}\n`;
  }
}
