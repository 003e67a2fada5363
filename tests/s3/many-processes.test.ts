import { test } from 'vitest';

import { MANY_RETRIES, appendAtOnce } from '../end-to-end/many-writers.ts';
import { s3Place } from '../support/s3/vitest/place.ts';
import { newCatalog } from './support.ts';

test('8 processes make 25 commits each, and nothing is lost', { timeout: 600_000 }, async () => {
  const catalog = await newCatalog();
  await catalog.createNamespace('race');
  const { endpoint, region, accessKeyId, secretAccessKey } = s3Place();
  const s3 = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  await appendAtOnce(catalog, { writers: 8, commits: 25, properties: MANY_RETRIES, s3 });
});
