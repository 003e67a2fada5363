import { isValid } from '../../columns/column.ts';
import type { Column } from '../../columns/column.ts';

/** Values of a column that are looked at. */
const SAMPLED = 1024;

/** A dictionary has to save so much before compression, which does well with values that repeat. */
const WORTH = 0.7;

/**
 * Whether a dictionary makes fewer bytes of a column, as far as a sample tells; `parts` are its rows, in order. Where
 * values hardly repeat, the encoder takes four times as long with one as without, and makes a file three times as large.
 * Null for columns that this can't be told of: those of nested types, and booleans, which have none.
 * @param limit bytes that the dictionary may have at most
 */
export function isWorthDictionary(parts: readonly Column[], limit: number): boolean | null {
  const rows = parts.reduce((sum, part) => sum + part.length, 0);
  const sample = new Sample();
  const step = Math.max(1, rows / SAMPLED);
  let first = 0;
  let next = 0;
  for (const part of parts) {
    const values = valuesOf(part);
    if (values === null) return null;
    for (; next < first + part.length; next += step) sample.add(part, values, Math.floor(next) - first);
    first += part.length;
  }
  if (sample.count === 0) return null;
  const distinct = step === 1 ? sample.distinct : Math.min(rows, sample.distinctOf(rows));
  const size = sample.bytes / sample.count;
  const dictionary = distinct * size;
  const indexes = (rows * Math.ceil(Math.log2(Math.max(2, distinct)))) / 8;
  return dictionary <= limit && dictionary + indexes < WORTH * rows * size;
}

class Sample {
  count = 0;
  bytes = 0;
  /** Values that are followed by one that is the same. */
  #followed = 0;
  readonly #hashes = new Set<number>();

  get distinct(): number {
    return this.#hashes.size;
  }

  add(part: Column, values: Values, row: number): void {
    if (!isValid(part, row)) return;
    const hash = hashOf(values, row);
    this.count++;
    this.bytes += values.end(row) - values.start(row) + values.overhead;
    this.#hashes.add(hash);
    if (row + 1 < part.length && isValid(part, row + 1) && hashOf(values, row + 1) === hash) this.#followed++;
  }

  /**
   * How many different values there are among all rows, not less than that as a rule: by how often two of the sample are
   * the same by chance (the birthday problem), or by how often the value changes from one row to the next.
   */
  distinctOf(rows: number): number {
    const same = this.count - this.distinct;
    const byChance = same === 0 ? rows : this.count ** 2 / (2 * same);
    const byRuns = rows * (1 - this.#followed / this.count);
    return Math.max(this.distinct, Math.min(byChance, byRuns));
  }
}

/** The bytes of a column's values. */
interface Values {
  readonly bytes: Uint8Array;
  readonly start: (row: number) => number;
  readonly end: (row: number) => number;
  /** What Parquet stores with each value. */
  readonly overhead: number;
}

function valuesOf(column: Column): Values | null {
  switch (column.layout) {
    case 'numbers': {
      const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT } = column.values;
      return fixedValues(new Uint8Array(buffer, byteOffset, byteLength), BYTES_PER_ELEMENT);
    }
    case 'fixed':
      return fixedValues(column.bytes, column.width);
    case 'variable': {
      const { bytes, offsets } = column;
      return { bytes, start: (row) => offsets[row]!, end: (row) => offsets[row + 1]!, overhead: 4 };
    }
    case 'bits':
    case 'struct':
    case 'list':
    case 'nothing':
      return null;
  }
}

function fixedValues(bytes: Uint8Array, width: number): Values {
  return { bytes, start: (row) => row * width, end: (row) => (row + 1) * width, overhead: 0 };
}

/** Of longer values, so many bytes at either end count. */
const HASHED_BYTES = 32;

/** FNV-1a. Values of one hash count as the same, which a sample can do with. */
function hashOf({ bytes, start, end }: Values, row: number): number {
  const [from, to] = [start(row), end(row)];
  let hash = 0x811c9dc5 ^ (to - from);
  const head = Math.min(to, from + HASHED_BYTES);
  for (let at = from; at < head; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  for (let at = Math.max(head, to - HASHED_BYTES); at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}
