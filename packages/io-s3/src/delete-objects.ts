import { DeleteObjectCommand, DeleteObjectsCommand, type _Error as S3KeyError } from '@aws-sdk/client-s3';
import { isLakehouseError, type DeleteResult } from '@lh/core';
import { inParallel } from './in-parallel.ts';
import { requireObject } from './location.ts';
import { answered, failureOf, isNoObject } from './s3-errors.ts';
import type { Store } from './store.ts';

/** S3 takes no more with one request. */
export const MAX_DELETE_BATCH = 1000;
const BATCHES_AT_ONCE = 4;
const SINGLES_AT_ONCE = 32;

/** What XML can't say, escaped or not. */
// oxlint-disable-next-line no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

interface Batch {
  readonly bucket: string;
  readonly keys: readonly string[];
}

/** The contract's `delete`: what fails is reported per file. ABORTED alone is thrown. */
export async function deleteObjects(
  store: Store,
  locations: readonly string[],
  signal: AbortSignal | undefined,
): Promise<DeleteResult> {
  const result = new Results();
  const batches = batchesOf(locations, result);
  await inParallel(batches, BATCHES_AT_ONCE, signal, (batch, batchSignal) =>
    store.deletesBatches && batch.keys.every((key) => !NOT_IN_XML.test(key))
      ? deleteBatch(store, batch, result, batchSignal)
      : deleteSingly(store, batch, result, batchSignal),
  );
  return { deleted: result.deleted, failed: result.failed };
}

/** Of each key, what its locations were called and what became of it. */
class Results {
  readonly deleted: string[] = [];
  readonly failed: { location: string; error: unknown }[] = [];
  readonly #locations = new Map<string, string[]>();

  /** False if another spelling of the same file is known. */
  add(bucket: string, key: string, location: string): boolean {
    const known = this.#locations.get(`${bucket}/${key}`);
    if (known) known.push(location);
    else this.#locations.set(`${bucket}/${key}`, [location]);
    return known === undefined;
  }

  first(bucket: string, key: string): string {
    return this.#locations.get(`${bucket}/${key}`)![0]!;
  }

  wasDeleted(bucket: string, key: string): void {
    this.deleted.push(...this.#locations.get(`${bucket}/${key}`)!);
  }

  /** ABORTED concerns the call, not a file. */
  hasFailed(bucket: string, keys: Iterable<string>, error: unknown): void {
    if (isLakehouseError(error, 'ABORTED')) throw error;
    for (const key of keys) {
      for (const location of this.#locations.get(`${bucket}/${key}`)!) this.failed.push({ location, error });
    }
  }
}

function batchesOf(locations: readonly string[], result: Results): readonly Batch[] {
  const buckets = new Map<string, string[]>();
  for (const location of locations) {
    try {
      const { bucket, key } = requireObject(location);
      if (!result.add(bucket, key, location)) continue;
      const keys = buckets.get(bucket);
      if (keys) keys.push(key);
      else buckets.set(bucket, [key]);
    } catch (error) {
      result.failed.push({ location, error });
    }
  }
  return [...buckets].flatMap(([bucket, keys]) =>
    Array.from({ length: Math.ceil(keys.length / MAX_DELETE_BATCH) }, (_, index) => ({
      bucket,
      keys: keys.slice(index * MAX_DELETE_BATCH, (index + 1) * MAX_DELETE_BATCH),
    })),
  );
}

async function deleteBatch(store: Store, batch: Batch, result: Results, signal: AbortSignal): Promise<void> {
  const { bucket, keys } = batch;
  // Neither deleted nor failed for good.
  const left = new Set(keys);
  const action = { verb: 'delete', location: result.first(bucket, keys[0]!) };
  let isTaken = true;
  try {
    await store.requests.run(action, signal, async ({ client, options }) => {
      const objects = [...left].map((Key) => ({ Key }));
      const input = { Bucket: bucket, Delete: { Objects: objects, Quiet: true }, ...store.common };
      try {
        const { Errors } = await client.send(new DeleteObjectsCommand(input), options);
        isTaken = takeAnswer(store, bucket, Errors ?? [], left, result);
      } catch (error) {
        if (!refusesBatches(store, error)) throw error;
        isTaken = false;
      }
    });
  } catch (error) {
    result.hasFailed(bucket, left, error);
    return;
  }
  if (!isTaken) await deleteSingly(store, { bucket, keys: [...left] }, result, signal);
}

/**
 * Takes out of `left` what was deleted or failed for good, and throws what may pass. False if the answer speaks of keys
 * that were never asked for, so that nothing is known of those that were.
 */
function takeAnswer(
  store: Store,
  bucket: string,
  errors: readonly S3KeyError[],
  left: Set<string>,
  result: Results,
): boolean {
  const problems = new Map(errors.map(({ Key = '', Code, Message }) => [Key, problemOf(Code, Message)]));
  if ([...problems.keys()].some((key) => !left.has(key))) return false;
  let passing: Error | null = null;
  for (const key of left) {
    const problem = problems.get(key);
    const meaning = problem && failureOf(problem).meaning;
    if (problem && meaning?.again) {
      passing = problem;
      continue;
    }
    left.delete(key);
    if (problem === undefined || meaning?.code === 'NOT_FOUND') {
      result.wasDeleted(bucket, key);
    } else {
      const action = { verb: 'delete', location: result.first(bucket, key) };
      result.hasFailed(bucket, [key], store.requests.errorOf(problem, action));
    }
  }
  if (passing) throw passing;
  return true;
}

/** The error that a request for this one key would have met with. */
function problemOf(code: string | undefined, message: string | undefined): Error {
  return Object.assign(new Error(message), { name: code ?? 'UnknownError', $metadata: { httpStatusCode: 200 } });
}

/** Some stores have no such request, or want headers that aren't S3's any more. */
function refusesBatches(store: Store, error: unknown): boolean {
  const isMissing = [405, 501, 'NotImplemented', 'MissingContentMD5'].some((sign) => answered(error, sign));
  if (isMissing) store.deletesBatches = false;
  return isMissing || ['MalformedXML', 'InvalidRequest'].some((code) => answered(error, code));
}

async function deleteSingly(store: Store, batch: Batch, result: Results, signal: AbortSignal): Promise<void> {
  const { bucket, keys } = batch;
  await inParallel(keys, SINGLES_AT_ONCE, signal, async (key, keySignal) => {
    const action = { verb: 'delete', location: result.first(bucket, key) };
    const input = { Bucket: bucket, Key: key, ...store.common };
    try {
      await store.requests.run(action, keySignal, async ({ client, options }) => {
        try {
          await client.send(new DeleteObjectCommand(input), options);
        } catch (error) {
          if (!isNoObject(error)) throw error;
        }
      });
      result.wasDeleted(bucket, key);
    } catch (error) {
      result.hasFailed(bucket, [key], error);
    }
  });
}
