import { listUploads, newBucket } from 'lakehouse-s3-server';
import { expect, test } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';

test('each test can have a bucket of its own', async () => {
  const [one, other] = [await newBucket(s3Place()), await newBucket(s3Place())];
  expect(one).not.toBe(other);
  expect(await listUploads(s3Place(), one)).toEqual([]);
});
