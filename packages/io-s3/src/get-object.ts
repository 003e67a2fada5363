import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { FileStat } from '@lh/core';
import type { S3Location } from './location.ts';
import { answered, changedWhileRead } from './s3-errors.ts';
import { statOf } from './stat-object.ts';
import type { Store } from './store.ts';

/** Bytes of an object, and what its answer said of the whole. */
export interface Part {
  /** Of the first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly stat: FileStat;
}

export interface GetOptions {
  readonly signal?: AbortSignal | undefined;
  /** If the object isn't the one of this etag any more, that is INVALID_DATA. */
  readonly etag?: string | undefined;
  /** Told before any byte is taken; what it throws ends the request. */
  readonly onStat?: (stat: FileStat) => void;
}

/** The part that is being received, over several requests where a body breaks in the middle. */
interface Receiving extends Part {
  received: number;
}

/**
 * The bytes that a `Range` asks for, as many of them as the object has. A body that breaks is gone on with where it
 * broke. Null if none of the bytes is there.
 */
export async function getPart(
  store: Store,
  { location, bucket, key }: S3Location,
  range: string,
  { signal, etag, onStat }: GetOptions,
): Promise<Part | null> {
  let part: Receiving | null = null;
  return store.requests.run({ verb: 'read', location }, signal, async ({ client, options }) => {
    const { start, received, bytes }: Receiving = part ?? NOTHING;
    // It broke after its last byte.
    if (part && received === bytes.length) return part;
    const input = {
      Bucket: bucket,
      Key: key,
      Range: part ? `bytes=${start + received}-${start + bytes.length - 1}` : range,
      IfMatch: part?.stat.etag ?? etag,
      ...store.common,
      ...store.customerKey,
    };
    let answer: GetObjectCommandOutput;
    try {
      answer = await client.send(new GetObjectCommand(input), options);
    } catch (error) {
      if (answered(error, 416)) return null;
      if (!answered(error, 412)) throw error;
      if (etag !== undefined) throw changedWhileRead(location);
      part = null;
      throw new Error('Another file came in its place, so it is read from the start.', { cause: error });
    }
    part = await beginOrGoOn(part, answer, location, onStat);
    await receive(part, answer);
    return part;
  });
}

const NOTHING: Receiving = { start: 0, received: 0, bytes: new Uint8Array(), stat: { location: '', size: 0 } };

/** Compares what an answer holds with what is there already. */
async function beginOrGoOn(
  part: Receiving | null,
  answer: GetObjectCommandOutput,
  location: string,
  onStat: GetOptions['onStat'],
): Promise<Receiving> {
  const { start, end, size } = extentOf(answer);
  if (part !== null && start === part.start + part.received && end === part.start + part.bytes.length) return part;
  const stat = statOf(location, size, answer);
  try {
    onStat?.(stat);
  } catch (error) {
    discard(answer);
    throw error;
  }
  return { start, bytes: new Uint8Array(Buffer.allocUnsafeSlow(end - start).buffer), stat, received: 0 };
}

/** Which bytes of how many an answer holds; all of them where the store doesn't know ranges. */
function extentOf({ ContentRange, ContentLength = 0, $metadata }: GetObjectCommandOutput): {
  start: number;
  end: number;
  size: number;
} {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? '');
  if (match === null) {
    if ($metadata.httpStatusCode === 206) throw new Error('The store did not say which bytes it gave.');
    return { start: 0, end: ContentLength, size: ContentLength };
  }
  return { start: Number(match[1]), end: Number(match[2]) + 1, size: Number(match[3]) };
}

async function receive(part: Receiving, { Body }: GetObjectCommandOutput): Promise<void> {
  for await (const chunk of Body as AsyncIterable<Uint8Array>) {
    if (part.received + chunk.length > part.bytes.length) throw new Error('The store gave more bytes than it said.');
    part.bytes.set(chunk, part.received);
    part.received += chunk.length;
  }
  if (part.received < part.bytes.length) throw new Error('The connection was closed before all bytes had come.');
}

/** Ends the connection of an answer that nobody wants: its body would keep it busy. */
function discard({ Body }: GetObjectCommandOutput): void {
  (Body as { destroy?(): void } | undefined)?.destroy?.();
}
