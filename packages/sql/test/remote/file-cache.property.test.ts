import { DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import type { ParquetFooter } from '@lh/core/engine';
import { bytesOf } from '../../src/remote/coverage.ts';
import type { Coverage } from '../../src/remote/coverage.ts';
import { COLUMNS, GROUPS, newCache, newFolder, newUse, remoteTable, tableFile } from './support.ts';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const FILES = 2;

const step = fc.record({
  file: fc.nat(FILES - 1),
  cache: fc.nat(1),
  rowGroups: fc.uniqueArray(fc.nat(GROUPS - 1), { minLength: 1 }).map((some) => some.toSorted()),
  leaves: fc.uniqueArray(fc.nat(COLUMNS.length - 1)).map((some) => some.toSorted()),
  /** Whether another step begins before this one is done. */
  isConcurrent: fc.boolean(),
});

/** The sums of some columns' hashes over the rows of some row groups; the number of rows. */
async function summary(
  path: string,
  footer: ParquetFooter,
  held: Pick<Coverage, 'rowGroups'>,
  wanted: Coverage,
): Promise<string> {
  const sums = wanted.leaves.map((leaf) => `sum(hash(${COLUMNS[leaf]!}))::VARCHAR`);
  let start = 0;
  const ranges = held.rowGroups.flatMap((group) => {
    const { rowCount } = footer.rowGroups[group]!;
    start += rowCount;
    return wanted.rowGroups.includes(group) ? [`file_row_number BETWEEN ${start - rowCount} AND ${start - 1}`] : [];
  });
  const sql = `SELECT count(*)::VARCHAR, ${[...sums, "''"].join(', ')} FROM read_parquet('${path}') WHERE ${ranges.join(' OR ')}`;
  return JSON.stringify((await connection.runAndReadAll(sql)).getRows());
}

test('whatever was asked for before, by this process or another, the bytes are those of the file', async () => {
  const table = await remoteTable(FILES);
  const everything: Coverage = { rowGroups: [0, 1, 2, 3], leaves: [0, 1, 2, 3] };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const folder = await newFolder();
      const caches = [newCache({ directory: folder }), newCache({ directory: folder })];
      const run = async ({ file: index, cache: which, rowGroups, leaves }: (typeof steps)[number]): Promise<void> => {
        const file = tableFile(table, table.files[index]!);
        const use = newUse();
        const known = await caches[which]!.footer(file, use);
        const opened = await caches[which]!.open(file, known, { rowGroups, leaves }, use);
        const wanted = { rowGroups, leaves };
        expect(opened.rowGroups).toEqual(expect.arrayContaining(rowGroups));
        const found = await summary(opened.path, known.footer, opened, wanted);
        expect(found).toBe(await summary(file.location, known.footer, everything, wanted));
        // A tenth more for gaps, or for the whole file.
        const most = Math.max(1.1 * bytesOf(known.footer, wanted) + 2 * file.footerGuess, 1);
        expect(use.fetched.bytes).toBeLessThanOrEqual(most);
        use.release();
      };
      const pending: Promise<void>[] = [];
      for (const one of steps) {
        pending.push(run(one));
        if (!one.isConcurrent) await Promise.all(pending.splice(0));
      }
      await Promise.all(pending);
      await Promise.all(caches.map((cache) => cache.close()));
    }),
    { numRuns: runs(20) },
  );
}, 300_000);
