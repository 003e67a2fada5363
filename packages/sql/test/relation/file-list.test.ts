import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { escapeGlob, fileList } from '../../src/relation/file-list.ts';

// Against DuckDB itself: a path stands for the one file that has it, whatever characters it is made of.

let folder: string;
const connection = await (await DuckDBInstance.create()).connect();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lh-paths-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(paths: readonly string[]): Promise<readonly unknown[]> {
  const reader = await connection.runAndReadAll(`SELECT content FROM read_text(${fileList(paths)}) ORDER BY ALL`);
  return reader.getRows().map(([content]) => content);
}

test('paths with characters of patterns', async () => {
  const name = fc.string({
    unit: fc.constantFrom('a', '*', '?', '[', ']', '{', ',', '!', '-', '%', '#', "'", '"', ' ', 'é', '^', '~', '='),
    minLength: 1,
    maxLength: 8,
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 24 }), async (names) => {
      const paths = names.map((one) => join(folder, String(run), `x${one}`, 'f.txt'));
      run++;
      for (const path of paths) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, path);
      }
      expect(await read(paths)).toEqual(paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
    { numRuns: 25 },
  );
});

test('a path without them is left alone', () => {
  expect(escapeGlob('/a/b\\c/d]e{f}.parquet')).toBe('/a/b\\c/d]e{f}.parquet');
  expect(escapeGlob('/a[1]*?')).toBe('/a[[]1][*][?]');
});
