import { compareBytes, type Comparator } from '../spec/compare-values.ts';
import { bytesToValue, valueToBytes } from '../spec/single-value.ts';
import { isPrimitive, type PrimitiveKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { applyTransform, preservesOrder } from '../transforms/transforms.ts';
import type { BoundTerm } from './bound-expression.ts';
import { sqlOrder } from './value-order.ts';

/** Bounds of a term's ordinary values; undefined when unknown. */
export interface Range {
  readonly lower: Value | undefined;
  readonly upper: Value | undefined;
}

/** How bounds of a term are read and compared with its literals. */
export interface BoundOrder {
  range(lower: Uint8Array | null, upper: Uint8Array | null): Range;
  /** The form of a literal that can be compared with bounds. */
  literal(value: Value): Value;
  readonly compare: Comparator;
}

const UNKNOWN: Range = { lower: undefined, upper: undefined };

/**
 * Types that are compared by the bytes of their binary form. For strings this is the spec's order, and it is exact for
 * bounds that a writer has cut in the middle of a character, which are no text any more.
 */
const BY_BYTES: ReadonlySet<PrimitiveKind> = new Set(['string', 'uuid', 'fixed', 'binary']);

export function boundOrder(term: BoundTerm): BoundOrder {
  const source = term.field.type;
  if (!isPrimitive(source)) return { range: () => UNKNOWN, literal: (value) => value, compare: () => 0 };
  if (!term.transform) return plainOrder(term);

  const { transform, type } = term;
  const compare = sqlOrder(type);
  const apply = applyTransform(transform, source);
  // Integers near their smallest wrap around when they are truncated. `bind` makes ranges of such terms anyway.
  const wraps = transform.kind === 'truncate' && (type.kind === 'int' || type.kind === 'long');
  const ordered = preservesOrder(transform) && !wraps;
  const plain = decodedOrder({ ...term, transform: null, type: source });
  return {
    literal: (value) => value,
    compare,
    range(lowerBound, upperBound) {
      const { lower, upper } = plain.range(lowerBound, upperBound);
      // Without an order of its own a transform still maps a column of one value to one result.
      const constant = lower !== undefined && upper !== undefined && plain.compare(lower, upper) === 0;
      if (!ordered && !constant) return UNKNOWN;
      return checked({ lower: lower === undefined ? lower : apply(lower), upper: upper === undefined ? upper : apply(upper) }, compare);
    },
  };
}

function plainOrder(term: BoundTerm): BoundOrder {
  if (!BY_BYTES.has(term.type.kind)) return decodedOrder(term);
  const compare: Comparator = (a, b) => compareBytes(a as Uint8Array, b as Uint8Array);
  return {
    literal: (value) => valueToBytes(term.type, value),
    compare,
    range: (lower, upper) => checked({ lower: lower ?? undefined, upper: upper ?? undefined }, compare),
  };
}

function decodedOrder(term: BoundTerm): BoundOrder {
  const compare = sqlOrder(term.type);
  const decode = (bytes: Uint8Array | null): Value | undefined => {
    if (bytes === null) return undefined;
    try {
      const value = bytesToValue(term.type, bytes);
      // NaN says nothing: some writers let the first value of a column spoil its bounds.
      return Number.isNaN(value) ? undefined : value;
    } catch {
      // A bound that can't be read is no bound; the rows are still right without it.
      return undefined;
    }
  };
  return { literal: (value) => value, compare, range: (lower, upper) => checked({ lower: decode(lower), upper: decode(upper) }, compare) };
}

/** Bounds the wrong way round are both worth nothing. */
function checked(range: Range, compare: Comparator): Range {
  const { lower, upper } = range;
  return lower !== undefined && upper !== undefined && compare(lower, upper) > 0 ? UNKNOWN : range;
}
