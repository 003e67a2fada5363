import type { FileIO, FileScanTask, IcebergType, StructType } from '@lh/core';
import type { Pin } from './cache-directory.ts';
import type { Coverage } from './coverage.ts';
import type { CacheUse, FileCache, OpenedFile, TableFile } from './file-cache.ts';
import type { KnownFooter } from './footer-memory.ts';

/** How DuckDB got at the files of a scan, and at the files of equality deletes that it reads for it. */
export interface FileAccess {
  /** Files that DuckDB opened on the local disk. */
  readonly local: number;
  /** Files that DuckDB reads from the store itself. */
  readonly httpfs: number;
  /** Files of which the columns and row groups that the query needs were brought to the local disk, or were there. */
  readonly cache: number;
  /** Files that core read for it. */
  readonly core: number;
  /** Bytes of data files that were fetched for the cache; what DuckDB reads itself, it doesn't tell. */
  readonly bytesFetched: number;
  /** Reads of the store for these. */
  readonly requests: number;
}

export interface ScanFilesOptions {
  readonly io: FileIO;
  /** The table's UUID. */
  readonly table: string;
  readonly cache: FileCache;
  /** The URL of a location that DuckDB can read itself, or null. */
  readonly url: (location: string) => string | null;
  readonly signal: AbortSignal | undefined;
}

/** The files of one scan that are not on the local disk. What it uses of the cache stays there until `release`. */
export class ScanFiles {
  readonly #options: ScanFilesOptions;
  readonly #use: CacheUse;
  readonly #pins: Pin[] = [];
  readonly #released = new AbortController();
  readonly #counts = { local: 0, httpfs: 0, cache: 0, core: 0 };

  constructor(options: ScanFilesOptions) {
    this.#options = options;
    const { signal: released } = this.#released;
    const signal = options.signal ? AbortSignal.any([options.signal, released]) : released;
    // What fails lets go of all at once, when some may still be under way.
    const keep = (pin: Pin): void => void (released.aborted ? pin.release() : this.#pins.push(pin));
    this.#use = { keep, signal, fetched: { bytes: 0, requests: 0 } };
  }

  get access(): FileAccess {
    const { bytes, requests } = this.#use.fetched;
    return { ...this.#counts, bytesFetched: bytes, requests };
  }

  count(how: 'local' | 'httpfs' | 'cache' | 'core', files = 1): void {
    this.#counts[how] += files;
  }

  url(location: string): string | null {
    return this.#options.url(location);
  }

  tableFile({ file, schema }: FileScanTask): TableFile {
    const { io, table } = this.#options;
    const groups = file.splitOffsets?.length ?? 1;
    return { io, table, location: file.path, size: file.fileSizeInBytes, footerGuess: footerGuess(schema, groups) };
  }

  /** What is known of a file is known under this name. */
  nameOf(location: string): string {
    return `${location} of ${this.#options.table}`;
  }

  footer(file: TableFile): Promise<KnownFooter> {
    return this.#options.cache.footer(file, this.#use);
  }

  footerPath(file: TableFile): Promise<string> {
    return this.#options.cache.footerPath(file, this.#use);
  }

  open(file: TableFile, known: KnownFooter, wanted: Coverage): Promise<OpenedFile> {
    return this.#options.cache.open(file, known, wanted, this.#use);
  }

  release(): void {
    this.#released.abort();
    for (const pin of this.#pins.splice(0)) pin.release();
  }
}

/** What a leaf's names and types take in a footer, and what each of its chunks does: places, encodings, statistics. */
const LEAF_BYTES = 200;
const CHUNK_BYTES = 160;
const LEAST_BYTES = 4 * 1024;

function footerGuess(schema: StructType, rowGroups: number): number {
  return LEAST_BYTES + leafCount(schema) * (LEAF_BYTES + CHUNK_BYTES * rowGroups);
}

function leafCount(type: IcebergType): number {
  switch (type.kind) {
    case 'struct':
      return type.fields.reduce((sum, field) => sum + leafCount(field.type), 0);
    case 'list':
      return leafCount(type.element);
    case 'map':
      return leafCount(type.key) + leafCount(type.value);
    default:
      return 1;
  }
}
