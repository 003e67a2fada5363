import type { TestProject } from 'vitest/node';

import { type S3Server, S3ServerMissing, startS3Server } from '../src/index.ts';

/** One server serves all projects of a run, each of which loads this module anew. */
const shared = globalThis as { lakehouseS3?: { readonly server: Promise<S3Server>; users: number } };

/**
 * Starts the S3 server for a project's tests, before the first of them; a run of other projects never gets here. Where
 * there can't be one the tests are left out (`runner.ts`), which is said aloud; in CI the run fails.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const run = (shared.lakehouseS3 ??= { server: startS3Server(), users: 0 });
  run.users++;
  try {
    const { endpoint, accessKeyId, secretAccessKey, region, bucketPrefix } = await run.server;
    project.provide('s3', { endpoint, accessKeyId, secretAccessKey, region, bucketPrefix });
  } catch (error) {
    if (!(error instanceof S3ServerMissing) || process.env['CI'] === 'true') throw error;
    process.stderr.write(`\nLEFT OUT: the tests of ${project.name}. ${error.message}\n\n`);
    project.provide('s3', { missing: error.message });
    return undefined;
  }
  return async () => {
    if (--run.users > 0) return;
    delete shared.lakehouseS3;
    await (await run.server).stop();
  };
}
