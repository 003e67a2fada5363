import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { randomUuid } from '@lh/core/engine';
import { LakehouseError, type FileStat, type Runtime, type WriteOptions } from '@lh/core';
import type { S3Location } from './location.ts';
import type { Attempt } from './requests.ts';
import { isNoObject } from './s3-errors.ts';
import { statOf } from './stat-object.ts';
import type { Store } from './store.ts';

/** The name under which an object's metadata says which write made it. */
const WRITE_ID = 'lh-write-id';

/** Conditions of a write, as parameters of a request. */
export interface Conditions {
  readonly IfNoneMatch?: '*';
  readonly IfMatch?: string;
}

export function conditionsOf({ ifNoneMatch, ifMatch }: WriteOptions): Conditions {
  return { ...(ifNoneMatch && { IfNoneMatch: '*' }), ...(ifMatch !== undefined && { IfMatch: ifMatch }) };
}

/**
 * A mark on an object, for the case that the answer to its write gets lost: the request is made again, and is refused
 * because of the file that the first one made. Only the mark tells that from a file that another writer made.
 */
export interface WriteMark {
  readonly id: string;
  readonly Metadata: Record<string, string>;
}

export function newWriteMark(runtime: Runtime): WriteMark {
  const id = randomUuid(runtime);
  return { id, Metadata: { [WRITE_ID]: id } };
}

/** What is at the location: the file that this write made, with its stat, another one, or none. */
export async function whoseFile(
  store: Store,
  { location, bucket, key }: S3Location,
  { client, options }: Attempt,
  mark: WriteMark,
): Promise<FileStat | 'another' | null> {
  const input = { Bucket: bucket, Key: key, ...store.common, ...store.customerKey };
  try {
    const head = await client.send(new HeadObjectCommand(input), options);
    return head.Metadata?.[WRITE_ID] === mark.id ? statOf(location, head.ContentLength ?? 0, head) : 'another';
  } catch (error) {
    if (isNoObject(error)) return null;
    throw error;
  }
}

/** The store has refused a write because its condition doesn't hold. */
export function conditionFailed(location: string, { IfMatch }: Conditions): LakehouseError {
  const context = { location };
  return IfMatch === undefined
    ? new LakehouseError('ALREADY_EXISTS', `The file '${location}' exists already.`, { context })
    : new LakehouseError('COMMIT_CONFLICT', `The file '${location}' is not the one to be replaced any more.`, {
        context,
      });
}
