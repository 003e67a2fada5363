import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { FileStat, WriteOptions } from '@lh/core';
import type { S3Location } from './location.ts';
import { conditionFailed, conditionsOf, newWriteMark, whoseFile } from './own-writes.ts';
import { answered, isNoObject, outcomeUnknown } from './s3-errors.ts';
import type { Store } from './store.ts';

/** Writes a whole object with one request. */
export async function putObject(
  store: Store,
  target: S3Location,
  bytes: Uint8Array,
  options: WriteOptions,
): Promise<FileStat> {
  const { location, bucket, key } = target;
  const conditions = conditionsOf(options);
  const isConditional = Object.keys(conditions).length > 0;
  const mark = newWriteMark(store.settings.runtime);
  const input = {
    Bucket: bucket,
    Key: key,
    Body: bytes,
    ContentLength: bytes.length,
    ...conditions,
    ...(isConditional && { Metadata: mark.Metadata }),
    ...store.common,
    ...store.newObject,
  };
  return store.requests.run({ verb: 'write', location, isConditional }, options.signal, async (attempt) => {
    try {
      const { ETag } = await attempt.client.send(new PutObjectCommand(input), attempt.options);
      return { location, size: bytes.length, ...(ETag !== undefined && { etag: ETag }) };
    } catch (error) {
      const isRefused = isConditional && (answered(error, 412) || (isNoObject(error) && conditions.IfMatch));
      if (!isRefused) throw error;
      const found = attempt.inDoubt ? await whoseFile(store, target, attempt, mark) : 'another';
      if (found === 'another') throw conditionFailed(location, conditions);
      // Someone has deleted it since, ours or another's.
      if (found === null) throw outcomeUnknown(location);
      return found;
    }
  });
}
