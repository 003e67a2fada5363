import { throwIfAborted, type FileData, type FileStat, type WriteOptions } from '@lh/core';
import { inParallel } from './in-parallel.ts';
import type { S3Location } from './location.ts';
import { MultipartUpload } from './multipart-upload.ts';
import { putObject } from './put-object.ts';
import type { Store } from './store.ts';

/** S3 takes no more parts of one object. */
const MAX_PARTS = 10_000;
/** Parts of a stream, whose length nobody knows, become twice as large after so many. */
const PARTS_OF_ONE_SIZE = 2_000;
const FIRST_BUFFER = 64 * 1024;

type Parts = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The contract's `write`: one request for what is small, parts side by side for what is not. */
export async function writeObject(
  store: Store,
  target: S3Location,
  data: FileData,
  options: WriteOptions,
): Promise<FileStat> {
  const { partSize } = store.settings;
  if (data instanceof Uint8Array) {
    return data.length <= 2 * partSize
      ? putObject(store, target, data, options)
      : upload(store, target, slices(data, Math.max(partSize, Math.ceil(data.length / MAX_PARTS))), options);
  }
  const parts = partsOf(data, partSize, options.signal);
  const first = await parts.next();
  const second = await parts.next();
  if (second.done) return putObject(store, target, first.value ?? new Uint8Array(), options);
  return upload(store, target, joined([first.value!, second.value], parts), options);
}

async function upload(store: Store, target: S3Location, parts: Parts, options: WriteOptions): Promise<FileStat> {
  const whole = await MultipartUpload.begin(store, target, options.signal);
  try {
    await inParallel(numbered(parts), store.settings.partConcurrency, options.signal, ({ number, bytes }, signal) =>
      whole.uploadPart(number, bytes, signal),
    );
    return await whole.complete(options);
  } catch (error) {
    await whole.abort();
    throw error;
  }
}

async function* numbered(parts: Parts): AsyncIterable<{ number: number; bytes: Uint8Array }> {
  let number = 0;
  for await (const bytes of parts) yield { number: ++number, bytes };
}

function* slices(data: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let start = 0; start < data.length; start += size) yield data.subarray(start, start + size);
}

async function* joined(first: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* first;
  yield* rest;
}

/** A stream's chunks in parts of the size that an upload needs. They are copies: a source may use its buffers again. */
export async function* partsOf(
  chunks: AsyncIterable<Uint8Array>,
  partSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  let buffer: Uint8Array = new Uint8Array();
  let filled = 0;
  let size = partSize;
  let count = 0;
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(chunk.length - at, size - filled);
      buffer = withRoom(buffer, filled, filled + taken, size);
      buffer.set(chunk.subarray(at, at + taken), filled);
      [filled, at] = [filled + taken, at + taken];
      if (filled < size) continue;
      yield buffer;
      count++;
      size = partSize * 2 ** Math.floor(count / PARTS_OF_ONE_SIZE);
      [buffer, filled] = [new Uint8Array(), 0];
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
  return undefined;
}

/** A buffer with the same bytes and room for more: small streams take little memory. */
function withRoom(buffer: Uint8Array, filled: number, needed: number, most: number): Uint8Array {
  if (needed <= buffer.length) return buffer;
  const larger = new Uint8Array(Math.min(most, Math.max(2 * buffer.length, needed, FIRST_BUFFER)));
  larger.set(buffer.subarray(0, filled));
  return larger;
}
