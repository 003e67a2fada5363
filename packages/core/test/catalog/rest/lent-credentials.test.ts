import { expect, test } from 'vitest';
import { LentCredentials } from '../../../src/catalog/rest/lent-credentials.ts';
import type { TableConfig } from '../../../src/catalog/rest/load-table-result.ts';
import { systemRuntime } from '../../../src/runtime.ts';

const LOCATION = 's3://bucket/wh/db/t';

/** Keys of a name, for a prefix, that expire at a time. */
function keys(name: string, expiresAtMs: number, prefix = 's3://'): TableConfig {
  const config = { 's3.access-key-id': name, 's3.session-token-expires-at-ms': String(expiresAtMs) };
  return { config: {}, credentials: [{ prefix, config }] };
}

/** At time 0, with a server that lends what `answers` give, one after the other. */
function lentBy(first: TableConfig, answers: TableConfig[]) {
  const asked: TableConfig[] = [];
  const runtime = { ...systemRuntime, now: () => 0 };
  const ask = async (): Promise<TableConfig> => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error('The server is away.');
    asked.push(answer);
    return answer;
  };
  const lent = new LentCredentials(LOCATION, first, ask, runtime);
  const next = async (): Promise<string | undefined> => (await lent.next())['s3.access-key-id'];
  return { lent, next, asked };
}

test('first those that came with the table, then new ones', async () => {
  const { next, asked } = lentBy(keys('first', 3_600_000), [keys('second', 7_200_000)]);
  expect(await next()).toBe('first');
  expect(asked).toHaveLength(0);
  expect(await next()).toBe('second');
});

test('those that are about to expire are not handed out', async () => {
  const { next } = lentBy(keys('first', 30_000), [keys('second', 3_600_000)]);
  expect(await next()).toBe('second');
});

test('the server is asked once for all who wait', async () => {
  const { next, asked } = lentBy(keys('first', 0), [keys('second', 3_600_000), keys('third', 3_600_000)]);
  expect(await Promise.all([next(), next(), next()])).toEqual(['second', 'second', 'second']);
  expect(asked).toHaveLength(1);
});

test('what comes with a later load saves asking, unless it was handed out before', async () => {
  const { lent, next, asked } = lentBy(keys('first', 3_600_000), [keys('third', 3_600_000)]);
  await next();
  lent.offer(keys('second', 3_600_000));
  expect(await next()).toBe('second');
  lent.offer(keys('second', 3_600_000));
  expect(await next()).toBe('third');
  expect(asked).toHaveLength(1);
});

test('after a failure the server is asked again', async () => {
  const answers: TableConfig[] = [];
  const { next } = lentBy(keys('first', 0), answers);
  await expect(next()).rejects.toThrow('away');
  answers.push(keys('second', 3_600_000));
  expect(await next()).toBe('second');
});

test('the longest prefix of the location counts, over the settings of the table', async () => {
  const config = { config: { 's3.access-key-id': 'table', 's3.region': 'north' }, credentials: [] };
  const many = ['s3://', 's3://bucket/wh/', 's3://other/', 's3://bucket/'].map((prefix) =>
    keys(prefix, 3_600_000, prefix),
  );
  const { lent } = lentBy({ ...config, credentials: many.flatMap(({ credentials }) => credentials) }, []);
  expect(await lent.next()).toMatchObject({ 's3.access-key-id': 's3://bucket/wh/', 's3.region': 'north' });
  const { next } = lentBy(config, []);
  expect(await next()).toBe('table');
});
