import {
  throwIfAborted,
  type DeleteResult,
  type FileData,
  type FileIO,
  type FileIOCapabilities,
  type FileStat,
  type IOOptions,
  type ReadOptions,
  type S3Object,
  type WriteOptions,
} from '@lh/core';
import { Connection } from './client.ts';
import { deleteObjects, MAX_DELETE_BATCH } from './delete-objects.ts';
import { JoinedReads } from './joined-reads.ts';
import { listNames, listObjects } from './list-objects.ts';
import { parseLocation, requireObject, requirePrefix } from './location.ts';
import { settingsOf, type S3FileIOOptions, type Settings } from './options.ts';
import { readObject } from './read-object.ts';
import { Requests } from './requests.ts';
import { statObject } from './stat-object.ts';
import { storeOf, type Store } from './store.ts';
import { abortUploads } from './unfinished-uploads.ts';
import { writeObject } from './write-object.ts';

/**
 * Files on S3, MinIO and their kin. Locations are `s3://bucket/key`, with `s3a:` and `s3n:` for the same; no percent sign
 * is ever decoded. Requests that fail in a way that may pass are made again, and what a write answers is true even if
 * the answer to an earlier attempt got lost: a file that it made itself is not one that existed already.
 */
export class S3FileIO implements FileIO {
  readonly capabilities: FileIOCapabilities;
  readonly #connection: Connection;
  readonly #store: Store;
  readonly #reads: JoinedReads;

  /** INVALID_ARGUMENT for options that can't be meant. No request is made yet. */
  constructor(options: S3FileIOOptions = {}) {
    const settings = settingsOf(options);
    this.#connection = new Connection(settings);
    this.#store = storeOf(settings, new Requests(this.#connection, settings));
    this.#reads = new JoinedReads((location, readOptions) =>
      readObject(this.#store, requireObject(location), readOptions),
    );
    this.capabilities = {
      conditionalCreate: true,
      conditionalReplace: true,
      maxDeleteBatch: MAX_DELETE_BATCH,
      concurrency: settings.concurrency,
      s3Object: (location) => this.#s3Object(location, settings),
    };
  }

  async read(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal);
    requireObject(location);
    return this.#reads.read(location, options);
  }

  async stat(location: string, options: IOOptions = {}): Promise<FileStat | null> {
    throwIfAborted(options.signal);
    return statObject(this.#store, requireObject(location), options.signal);
  }

  async write(location: string, data: FileData, options: WriteOptions = {}): Promise<FileStat> {
    throwIfAborted(options.signal);
    return writeObject(this.#store, requireObject(location), data, options);
  }

  async *list(prefix: string, options: IOOptions = {}): AsyncIterable<FileStat> {
    throwIfAborted(options.signal);
    yield* listObjects(this.#store, requirePrefix(prefix), options.signal);
  }

  async *listDirectories(location: string, options: IOOptions = {}): AsyncIterable<string> {
    throwIfAborted(options.signal);
    const target = requirePrefix(location);
    const key = target.key === '' || target.key.endsWith('/') ? target.key : `${target.key}/`;
    yield* listNames(this.#store, { ...target, key }, options.signal);
  }

  async delete(locations: readonly string[], options: IOOptions = {}): Promise<DeleteResult> {
    throwIfAborted(options.signal);
    return deleteObjects(this.#store, locations, options.signal);
  }

  /** Uploads of parts that were begun before, and neither completed nor aborted. */
  async deleteUnfinishedWrites(
    prefix: string,
    options: { readonly olderThan: number } & IOOptions,
  ): Promise<DeleteResult> {
    throwIfAborted(options.signal);
    return abortUploads(this.#store, requirePrefix(prefix), options.olderThan, options.signal);
  }

  /** Closes all connections, when there is nothing more to do: a request that is made nevertheless opens one again. */
  async close(): Promise<void> {
    this.#connection.close();
  }

  /** Headers and keys of one's own are more than `S3Access` can say. */
  #s3Object(location: string, { encryption, headers }: Settings): S3Object | null {
    const parsed = parseLocation(location);
    if (parsed === null || parsed.key === '') return null;
    if (encryption?.type === 'SSE-C' || Object.keys(headers).length > 0) return null;
    return { bucket: parsed.bucket, key: parsed.key, access: () => this.#connection.access(location) };
  }
}
