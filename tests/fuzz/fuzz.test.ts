import { isLakehouseError } from '@lh/core';
import { SeededRuntime } from '@lh/core/testing';
import { afterAll, expect, test } from 'vitest';

import { Guard } from '../support/guard.ts';
import { pick } from './mutate-bytes.ts';
import { FILE_FORMATS } from './mutate-file.ts';
import { changedFiles, fuzzTargets, readRows } from './targets.ts';
import type { Kind, Target } from './targets.ts';

// Damaged files end in the library's own error or in right rows: never in another error, in an endless loop, in memory
// without bounds. Which files, and how, comes from a seed; a failure prints what repeats it.

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 20);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** Only this input. */
const ONLY = process.env['FUZZ_INPUT'];

const INPUT_LIMIT_MS = 10_000;
const INPUT_LIMIT_BYTES = 1024 * 2 ** 20;
const KINDS: readonly Kind[] = [
  'metadata',
  'manifest list',
  'manifest',
  'Avro file',
  'Puffin file',
  'Parquet file',
  'ORC file',
];

const guard = new Guard();
afterAll(() => guard.close());

test(
  `damaged files, seed ${SEED}`,
  async ({ task }) => {
    const { byKind, unreadable } = await fuzzTargets();
    const counts = new Map<string, number>();
    const count = (name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
    const until = Date.now() + SECONDS * 1000;
    let peakBytes = 0;
    for (let input = Number(ONLY ?? 0); Date.now() < until; input++) {
      const random = new SeededRuntime(SEED * 1_000_003 + input);
      const kind = KINDS[input % KINDS.length]!;
      const targets = byKind.get(kind);
      if (targets) {
        const result = await runInput(pick(targets, random), random, `FUZZ_SEED=${SEED} FUZZ_INPUT=${input}`);
        count('inputs');
        count(`${kind}: ${result.outcome}`);
        peakBytes = Math.max(peakBytes, result.peakBytes);
      }
      if (ONLY !== undefined) break;
    }
    const lines = [...counts].toSorted(([a], [b]) => (a === 'inputs' ? -1 : b === 'inputs' ? 1 : a < b ? -1 : 1));
    const left = unreadable.map((table) => [`table left out, it can't be read: ${table}`, 1] as const);
    task.meta.outcomes = Object.fromEntries([...lines, ...left]);
    task.meta.peakBytes = peakBytes;
    expect(counts.get('inputs')).toBeGreaterThan(0);
  },
  SECONDS * 1000 + 120_000,
);

async function runInput(
  target: Target,
  random: SeededRuntime,
  replay: string,
): Promise<{ readonly outcome: string; readonly peakBytes: number }> {
  const good = target.files.get(target.path)!;
  const { mutate, content } = FILE_FORMATS[target.kind];
  const { bytes, what } = mutate(good, random);
  const label = `${replay}: ${target.table}, ${target.path} with ${what}`;
  const io = await changedFiles(target, bytes);
  const { result, peakBytes } = await guard.run(label, INPUT_LIMIT_MS, () =>
    readRows(target.metadata, io).catch((error: unknown) => ({ error })),
  );
  if (peakBytes > INPUT_LIMIT_BYTES) throw new Error(`${label} takes ${peakBytes} bytes of memory`);
  if ('error' in result) {
    const { error } = result;
    if (!isLakehouseError(error)) throw new Error(`${label} ends in ${String(error)}`, { cause: error });
    return { outcome: error.code, peakBytes };
  }
  if (result.join('\n') === target.rows.join('\n')) return { outcome: 'right rows', peakBytes };
  expect(saysSomethingElse(content, good, bytes), `${label} gives wrong rows`).toBe(true);
  return { outcome: 'rows of other content', peakBytes };
}

/** Whether a damaged file is a whole one that happens to say something else: then so do its rows. */
function saysSomethingElse(content: (bytes: Uint8Array) => string, good: Uint8Array, bad: Uint8Array): boolean {
  const before = content(good);
  try {
    return content(bad) !== before;
  } catch {
    return false;
  }
}
