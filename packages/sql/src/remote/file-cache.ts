import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { throwIfAborted } from '@lh/core';
import type { FileIO } from '@lh/core';
import { checkedFooter, parquetEnd, readFooterBytes } from '@lh/core/engine';
import { CacheDirectory } from './cache-directory.ts';
import type { CacheEntry, Pin } from './cache-directory.ts';
import { beginning, readSome } from './cache-file.ts';
import type { CacheFileDescription, CacheFileWriter } from './cache-file.ts';
import { cacheDirectory, cacheSize } from './cache-options.ts';
import type { CacheOptions } from './cache-options.ts';
import { bytesOf, coverageToFetch, covers, wholeFile } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { fillChunks, fillFrom } from './fill-chunks.ts';
import { FooterMemory } from './footer-memory.ts';
import type { KnownFooter } from './footer-memory.ts';
import { KeyedTurns } from './keyed-turns.ts';
import { ChangedFile, StoreReads } from './store-reads.ts';
import type { StoreReadOptions, StoredFile } from './store-reads.ts';
import { cacheError } from './system-errors.ts';

/** A file of a table in a store. */
export interface TableFile extends StoredFile {
  /** The table's UUID: one that was dropped and made again may use the names of its files again. */
  readonly table: string;
  /** About how many bytes its footer has. */
  readonly footerGuess: number;
}

/** Part of a file, on the local disk. */
export interface OpenedFile {
  readonly path: string;
  /** The row groups of the whole file that this one has, in their order. */
  readonly rowGroups: readonly number[];
}

/** What a query uses of the cache: it stays there until that is released. */
export interface CacheUse extends StoreReadOptions {
  readonly keep: (pin: Pin) => void;
}

type Pinned<T> = T & { readonly pin: Pin };

/** A file of no more bytes is fetched as a whole, with one request. */
const SMALL_FILE = 128 * 1024;

/**
 * Data files of stores, on the local disk: of each its footer, and the column chunks that queries have needed. As data
 * files never change, what is there is right for good. One process fetches nothing twice at a time.
 */
export class FileCache {
  readonly #options: CacheOptions;
  readonly #reads = new StoreReads();
  readonly #footers = new FooterMemory();
  readonly #turns = new KeyedTurns();
  #directory: Promise<CacheDirectory> | null = null;

  /** The directory is made, and cleared of what killed processes left, when it is first used. */
  constructor(options: CacheOptions = {}) {
    this.#options = options;
  }

  async close(): Promise<void> {
    const directory = this.#directory;
    this.#directory = null;
    await (await directory?.catch(() => null))?.close();
  }

  /** The footer of a file. INVALID_DATA if it isn't a whole Parquet file; UNSUPPORTED if it is encrypted. */
  async footer(file: TableFile, use: CacheUse): Promise<KnownFooter> {
    const known = this.#footers.get(keyOf(file));
    if (known) return known;
    const { pin, ...footer } = await this.#footer(file, use);
    pin.release();
    return footer;
  }

  /** The path of a Parquet file without rows that has the schema of a file, and tells of its columns what that tells. */
  async footerPath(file: TableFile, use: CacheUse): Promise<string> {
    const { pin } = await this.#footer(file, use);
    use.keep(pin);
    return pin.path;
  }

  /** A Parquet file with the rows of these row groups, or of more, and these columns; not to be asked for others. */
  async open(file: TableFile, known: KnownFooter, wanted: Coverage, use: CacheUse): Promise<OpenedFile> {
    const key = keyOf(file);
    const find = async (
      directory: CacheDirectory,
      entries: readonly CacheEntry[],
    ): Promise<Pinned<OpenedFile> | null> => {
      const fitting = entries.filter(({ description }) => description.kind === 'chunks' && covers(description, wanted));
      for (const { name, description } of fitting.toSorted((a, b) => a.bytes - b.bytes)) {
        const pin = await directory.pin(name);
        if (pin) return { pin, path: pin.path, rowGroups: description.rowGroups };
      }
      return null;
    };
    const fill = (directory: CacheDirectory): Promise<Pinned<OpenedFile>> =>
      this.#fillChunks(directory, file, known, wanted, use);
    const { pin, ...opened } = await this.#findOrFill(key, use, find, fill);
    use.keep(pin);
    return opened;
  }

