/**
 * The contract between Iceberg and a store of files. It speaks object store: whole-file writes, ranged reads, flat
 * listings. Locations are opaque strings, plain paths or URIs; a percent sign is part of the name.
 *
 * Every implementation passes the suite in `@lh/core/testing`.
 */
export interface FileIO {
  readonly capabilities: FileIOCapabilities;

  /** The whole file or one range of it. NOT_FOUND if there is no such file; INVALID_ARGUMENT for a range past its end. */
  read(location: string, options?: ReadOptions): Promise<Uint8Array>;

  /** The file's size, or null if there is no such file. */
  stat(location: string, options?: IOOptions): Promise<FileStat | null>;

  /**
   * Writes a whole file; no reader ever sees part of it. Replaces what is there, unless `ifNoneMatch` is set:
   * then ALREADY_EXISTS if the file exists, and of any number of racing writers exactly one succeeds. With `ifMatch`
   * it replaces only the file of that etag: COMMIT_CONFLICT if there is another one by now, or none. A retryable
   * UNAVAILABLE says that the file may or may not have been written, or may yet be.
   */
  write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat>;

  /**
   * Takes over a whole file of the local disk that nobody else uses, by its path, as the file at the location; without
   * copying it where that can be. It is there as if written: in full, and durable. For stores with a `localPath`.
   */
  moveIn?(path: string, location: string, options?: IOOptions): Promise<FileStat>;

  /** Every file whose location starts with the prefix, in no particular order. Nothing is left out silently. */
  list(prefix: string, options?: IOOptions): AsyncIterable<FileStat>;

  /** Deletes files; one that is not there counts as deleted. Failures are reported per file, not thrown. */
  delete(locations: readonly string[], options?: IOOptions): Promise<DeleteResult>;

  /**
   * Deletes what writes that never ended (the process was killed, the power failed) left under a prefix: `list` doesn't
   * show it. `olderThan`, in milliseconds since the epoch, keeps what writes that still go on need.
   */
  deleteUnfinishedWrites?(prefix: string, options: { readonly olderThan: number } & IOOptions): Promise<DeleteResult>;

  /**
   * The names one level below a location that have files somewhere beneath them, for stores that can list a level
   * without what is below (a delimiter listing). A store with directories may name empty ones too. Call it through
   * `listDirectories`, which falls back on `list`.
   */
  listDirectories?(location: string, options?: IOOptions): AsyncIterable<string>;
}

export interface FileIOCapabilities {
  /** `write(…, { ifNoneMatch: true })` is atomic. A catalog without a server needs it to commit. */
  readonly conditionalCreate: boolean;
  /** `write(…, { ifMatch })` is atomic, and stats have an `etag`. Other stores refuse it as UNSUPPORTED. */
  readonly conditionalReplace?: boolean;
  /** How many locations one `delete` request to the store may carry. */
  readonly maxDeleteBatch: number;
  /**
   * How many requests are made side by side for one operation, where each takes long however little it asks for; the
   * runtime's `concurrency` if left out.
   */
  readonly concurrency?: number;
  /** The path of a location on the local disk, for engines that open files themselves; null if there is none. */
  readonly localPath?: (location: string) => string | null;
  /** Reads cost nothing, so that nothing is gained by keeping files elsewhere. */
  readonly inMemory?: boolean;
  /**
   * Where a location lies in a store that speaks S3, for engines with a client of their own; null if it lies in no such
   * store, or if requests need what `S3Access` can't say (headers of one's own, keys of one's own).
   */
  readonly s3Object?: (location: string) => S3Object | null;
}

export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  /** How the store is reached, as of now: credentials may be others the next time. Equal buckets have equal access. */
  readonly access: (options?: IOOptions) => Promise<S3Access>;
}

export interface S3Access {
  /** `https://host:port`; null for that of AWS for the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** The bucket is in the path of a request, and not in its host. */
  readonly pathStyle: boolean;
  readonly requesterPays: boolean;
  /** Null for anonymous requests. */
  readonly credentials: S3Credentials | null;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Milliseconds since the epoch; null if they stay valid, or it isn't known. */
  readonly expiresAtMs: number | null;
}

export interface IOOptions {
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends IOOptions {
  /** First byte to read; 0 if left out. A negative number counts from the end, and stops at the start of a shorter file. */
  readonly offset?: number;
  /** Number of bytes, all of which the file must have; to the end of the file if left out. */
  readonly length?: number;
  /**
   * Told what `stat` would say of the very file that is read, before its bytes are given; by stores whose answer to a
   * read has it.
   */
  readonly onStat?: (stat: FileStat) => void;
}

export interface WriteOptions extends IOOptions {
  readonly ifNoneMatch?: boolean;
  /** The `etag` of the file to replace, for stores with `conditionalReplace`. */
  readonly ifMatch?: string;
  /** False for a hint: a power failure may empty it, or take it back. All other files survive one. */
  readonly durable?: boolean;
}

export type FileData = Uint8Array | AsyncIterable<Uint8Array>;

export interface FileStat {
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch, where the store knows it. */
  readonly lastModifiedMs?: number;
  /** Names this content of the file, for `ifMatch`; from stores with `conditionalReplace`. */
  readonly etag?: string;
}

export interface DeleteResult {
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly location: string; readonly error: unknown }[];
}
