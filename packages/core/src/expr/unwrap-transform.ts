import { firstOfTimeUnit, type TimeTransformKind } from '../transforms/time.ts';
import { floorDivide } from '../transforms/floor.ts';
import type { BoundExpression, BoundTerm } from './bound-expression.ts';
import { unitsPosition, type LiteralPosition } from './literal-position.ts';
import { and, FALSE, or } from './logic.ts';
import { isPrimitive, type PrimitiveType } from '../spec/types.ts';

type OrderOp = 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq';
type Compare = (op: OrderOp, term: BoundTerm, position: LiteralPosition) => BoundExpression;

/**
 * Whether comparing the term comes down to ranges of the column itself: `day(ts) = D` is `ts >= D AND ts < D + 1 day`.
 * Ranges prune by every partition field and by every bound, whatever the transform was.
 */
export function canUnwrap({ field, transform }: BoundTerm): boolean {
  if (!transform) return false;
  switch (transform.kind) {
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
      return true;
    case 'truncate':
      return field.type.kind === 'int' || field.type.kind === 'long' || field.type.kind === 'decimal';
    default:
      return false;
  }
}

/**
 * The comparison of the term with `value` as one of its column. Truncation is meant as the spec defines it here,
 * without the wrap-around at the smallest integers.
 */
export function unwrapComparison(op: OrderOp, term: BoundTerm, value: bigint, compare: Compare): BoundExpression {
  const type = term.field.type;
  if (!isPrimitive(type)) return FALSE;
  const column: BoundTerm = { ...term, transform: null, type };
  const start = firstSource(term, type, value);
  const end = firstSource(term, type, value + 1n);
  const from = (units: bigint): BoundExpression => compare('gteq', column, unitsPosition(type, units));
  const before = (units: bigint): BoundExpression => compare('lt', column, unitsPosition(type, units));
  switch (op) {
    case 'eq':
      // Nothing truncates to a number that is no multiple of the width.
      return start === end ? FALSE : and([from(start), before(end)]);
    case 'neq':
      // The same two sides meet where nothing is left out.
      return or([before(start), from(end)]);
    case 'lt':
      return before(start);
    case 'lteq':
      return before(end);
    case 'gt':
      return from(end);
    case 'gteq':
      return from(start);
  }
}

/** The smallest number of the column's units that the transform maps to `value` or more. */
function firstSource({ transform }: BoundTerm, type: PrimitiveType, value: bigint): bigint {
  if (transform?.kind !== 'truncate')
    return firstOfTimeUnit(transform!.kind as TimeTransformKind, type.kind, Number(value));
  const width = BigInt(transform.width);
  return -floorDivide(-value, width) * width;
}
