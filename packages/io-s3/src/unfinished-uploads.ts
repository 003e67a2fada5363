import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3';
import { isLakehouseError, type DeleteResult } from '@lh/core';
import { inParallel } from './in-parallel.ts';
import { listUploads } from './list-objects.ts';
import type { S3Location } from './location.ts';
import { answered } from './s3-errors.ts';
import type { Store } from './store.ts';

const ABORTS_AT_ONCE = 16;

/** Ends uploads below a prefix that were begun before a time and never completed: the store keeps their parts, unseen. */
export async function abortUploads(
  store: Store,
  target: S3Location,
  olderThan: number,
  signal: AbortSignal | undefined,
): Promise<DeleteResult> {
  const deleted: string[] = [];
  const failed: { location: string; error: unknown }[] = [];
  await inParallel(listUploads(store, target, signal), ABORTS_AT_ONCE, signal, async (upload, uploadSignal) => {
    if (upload.initiatedMs >= olderThan) return;
    const location = target.root + upload.key;
    const input = { Bucket: target.bucket, Key: upload.key, UploadId: upload.uploadId, ...store.common };
    try {
      await store.requests.run({ verb: 'delete', location }, uploadSignal, async ({ client, options }) => {
        try {
          await client.send(new AbortMultipartUploadCommand(input), options);
        } catch (error) {
          if (!answered(error, 'NoSuchUpload')) throw error;
        }
      });
      deleted.push(location);
    } catch (error) {
      if (isLakehouseError(error, 'ABORTED')) throw error;
      failed.push({ location, error });
    }
  });
  return { deleted, failed };
}