  async #footer(file: TableFile, use: CacheUse): Promise<Pinned<KnownFooter>> {
    const key = keyOf(file);
    const find = async (
      directory: CacheDirectory,
      entries: readonly CacheEntry[],
    ): Promise<Pinned<KnownFooter> | null> => {
      const entry = entries.find(({ description }) => description.kind === 'footer');
      const pin = entry && (await directory.pin(entry.name));
      if (!pin) return null;
      const known = this.#footers.get(key);
      if (known) return { pin, ...known };
      const footer = this.#remember(file, await storedFooter(pin.path), entry.description.etag);
      return { pin, ...footer };
    };
    return this.#findOrFill(key, use, find, (directory) => this.#fillFooter(directory, file, use));
  }

  /** Finds something among what the cache has of a file, and fetches it if it isn't there. */
  async #findOrFill<T>(
    key: string,
    { signal }: CacheUse,
    find: (directory: CacheDirectory, entries: readonly CacheEntry[]) => Promise<T | null>,
    fill: (directory: CacheDirectory) => Promise<T>,
  ): Promise<T> {
    const directory = await this.#opened();
    try {
      throwIfAborted(signal);
      const found = await find(directory, await directory.find(key, { rescan: false }));
      if (found) return found;
      return await this.#turns.take(key, signal, async () => {
        const entries = await directory.find(key, { rescan: true });
        return (await find(directory, entries)) ?? (await fill(directory));
      });
    } catch (error) {
      throw cacheError(error, directory.path);
    }
  }

  async #fillFooter(directory: CacheDirectory, file: TableFile, use: CacheUse): Promise<Pinned<KnownFooter>> {
    const { location, size } = file;
    let [etag, whole]: [string | null, Uint8Array | null] = [null, null];
    const read: FileIO['read'] = async (_, { offset = 0, length = 0 } = {}) => {
      const { bytes, stat } = await this.#reads.read(file, { offset, length }, use);
      etag = stat?.etag ?? null;
      if (bytes.length === size) whole = bytes;
      return bytes;
    };
    const tailSize = size <= SMALL_FILE ? size : Math.min(size, file.footerGuess);
    const bytes = await readFooterBytes({ read }, location, size, { tailSize });
    const known = this.#remember(file, bytes, etag);
    const description: CacheFileDescription = { kind: 'footer', location, size, etag, rowGroups: [], leaves: [] };
    const start = beginning(description).length;
    const pin = await this.#publish(directory, file, description, bytes.length, (writer) =>
      writer.write(start, parquetEnd(bytes)),
    );
    try {
      if (whole !== null) await this.#keepWhole(directory, file, known, whole);
    } catch (error) {
      pin.release();
      throw error;
    }
    return { pin, ...known };
  }

  #remember(file: TableFile, bytes: Uint8Array, etag: string | null): KnownFooter {
    const known = { footer: checkedFooter(bytes, file.location, file.size), etag };
    this.#footers.set(keyOf(file), known, bytes.length);
    return known;
  }

  /** A small file came with its footer. */
  async #keepWhole(
    directory: CacheDirectory,
    { location, size, ...file }: TableFile,
    { footer, etag }: KnownFooter,
    bytes: Uint8Array,
  ): Promise<void> {
    const description: CacheFileDescription = { kind: 'chunks', location, size, etag, ...wholeFile(footer) };
    const pin = await this.#publish(directory, { ...file, location, size }, description, bytes.length, (writer) =>
      fillFrom(writer, description, footer, bytes),
    );
    pin.release();
  }

  async #fillChunks(
    directory: CacheDirectory,
    file: TableFile,
    { footer, etag }: KnownFooter,
    wanted: Coverage,
    use: CacheUse,
  ): Promise<Pinned<OpenedFile>> {
    const { location, size } = file;
    const held = await heldFiles(directory, keyOf(file));
    try {
      const { coverage, replaces } = coverageToFetch(
        footer,
        wanted,
        held.map((one) => ({ ...one, ...one.description })),
      );
      const description: CacheFileDescription = { kind: 'chunks', location, size, etag, ...coverage };
      const source = { reads: this.#reads, file: { ...file, etag }, held };
      const pin = await this.#publish(directory, file, description, bytesOf(footer, coverage), (writer) =>
        fillChunks(writer, description, footer, source, use),
      );
      for (const { name } of replaces) if (name !== nameOf(file, description)) await directory.remove(name);
      return { pin, path: pin.path, rowGroups: coverage.rowGroups };
    } catch (error) {
      if (error instanceof ChangedFile) await this.#forget(directory, keyOf(file));
      throw error;
    } finally {
      for (const { pin } of held) pin.release();
    }
  }

  async #forget(directory: CacheDirectory, key: string): Promise<void> {
    this.#footers.delete(key);
    for (const { name } of await directory.find(key, { rescan: false })) await directory.remove(name);
  }

  async #publish(
    directory: CacheDirectory,
    file: TableFile,
    description: CacheFileDescription,
    bytes: number,
    write: (writer: CacheFileWriter) => Promise<void>,
  ): Promise<Pin> {
    const done = await directory.reserve(bytes + beginning(description).length);
    try {
      return await directory.publish(nameOf(file, description), description, write);
    } finally {
      done();
    }
  }

  async #opened(): Promise<CacheDirectory> {
    this.#directory ??= this.#open();
    try {
      return await this.#directory;
    } catch (error) {
      this.#directory = null;
      throw error;
    }
  }

  async #open(): Promise<CacheDirectory> {
    const path = await cacheDirectory(this.#options);
    try {
      return await CacheDirectory.open(path, await cacheSize(this.#options, path));
    } catch (error) {
      throw cacheError(error, path);
    }
  }
}

interface PinnedEntry extends CacheEntry {
  readonly pin: Pin;
  readonly path: string;
}

/** The files of the cache that have chunks of a file. */
async function heldFiles(directory: CacheDirectory, key: string): Promise<readonly PinnedEntry[]> {
  const entries = await directory.find(key, { rescan: false });
  const held = entries
    .filter(({ description }) => description.kind === 'chunks')
    .map(async (entry) => {
      const pin = await directory.pin(entry.name);
      return pin ? [{ ...entry, pin, path: pin.path }] : [];
    });
  return (await Promise.all(held)).flat();
}

/** The footer of a file of the cache that has nothing else. */
async function storedFooter(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read: FileIO['read'] = (_, { offset = 0, length = 0 } = {}) => readSome(file, offset, length);
    return await readFooterBytes({ read }, path, size);
  } finally {
    await file.close();
  }
}

function keyOf({ table, location, size }: TableFile): string {
  return hash(JSON.stringify([table, location, size]));
}

function nameOf(file: TableFile, { kind, rowGroups, leaves }: CacheFileDescription): string {
  return `${keyOf(file)}-${kind === 'footer' ? kind : hash(JSON.stringify([rowGroups, leaves])).slice(0, 16)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}
