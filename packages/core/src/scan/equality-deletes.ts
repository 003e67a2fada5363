import type { Comparator } from '../spec/compare-values.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { NestedField } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { RangeColumn, type ColumnRange } from './column-range.ts';
import type { DeleteFile } from './file-scan-task.ts';
import { SequencedDeletes } from './sequenced-deletes.ts';

/**
 * The equality deletes of one partition, or the global ones, that are on the same columns. A data file gets those that
 * are newer (spec: "Scan Planning") and whose metrics don't rule out that they delete one of its rows. Upserts make
 * many of each, so none of the common cases compares all data files with all deletes: either all newer ones overlap,
 * which a look at their combined range tells, or few do, which are found by the first column's bounds.
 */
export class EqualityDeletes {
  readonly #columns: readonly RangeColumn[];
  readonly #deletes: SequencedDeletes;
  /** For each delete in sequence, the ranges of the columns. */
  readonly #ranges: readonly (readonly ColumnRange[])[];
  readonly #combined: readonly (CombinedRange | null)[];
  readonly #byRange: RangeIndex | null;

  constructor(files: readonly DeleteFile[], fields: readonly NestedField[]) {
    this.#columns = fields.map((field) => new RangeColumn(field));
    this.#deletes = new SequencedDeletes(files);
    this.#ranges = this.#deletes.files.map(({ file }) => this.#rangesOf(file));
    const compare = this.#columns[0]?.compare ?? null;
    const first = this.#ranges.map((ranges) => ranges[0]!);
    this.#combined = compare && this.#columns.length === 1 ? combineFromEnd(first, compare) : [];
    this.#byRange = compare && new RangeIndex(first, compare);
  }

  get files(): readonly DeleteFile[] {
    return this.#deletes.files;
  }

  /** The columns whose statistics `matching` wants of data files. */
  get columnIds(): readonly number[] {
    return this.#columns.map(({ id }) => id);
  }

  matching(file: DataFile, sequenceNumber: bigint): readonly DeleteFile[] {
    const start = this.#deletes.startOf(sequenceNumber + 1n);
    const newer = this.#deletes.suffix(start);
    if (newer.length === 0) return newer;
    const ranges = this.#rangesOf(file);
    const combined = this.#combined[start];
    if (combined && coversAll(ranges[0]!, combined, this.#columns[0]!.compare!)) return newer;
    const candidates = this.#byRange?.overlapping(ranges[0]!) ?? this.#ranges.keys();
    const found: number[] = [];
    for (const index of candidates)
      if (index >= start && this.#overlap(ranges, this.#ranges[index]!)) found.push(index);
    if (found.length === newer.length) return newer;
    return found.toSorted((a, b) => a - b).map((index) => this.files[index]!);
  }

  #rangesOf(file: DataFile): readonly ColumnRange[] {
    return this.#columns.map((column) => column.rangeIn(file));
  }

  #overlap(a: readonly ColumnRange[], b: readonly ColumnRange[]): boolean {
    return this.#columns.every((column, i) => column.overlap(a[i]!, b[i]!));
  }
}

/** Of several ranges the highest lower and the lowest upper bound: what covers this overlaps each of them. */
interface CombinedRange {
  readonly highestLower: Value;
  readonly lowestUpper: Value;
}

/** Combines the ranges from each position to the end; null from where one of them could match by null or is unknown. */
function combineFromEnd(ranges: readonly ColumnRange[], compare: Comparator): readonly (CombinedRange | null)[] {
  const combined: (CombinedRange | null)[] = ranges.map(() => null);
  for (let i = ranges.length - 1; i >= 0; i--) {
    const { bounds, mayHoldNull } = ranges[i]!;
    if (!bounds || mayHoldNull) break;
    const after = combined[i + 1];
    combined[i] = {
      highestLower: after && compare(after.highestLower, bounds.lower) > 0 ? after.highestLower : bounds.lower,
      lowestUpper: after && compare(after.lowestUpper, bounds.upper) < 0 ? after.lowestUpper : bounds.upper,
    };
  }
  return combined;
}

function coversAll({ bounds }: ColumnRange, combined: CombinedRange, compare: Comparator): boolean {
  return (
    bounds !== null &&
    compare(bounds.lower, combined.lowestUpper) <= 0 &&
    compare(bounds.upper, combined.highestLower) >= 0
  );
}

interface RangeEntry {
  readonly index: number;
  readonly lower: Value;
  readonly upper: Value;
}

/**
 * Finds ranges that overlap a given one without looking at all of them: in the order of their lower bounds, those after
 * the given upper bound are out, and going back from there one can stop where no upper bound so far reaches up to the
 * given lower one.
 */
class RangeIndex {
  readonly #compare: Comparator;
  /** By lower bound. */
  readonly #entries: readonly RangeEntry[];
  /** The highest upper bound of the entries up to each. */
  readonly #highestUpper: readonly Value[];
  /** Ranges that can't be told by bounds alone: always candidates. */
  readonly #others: readonly number[];

  constructor(ranges: readonly ColumnRange[], compare: Comparator) {
    this.#compare = compare;
    const entries: RangeEntry[] = [];
    const others: number[] = [];
    for (const [index, { bounds, mayHoldNull }] of ranges.entries()) {
      if (bounds && !mayHoldNull) entries.push({ index, ...bounds });
      else others.push(index);
    }
    this.#entries = entries.toSorted((a, b) => compare(a.lower, b.lower));
    this.#others = others;
    let highest: Value = null;
    this.#highestUpper = this.#entries.map(({ upper }) => {
      if (highest === null || compare(upper, highest) > 0) highest = upper;
      return highest;
    });
  }

  /** Positions of ranges that may overlap, in no order. */
  *overlapping({ bounds }: ColumnRange): Generator<number> {
    for (const index of this.#others) yield index;
    if (bounds === null) {
      for (const { index } of this.#entries) yield index;
      return;
    }
    for (let i = this.#startingUpTo(bounds.upper) - 1; i >= 0; i--) {
      if (this.#compare(this.#highestUpper[i]!, bounds.lower) < 0) return;
      if (this.#compare(this.#entries[i]!.upper, bounds.lower) >= 0) yield this.#entries[i]!.index;
    }
  }

  /** How many ranges start at or before the value. */
  #startingUpTo(value: Value): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#entries[middle]!.lower, value) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
