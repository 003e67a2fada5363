import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { invalidData, partialFile } from '@lh/core/engine';
import type { ParquetFooter, PartialFile, PlacedChunk } from '@lh/core/engine';
import { beginning, readSome } from './cache-file.ts';
import type { CacheFileDescription, CacheFileWriter } from './cache-file.ts';
import { piecesOf } from './pieces.ts';
import type { StoreReadOptions, StoreReads, StoredFile } from './store-reads.ts';

/** A file of the cache that has some of the chunks already. */
export interface HeldFile {
  readonly path: string;
  readonly description: CacheFileDescription;
}

/** Where chunks come from: the store, and files that have some of them. */
export interface ChunkSource {
  readonly reads: StoreReads;
  readonly file: StoredFile & { readonly etag: string | null };
  readonly held: readonly HeldFile[];
}

/** Writes chunks of a file after what a cache file begins with, and then the end of a Parquet file that has these only. */
export async function fillChunks(
  writer: CacheFileWriter,
  description: CacheFileDescription,
  footer: ParquetFooter,
  source: ChunkSource,
  options: StoreReadOptions,
): Promise<void> {
  const { chunks, end, endAt } = layout(footer, description);
  const local = await LocalChunks.open(footer, source.held);
  try {
    const copied = chunks.filter((chunk) => local.has(chunk));
    const pieces = piecesOf(chunks.filter((chunk) => !local.has(chunk)));
    let next = 0;
    const copyUpTo = async (at: number): Promise<void> => {
      for (; next < copied.length && copied[next]!.at < at; next++) await local.copy(copied[next]!, writer);
    };
    for await (const { piece, bytes } of source.reads.inOrder(source.file, pieces, options)) {
      for (const { start, length, at } of piece.parts) {
        await copyUpTo(at);
        await writer.write(at, bytes.subarray(start, start + length));
      }
    }
    await copyUpTo(endAt);
    await writer.write(endAt, end);
  } finally {
    await local.close();
  }
}

/** The same, of a file that is in memory. */
export async function fillFrom(
  writer: CacheFileWriter,
  description: CacheFileDescription,
  footer: ParquetFooter,
  bytes: Uint8Array,
): Promise<void> {
  const { chunks, end, endAt } = layout(footer, description);
  for (const { at, offset, length } of chunks) await writer.write(at, bytes.subarray(offset, offset + length));
  await writer.write(endAt, end);
}

function layout(footer: ParquetFooter, description: CacheFileDescription): PartialFile {
  const { rowGroups, leaves } = description;
  return partialFile(footer, rowGroups, leaves, beginning(description).length);
}

const COPY_BYTES = 2 ** 20;

type Places = ReadonlyMap<string, { readonly file: FileHandle; readonly at: number }>;

/** Chunks that files of the cache have. */
class LocalChunks {
  readonly #places: Places;
  readonly #files: readonly FileHandle[];

  private constructor(places: Places, files: readonly FileHandle[]) {
    this.#places = places;
    this.#files = files;
  }

  static async open(footer: ParquetFooter, held: readonly HeldFile[]): Promise<LocalChunks> {
    const places = new Map<string, { file: FileHandle; at: number }>();
    const files: FileHandle[] = [];
    for (const { path, description } of held) {
      const file = await open(path);
      files.push(file);
      for (const chunk of layout(footer, description).chunks) {
        places.set(nameOf(chunk), { file, at: chunk.at });
      }
    }
    return new LocalChunks(places, files);
  }

  has(chunk: PlacedChunk): boolean {
    return this.#places.has(nameOf(chunk));
  }

  async copy(chunk: PlacedChunk, writer: CacheFileWriter): Promise<void> {
    const { file, at } = this.#places.get(nameOf(chunk))!;
    for (let done = 0; done < chunk.length;) {
      const bytes = await readSome(file, at + done, Math.min(COPY_BYTES, chunk.length - done));
      if (bytes.length === 0) throw invalidData('A file of the cache was cut off while it was read.');
      await writer.write(chunk.at + done, bytes);
      done += bytes.length;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

const nameOf = ({ rowGroup, leaf }: PlacedChunk): string => `${rowGroup}:${leaf}`;
