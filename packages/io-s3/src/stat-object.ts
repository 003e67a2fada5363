import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import type { FileStat } from '@lh/core';
import type { S3Location } from './location.ts';
import type { Attempt } from './requests.ts';
import { answered, isNoObject } from './s3-errors.ts';
import type { Store } from './store.ts';

/** The object's size, age and etag, or null if there is none. */
export function statObject(
  store: Store,
  { location, bucket, key }: S3Location,
  signal: AbortSignal | undefined,
): Promise<FileStat | null> {
  const input = { Bucket: bucket, Key: key, ...store.common, ...store.customerKey };
  return store.requests.run({ verb: 'look at', location }, signal, async (attempt) => {
    try {
      const head = await attempt.client.send(new HeadObjectCommand(input), attempt.options);
      return statOf(location, head.ContentLength ?? 0, head);
    } catch (error) {
      if (isNoObject(error)) return null;
      if (!answered(error, 400) && !answered(error, 403)) throw error;
      return statByReading(attempt, location, input);
    }
  });
}

/** The answer to a HEAD has no body to say why it was refused; that to a GET of one byte has. */
async function statByReading(
  { client, options }: Attempt,
  location: string,
  input: { Bucket: string; Key: string },
): Promise<FileStat | null> {
  const answer = await client.send(new GetObjectCommand({ ...input, Range: 'bytes=0-0' }), options);
  await answer.Body?.transformToByteArray();
  return statOf(location, Number(answer.ContentRange?.split('/')[1] ?? answer.ContentLength), answer);
}

/**
 * A stat from the answer to a request. Times are in whole seconds as HEAD has them: some stores list milliseconds, and
 * a file must not look like another one for that.
 */
export function statOf(
  location: string,
  size: number,
  { LastModified, ETag }: { LastModified?: Date | undefined; ETag?: string | undefined },
): FileStat {
  return {
    location,
    size,
    ...(LastModified && { lastModifiedMs: Math.floor(LastModified.getTime() / 1000) * 1000 }),
    ...(ETag !== undefined && { etag: ETag }),
  };
}
