import { LakehouseError } from '@lh/core';
import type { FileIO, FileStat } from '@lh/core';
import { readRange } from '@lh/core/engine';
import { Budget } from './budget.ts';
import type { Piece } from './pieces.ts';

/** A data file in a store. It is never changed (spec: "File System Operations"). */
export interface StoredFile {
  readonly io: FileIO;
  readonly location: string;
  /** Bytes. */
  readonly size: number;
}

/** What was read of the store for one scan. */
export interface Fetched {
  bytes: number;
  requests: number;
}

export interface StoreReadOptions {
  readonly signal: AbortSignal | undefined;
  readonly fetched: Fetched;
}

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** How much may be on its way, or wait to be written to the disk, of all files together. */
const AHEAD_BYTES = 96 * 2 ** 20;
const MAX_REQUESTS = 32;
/** Requests of one file that are under way at a time. */
const PIECES_AHEAD = 8;

/** Reads of stores, of which no more than some are under way at a time. */
export class StoreReads {
  readonly #bytes = new Budget(AHEAD_BYTES);
  readonly #requests = new Budget(MAX_REQUESTS);

  /** A range, and what the store's answer told of the file. */
  async read(
    { io, location }: StoredFile,
    range: Range,
    { signal, fetched }: StoreReadOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly stat: FileStat | null }> {
    const done = await this.#requests.take(1);
    let stat: FileStat | null = null;
    const onStat = (told: FileStat): void => void (stat = told);
    try {
      fetched.requests++;
      const read: FileIO['read'] = (at, options) => io.read(at, { ...options, onStat });
      const bytes = await readRange({ read }, location, range, signal);
      fetched.bytes += bytes.length;
      return { bytes, stat };
    } finally {
      done();
    }
  }

  /** The pieces of a file in their order; the next ones are fetched meanwhile. */
  async *inOrder(
    file: StoredFile & { readonly etag: string | null },
    pieces: readonly Piece[],
    { signal, fetched }: StoreReadOptions,
  ): AsyncGenerator<{ readonly piece: Piece; readonly bytes: Uint8Array }> {
    const stop = new AbortController();
    const options = { fetched, signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal };
    const taken: (() => void)[] = [];
    const fetch = async (piece: Piece): Promise<Uint8Array> => {
      // Granted in the order of asking: the first piece of a file never waits for the later ones of another.
      taken.push(await this.#bytes.take(piece.length));
      options.signal.throwIfAborted();
      const { bytes, stat } = await this.read(file, piece, options);
      if (stat !== null && isOther(file, stat)) throw new ChangedFile(file.location);
      return bytes;
    };
    const pending: Promise<Uint8Array>[] = [];
    let next = 0;
    try {
      for (const piece of pieces) {
        for (; next < pieces.length && pending.length < PIECES_AHEAD; next++) {
          const reading = fetch(pieces[next]!);
          // Reported when its turn comes.
          reading.catch(() => undefined);
          pending.push(reading);
        }
        yield { piece, bytes: await pending.shift()! };
        taken.shift()!();
      }
    } finally {
      stop.abort();
      await Promise.allSettled(pending);
      for (const giveBack of taken) giveBack();
    }
  }
}

function isOther({ size, etag }: { readonly size: number; readonly etag: string | null }, stat: FileStat): boolean {
  return stat.size !== size || (etag !== null && stat.etag !== undefined && stat.etag !== etag);
}

/** Whoever wrote it broke the rule that data files are not changed. */
export class ChangedFile extends LakehouseError {
  constructor(location: string) {
    super(
      'INVALID_DATA',
      `The data file ${location} is not the one any more whose footer was read: something else was written over it.`,
      { context: { path: location } },
    );
  }
}
