import { compareValues, type Comparator } from '../spec/compare-values.ts';
import type { DataFile } from '../spec/data-file.ts';
import { bytesToValue } from '../spec/single-value.ts';
import { isPrimitive, type NestedField, type PrimitiveKind, type PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/** What a file's metrics say of the values of one column. */
export interface ColumnRange {
  readonly mayHoldNull: boolean;
  readonly holdsOnlyNull: boolean;
  /** Null if unknown, or if there is no value to bound. */
  readonly bounds: { readonly lower: Value; readonly upper: Value } | null;
}

/** A column whose ranges can be compared between files. */
export class RangeColumn {
  readonly id: number;
  readonly compare: Comparator | null;
  readonly #required: boolean;
  readonly #type: PrimitiveType | null;

  constructor(field: NestedField) {
    this.id = field.id;
    this.#required = field.required;
    this.#type = isPrimitive(field.type) && !UNORDERED.has(field.type.kind) ? field.type : null;
    this.compare = this.#type && compareValues(this.#type);
  }

  rangeIn(file: DataFile): ColumnRange {
    const nulls = file.nullValueCounts?.get(this.id);
    const values = file.valueCounts?.get(this.id);
    const holdsOnlyNull = !this.#required && nulls !== undefined && nulls === values;
    return {
      mayHoldNull: !this.#required && nulls !== 0,
      holdsOnlyNull,
      bounds: holdsOnlyNull ? null : this.#bounds(file),
    };
  }

  /** False only if no value of the one can equal a value of the other, null being equal to null. */
  overlap(a: ColumnRange, b: ColumnRange): boolean {
    if (a.mayHoldNull && b.mayHoldNull) return true;
    if ((a.holdsOnlyNull && !b.mayHoldNull) || (b.holdsOnlyNull && !a.mayHoldNull)) return false;
    if (!a.bounds || !b.bounds || !this.compare) return true;
    return this.compare(a.bounds.lower, b.bounds.upper) <= 0 && this.compare(b.bounds.lower, a.bounds.upper) <= 0;
  }

  #bounds(file: DataFile): ColumnRange['bounds'] {
    const lower = file.lowerBounds?.get(this.id);
    const upper = file.upperBounds?.get(this.id);
    if (!this.#type || !lower || !upper) return null;
    return { lower: bytesToValue(this.#type, lower), upper: bytesToValue(this.#type, upper) };
  }
}

/** Without an order, or, floats, with values (NaN) that bounds leave out. */
const UNORDERED: ReadonlySet<PrimitiveKind> = new Set([
  'float',
  'double',
  'unknown',
  'variant',
  'geometry',
  'geography',
]);
