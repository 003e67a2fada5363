import { schema, t } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { SqlProgress } from '../../src/index.ts';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse({ memoryLimit: '1GB' });

beforeAll(async () => {
  const table = await catalog.createTable('ns.t', { schema: schema({ id: t.long().required() }) });
  await table.append([{ id: 1n }, { id: 2n }]);
});

test('a slow reader of a huge result holds no more than a batch of it', async () => {
  const before = process.memoryUsage().rss;
  const result = await lake.sql("SELECT i, repeat('x', 1000) AS s FROM range(100_000_000) r(i), ns.t");
  let [rows, batches, most] = [0, 0, 0];
  for await (const batch of result.batches()) {
    rows += batch.numRows;
    batches++;
    // DuckDB goes on only when more is asked for.
    await new Promise((resolve) => setTimeout(resolve, 5));
    most = Math.max(most, process.memoryUsage().rss - before);
    if (batches === 8) break;
  }
  // The whole is 200 GB.
  expect(rows).toBeLessThan(2_000_000);
  expect(most).toBeLessThan(1.5 * 2 ** 30);
  expect(await (await lake.sql('SELECT count(*) AS n FROM ns.t')).rows()).toEqual([{ n: 2n }]);
});

describe('abort', () => {
  test('before anything runs', async () => {
    expect((await rejection(lake.sql('SELECT 1', undefined, { signal: AbortSignal.abort() }))).code).toBe('ABORTED');
  });

  test('while DuckDB runs, beside and on the main connection', async () => {
    for (const sql of [
      'SELECT sum(a.range % 7) FROM range(100000000000) a, ns.t',
      'CREATE OR REPLACE TEMP TABLE x AS SELECT sum(a.range % 7) FROM range(100000000000) a',
    ]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 30);
      expect((await rejection(lake.sql(sql, undefined, { signal: controller.signal }))).code).toBe('ABORTED');
    }
  });

  test('between batches, and the session goes on', async () => {
    const controller = new AbortController();
    const result = await lake.sql('SELECT a.range FROM range(1000000000) a, ns.t', undefined, {
      signal: controller.signal,
    });
    const read = async (): Promise<void> => {
      for await (const _ of result.batches()) controller.abort();
    };
    expect((await rejection(read())).code).toBe('ABORTED');
    expect(await (await lake.sql('SELECT 1 AS one')).rows()).toEqual([{ one: 1 }]);
  });
});

test('progress is told from planning to the last row', async () => {
  const seen: SqlProgress[] = [];
  const onProgress = (progress: SqlProgress): void => void seen.push(progress);
  const result = await lake.sql(
    'CREATE OR REPLACE TEMP TABLE big AS SELECT i, i % 100 AS k FROM range(3000000) r(i)',
    undefined,
    { onProgress },
  );
  await result.rows();
  const query = await lake.sql('SELECT k, i, sum(sin(i)) OVER (PARTITION BY k ORDER BY i) FROM big', undefined, {
    onProgress,
  });
  let rows = 0;
  for await (const batch of query.batches()) {
    rows += batch.numRows;
    if (rows > 300_000) break;
  }
  expect(new Set(seen.map(({ phase }) => phase))).toEqual(new Set(['planning', 'running', 'reading']));
  for (const { fraction } of seen) if (fraction !== null) expect(fraction >= 0 && fraction <= 1).toBe(true);
  expect(seen.at(-1)).toMatchObject({ phase: 'reading', rows });
});
