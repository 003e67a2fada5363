import { checkByteRange, resolveByteRange, type ReadOptions } from '@lh/core';
import { getPart, type Part } from './get-object.ts';
import { inParallel } from './in-parallel.ts';
import type { S3Location } from './location.ts';
import { changedWhileRead, notFound } from './s3-errors.ts';
import { statObject } from './stat-object.ts';
import type { Store } from './store.ts';

/** Reading this much for nothing costs less than asking for the size first. */
const WASTE = 64 * 1024;

/** The contract's `read`: one request where that will do; what is large comes in parts, side by side. */
export async function readObject(store: Store, target: S3Location, options: ReadOptions): Promise<Uint8Array> {
  checkByteRange(target.location, options);
  const { offset = 0, length } = options;
  const most = 2 * store.settings.partSize;
  if (length === 0) return readKnown(store, target, options);
  if (offset >= 0) {
    return readRange(store, target, `bytes=${offset}-${offset + Math.min(length ?? most, most) - 1}`, options);
  }
  const isWasteful = -offset > most || (length !== undefined && -offset - length > WASTE);
  return isWasteful ? readKnown(store, target, options) : readRange(store, target, `bytes=${offset}`, options);
}

/** With the size known first, an end is an offset like any other, and nothing need be read to read nothing. */
async function readKnown(store: Store, target: S3Location, options: ReadOptions): Promise<Uint8Array> {
  const stat = await statObject(store, target, options.signal);
  if (stat === null) throw notFound(target.location);
  const { start, length } = resolveByteRange(target.location, stat.size, options);
  if (length > 0) return readObject(store, target, { ...options, offset: start, length });
  options.onStat?.(stat);
  return new Uint8Array();
}

async function readRange(store: Store, target: S3Location, range: string, options: ReadOptions): Promise<Uint8Array> {
  const { location } = target;
  const first = await getPart(store, target, range, {
    signal: options.signal,
    // Before any byte is taken: the file may not have all that are asked for.
    onStat: (stat) => void resolveByteRange(location, stat.size, options),
  });
  if (first === null) return readPastEnd(store, target, options);
  const wanted = resolveByteRange(location, first.stat.size, options);
  options.onStat?.(first.stat);
  const from = wanted.start - first.start;
  if (from < 0) throw changedWhileRead(location);
  if (from + wanted.length <= first.bytes.length) {
    return from === 0 && wanted.length === first.bytes.length
      ? first.bytes
      : first.bytes.slice(from, from + wanted.length);
  }
  return readRest(store, target, first, wanted.start + wanted.length, options.signal);
}

/** The file has none of the bytes. That is right if none was asked for: of an empty one, or from its end on. */
async function readPastEnd(store: Store, target: S3Location, options: ReadOptions): Promise<Uint8Array> {
  const stat = await statObject(store, target, options.signal);
  if (stat === null) throw notFound(target.location);
  if (resolveByteRange(target.location, stat.size, options).length > 0) throw changedWhileRead(target.location);
  options.onStat?.(stat);
  return new Uint8Array();
}

/** A first part with all that follows it, of the very same file. */
async function readRest(
  store: Store,
  target: S3Location,
  first: Part,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { partSize, partConcurrency } = store.settings;
  const bytes = new Uint8Array(end - first.start);
  bytes.set(first.bytes);
  const starts: number[] = [];
  for (let start = first.start + first.bytes.length; start < end; start += partSize) starts.push(start);
  await inParallel(starts, partConcurrency, signal, async (start, partSignal) => {
    const length = Math.min(partSize, end - start);
    const range = `bytes=${start}-${start + length - 1}`;
    const part = await getPart(store, target, range, { signal: partSignal, etag: first.stat.etag });
    if (part?.start !== start || part.bytes.length !== length) throw changedWhileRead(target.location);
    bytes.set(part.bytes, start - first.start);
  });
  return bytes;
}
