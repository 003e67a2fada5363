import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { newBucket } from 'lakehouse-s3-server';
import { expect, test } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';

const examples = fileURLToPath(new URL('../../examples/dist/', import.meta.url));
const OUTPUT = `4 commits
[
  { city: 'Seoul', total: '12.50' },
  { city: 'Busan', total: '7.25' },
  { city: 'Jeju', total: '3.00' }
]
NOT_FOUND: Can't list 's3://no-such-bucket-here/warehouse/shop/sales/metadata/v': there is no such bucket; create it, or check endpoint and region (NoSuchBucket, 404).
`;

/** As users give it to all of AWS's tools. */
async function environment(): Promise<Record<string, string | undefined>> {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3Place();
  return {
    ...process.env,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    BUCKET: await newBucket(s3Place()),
  };
}

test('the example of a table on S3', async () => {
  const env = await environment();
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${examples}s3.js`], { env });
  expect(stderr).toBe('');
  expect(stdout).toBe(OUTPUT);
});

test('the demo writes where it is told to', { timeout: 120_000 }, async () => {
  const env = await environment();
  const warehouse = `s3://${env['BUCKET']}/there`;
  const args = [`${examples}demo.js`, '--s3', s3Place().endpoint, warehouse];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
  expect(stderr).toBe('');
  expect(stdout).toContain(`${warehouse}/air/flights`);
  expect(stdout).toContain('scanned 1 of 66 files');
  expect(stdout).toContain('966,409, 966,409 and 966,409 flights');
});
