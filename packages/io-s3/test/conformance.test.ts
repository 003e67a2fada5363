import { fileIOConformance } from '@lh/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { S3FileIO } from '../src/index.ts';
import { newRoot, s3FileIO } from './support.ts';

let bucket: string;
let io: S3FileIO;
beforeAll(async () => {
  bucket = await newRoot();
  io = s3FileIO();
});
afterAll(() => io.close());

describe('S3FileIO', () => {
  let places = 0;
  test.each(fileIOConformance.map((each) => [each.name, each.run] as const))(
    '%s',
    { timeout: 180_000 },
    async (_case, run) => {
      const subject = { io, root: `${bucket}/place-${places++}/root` };
      await expect(run(async () => subject)).resolves.toBeUndefined();
    },
  );
});
