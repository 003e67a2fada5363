import { MIN_INT, MIN_LONG } from '../spec/integers.ts';
import type { PrimitiveKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { floorDivide } from '../transforms/floor.ts';
import type { BoundComparison, BoundExpression, BoundSetPredicate } from './bound-expression.ts';
import { and, or } from './logic.ts';
import {
  distinct,
  unprojected,
  type ProjectionContext,
  type ProjectionKind,
  type ValuePredicate,
} from './projection-context.ts';

/**
 * Projection through a transform that maps runs of neighbouring whole numbers to one value and keeps their order: time
 * units, and truncate of numbers. `x < v` is `x <= v - 1`, which makes the projections as narrow as can be.
 */
export function projectSteps(predicate: ValuePredicate, context: ProjectionContext): BoundExpression {
  const projected = project(predicate, context);
  if (!projected) return unprojected(context.kind, context.term, predicate);
  if (context.transform.kind === 'truncate') return withWrapAround(projected, context);
  return context.source.kind === 'date' && context.transform.kind === 'day'
    ? projected
    : withOldWriters(projected, context.kind);
}

type ProjectedComparison = BoundComparison & { readonly op: 'eq' | 'neq' | OrderOp };
type Projected = ProjectedComparison | BoundSetPredicate;

function project(predicate: ValuePredicate, context: ProjectionContext): Projected | undefined {
  const { term, apply } = context;
  const inclusive = context.kind === 'inclusive';
  switch (predicate.op) {
    // Equal values have equal results, and different results come from different values; no more than that.
    case 'eq':
    case 'neq':
      return inclusive === (predicate.op === 'eq')
        ? { op: predicate.op, term, value: apply(predicate.value) }
        : undefined;
    case 'in':
    case 'notIn':
      return inclusive === (predicate.op === 'in')
        ? { op: predicate.op, term, values: distinct(predicate.values.map(apply)) }
        : undefined;
    case 'lt':
    case 'lteq':
    case 'gt':
    case 'gteq': {
      const { op, offset } = ORDER_PROJECTIONS[context.kind][predicate.op];
      return { op, term, value: resultAt(predicate.value, offset, context) };
    }
    default:
      return undefined;
  }
}

type OrderOp = 'lt' | 'lteq' | 'gt' | 'gteq';

/** The comparison of the result with that of the literal plus `offset`. */
const ORDER_PROJECTIONS: {
  readonly [K in ProjectionKind]: { readonly [O in OrderOp]: { readonly op: OrderOp; readonly offset: bigint } };
} = {
  inclusive: {
    lt: { op: 'lteq', offset: -1n },
    lteq: { op: 'lteq', offset: 0n },
    gt: { op: 'gteq', offset: 1n },
    gteq: { op: 'gteq', offset: 0n },
  },
  strict: {
    lt: { op: 'lt', offset: 0n },
    lteq: { op: 'lt', offset: 1n },
    gt: { op: 'gt', offset: 0n },
    gteq: { op: 'gt', offset: -1n },
  },
};

/** The transform's result, as whole numbers without limits have it. */
function resultAt(literal: Value, offset: bigint, { transform, source, apply }: ProjectionContext): Value {
  const units = BigInt(literal as number | bigint) + offset;
  const isNumber = source.kind === 'int' || source.kind === 'date';
  if (transform.kind !== 'truncate') return apply(isNumber ? Number(units) : units);
  const width = BigInt(transform.width);
  const truncated = floorDivide(units, width) * width;
  return isNumber ? Number(truncated) : truncated;
}

const SMALLEST: { readonly [K in PrimitiveKind]?: number | bigint } = { int: MIN_INT, long: MIN_LONG };

/**
 * The smallest integers have no multiple of the width below them in their type; what is stored for them has wrapped
 * around to a large number, which must be counted among the small ones.
 */
function withWrapAround(projected: Projected, { kind, source, term, apply }: ProjectionContext): BoundExpression {
  const smallest = SMALLEST[source.kind];
  if (smallest === undefined || projected.op === 'in' || projected.op === 'notIn') return projected;
  const wrapped = apply(smallest) as number | bigint;
  if (wrapped <= smallest) return projected;
  const isUpper = projected.op === 'lt' || projected.op === 'lteq';
  const isLower = projected.op === 'gt' || projected.op === 'gteq';
  if (kind === 'inclusive' && isUpper) return or([projected, { op: 'eq', term, value: wrapped }]);
  if (kind === 'strict' && isLower) return and([projected, { op: 'neq', term, value: wrapped }]);
  return projected;
}

/**
 * Iceberg up to 0.10 rounded times before 1970 towards zero, so that a stored result may be one too large. Java still
 * allows for it, and so do we: the files are out there.
 */
function withOldWriters(projected: Projected, kind: ProjectionKind): BoundExpression {
  switch (projected.op) {
    case 'eq':
    case 'neq': {
      const values = withSuccessors([projected.value]);
      if (values.length === 1) return projected;
      return { op: projected.op === 'eq' ? 'in' : 'notIn', term: projected.term, values };
    }
    case 'in':
    case 'notIn':
      return { ...projected, values: withSuccessors(projected.values) };
    case 'lt':
    case 'lteq':
      return kind === 'inclusive' && (projected.value as number) < 0 ? successor(projected) : projected;
    case 'gt':
    case 'gteq':
      return kind === 'strict' && (projected.value as number) <= 0 ? successor(projected) : projected;
  }
}

function successor(predicate: ProjectedComparison): Projected {
  return { ...predicate, value: (predicate.value as number) + 1 };
}

function withSuccessors(values: readonly Value[]): readonly Value[] {
  return distinct((values as readonly number[]).flatMap((value) => (value < 0 ? [value, value + 1] : [value])));
}
