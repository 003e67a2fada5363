import type { DeleteFile } from './file-scan-task.ts';

const NONE: readonly DeleteFile[] = [];

/** Delete files in the order of their sequence numbers. */
export class SequencedDeletes {
  readonly files: readonly DeleteFile[];
  /** Files of one commit come together and get the same answer: the same array, too. */
  #lastStart = 0;
  #lastSuffix: readonly DeleteFile[];

  constructor(files: readonly DeleteFile[]) {
    this.files = files.toSorted((a, b) => compare(a.sequenceNumber, b.sequenceNumber));
    this.#lastSuffix = this.files;
  }

  /** Where the files from this sequence number on start. */
  startOf(sequenceNumber: bigint): number {
    let low = 0;
    let high = this.files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.files[middle]!.sequenceNumber < sequenceNumber) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The files from a position on. */
  suffix(start: number): readonly DeleteFile[] {
    if (start >= this.files.length) return NONE;
    if (start !== this.#lastStart) {
      this.#lastStart = start;
      this.#lastSuffix = this.files.slice(start);
    }
    return this.#lastSuffix;
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
