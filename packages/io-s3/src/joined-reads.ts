import { isLakehouseError, type ReadOptions } from '@lh/core';
import { aborted } from './s3-errors.ts';

/** Larger reads gain nothing from company. */
const SMALL = 1024 * 1024;
/** A request isn't made longer than this by joining reads. */
const LONGEST = 4 * 1024 * 1024;
/** So much may lie between two reads anyway; more only as far as it is an eighth of what is wanted. */
const GAP = 4 * 1024;

export interface SmallRead {
  readonly offset: number;
  readonly length: number;
}

interface Waiting extends SmallRead {
  readonly options: ReadOptions;
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

export type ReadObject = (location: string, options: ReadOptions) => Promise<Uint8Array>;

/** Small reads of one file that are asked for at the same time become one request, if they lie close to each other. */
export class JoinedReads {
  readonly #read: ReadObject;
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(read: ReadObject) {
    this.#read = read;
  }

  read(location: string, options: ReadOptions): Promise<Uint8Array> {
    const { offset = 0, length } = options;
    const isSmall = length !== undefined && length > 0 && length <= SMALL && offset >= 0 && !options.onStat;
    if (!isSmall) return this.#read(location, options);
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(location) ?? [];
      waiting.push({ offset, length, options, resolve, reject });
      if (waiting.length > 1) return;
      this.#waiting.set(location, waiting);
      // When all that can be asked for now has been.
      setImmediate(() => {
        this.#waiting.delete(location);
        for (const group of joinReads(waiting)) void this.#readGroup(location, group);
      });
    });
  }

  async #readGroup(location: string, group: readonly Waiting[]): Promise<void> {
    if (group.length === 1) return this.#readAlone(location, group[0]!);
    const start = group[0]!.offset;
    const end = Math.max(...group.map((read) => read.offset + read.length));
    const { signal, release } = untilAllLeft(group);
    try {
      const bytes = await this.#read(location, { offset: start, length: end - start, signal });
      for (const { offset, length, resolve } of group) resolve(bytes.slice(offset - start, offset - start + length));
    } catch (error) {
      // One of them may ask for what isn't there: each gets an answer of its own.
      const isOnesFault = isLakehouseError(error, 'INVALID_ARGUMENT');
      for (const read of group) {
        if (isOnesFault) void this.#readAlone(location, read);
        else read.reject(error);
      }
    } finally {
      release();
    }
  }

  async #readAlone(location: string, { options, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await this.#read(location, options));
    } catch (error) {
      reject(error);
    }
  }
}

/** Groups of reads that one request serves, each sorted by offset: it fetches at most 1.125 of what is wanted, and some gaps. */
export function joinReads<Read extends SmallRead>(reads: readonly Read[]): Read[][] {
  const groups: Read[][] = [];
  let [start, end, wanted, wasted] = [0, 0, 0, 0];
  for (const read of reads.toSorted((a, b) => a.offset - b.offset)) {
    const gap = Math.max(0, read.offset - end);
    const more = Math.max(0, read.offset + read.length - Math.max(end, read.offset));
    const isClose = gap <= GAP || (wasted + gap) * 8 <= wanted + more;
    const group = groups.at(-1);
    if (group && isClose && Math.max(end, read.offset + read.length) - start <= LONGEST) {
      group.push(read);
      [end, wanted, wasted] = [Math.max(end, read.offset + read.length), wanted + more, wasted + gap];
    } else {
      groups.push([read]);
      [start, end, wanted, wasted] = [read.offset, read.offset + read.length, read.length, 0];
    }
  }
  return groups;
}

/** Lets each read go as soon as its own signal says so; the signal for all is given with the last one. */
function untilAllLeft(group: readonly Waiting[]): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  let left = group.length;
  const listeners = group.map(({ options: { signal }, reject }) => {
    const leave = (): void => {
      reject(aborted(signal));
      if (--left === 0) controller.abort();
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener('abort', leave, { once: true });
    return () => signal?.removeEventListener('abort', leave);
  });
  return { signal: controller.signal, release: () => listeners.forEach((remove) => remove()) };
}
