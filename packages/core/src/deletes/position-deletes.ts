import { invalidData } from '../errors.ts';
import { decodeDeletionVector } from '../formats/puffin/deletion-vector.ts';
import { PositionBitmap } from '../formats/puffin/position-bitmap.ts';
import { readRange } from '../formats/read-ranges.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import type { DeleteFile, FileScanTask } from '../scan/file-scan-task.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import { readPositionDeletes } from './position-delete-file.ts';
import type { PositionsByPath } from './position-delete-file.ts';
import { RecentlyUsed } from './recently-used.ts';
import type { ReadRows } from './read-rows.ts';

/** Delete files that one task reads at a time. */
const CONCURRENCY = 8;
/** A delete file with more rows is read anew for each data file, only as far as it is about it, and not kept. */
const MAX_SHARED_ROWS = 4_000_000;

/** Knows which positions of data files are deleted. What was read is kept: a delete file may be about many data files. */
export class PositionDeletes {
  readonly #io: FileIO;
  readonly #readRows: ReadRows;
  readonly #shared: RecentlyUsed<SharedFile>;

  constructor(io: FileIO, readRows: ReadRows, maxBytes: number) {
    this.#io = io;
    this.#readRows = readRows;
    this.#shared = new RecentlyUsed(maxBytes);
  }

  /** The deleted positions of a task's file; null if no position delete or deletion vector applies to it. */
  async forTask({ file, deletes }: FileScanTask, options: IOOptions): Promise<PositionBitmap | null> {
    const files = deletes.filter((entry) => entry.file.content === 'position-deletes');
    // A deletion vector stands for all position deletes that were there before (spec: "Deletion Vectors").
    const vector = files.find((entry) => isDeletionVector(entry.file));
    if (vector) return (await this.#sharedVector(vector, file.path)).get(file.path)!;
    let positions: PositionBitmap | null = null;
    const load = (entry: DeleteFile) => this.#inFile(entry, file.path, options);
    for await (const found of lookAhead(files, CONCURRENCY, load)) {
      if (found === undefined) continue;
      // What is shared is not added to.
      const merged: PositionBitmap = positions ?? (files.length === 1 ? found : new PositionBitmap());
      if (merged !== found) merged.addAll(found);
      positions = merged;
    }
    return positions;
  }

  async #inFile(entry: DeleteFile, path: string, options: IOOptions): Promise<PositionBitmap | undefined> {
    if (entry.file.recordCount > MAX_SHARED_ROWS) {
      return (await readPositionDeletes(this.#io, this.#readRows, entry, { ...options, path })).get(path);
    }
    return (await this.#share(entry.file.path, () => readPositionDeletes(this.#io, this.#readRows, entry))).get(path);
  }

  /** Vectors are kept for the next scan that shares the loader. */
  #sharedVector(entry: DeleteFile, path: string): Promise<PositionsByPath> {
    const read = async () => new Map([[path, await readVector(this.#io, entry, {})]]);
    return this.#share(`${entry.file.path}#${entry.file.contentOffset}#${path}`, read);
  }

  /** Not aborted by the signal of one who waits for it: others may be waiting, too. */
  #share(key: string, read: () => Promise<PositionsByPath>): Promise<PositionsByPath> {
    const known = this.#shared.get(key);
    if (known) return known.positions;
    const shared: SharedFile = { bytes: 0, positions: read() };
    this.#shared.keep(key, shared);
    void this.#measure(key, shared);
    return shared.positions;
  }

  async #measure(key: string, shared: SharedFile): Promise<void> {
    try {
      shared.bytes = bytesOf(await shared.positions);
      this.#shared.keep(key, shared);
    } catch {
      // Those who wait for it are told; the next one tries again.
      this.#shared.forget(key);
    }
  }
}

interface SharedFile {
  /** 0 until it is read. */
  bytes: number;
  readonly positions: Promise<PositionsByPath>;
}

function bytesOf(positions: PositionsByPath): number {
  let bytes = 0;
  for (const [path, bitmap] of positions) bytes += 2 * path.length + bitmap.bytes;
  return bytes;
}

/** One range of a Puffin file. INVALID_DATA if what is there isn't the vector that the manifest says it is. */
export async function readVector(io: FileIO, { file }: DeleteFile, options: IOOptions): Promise<PositionBitmap> {
  const { path, contentOffset, contentSizeInBytes, recordCount } = file;
  // Readers of manifests have made sure that there is a place.
  const range = { offset: contentOffset!, length: contentSizeInBytes! };
  const positions = decodeDeletionVector(await readRange(io, path, range, options.signal), path);
  if (positions.size === recordCount) return positions;
  throw invalidData(
    `The deletion vector in ${path} at ${range.offset} has ${positions.size} positions where its manifest says ${recordCount}.`,
    { path },
  );
}
