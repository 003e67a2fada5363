import { codePointCount } from '../transforms/truncate.ts';
import type { Value } from '../spec/values.ts';
import type { BoundComparison, BoundExpression } from './bound-expression.ts';
import { unprojected, type ProjectionContext, type ValuePredicate } from './projection-context.ts';

/**
 * Projection through truncate of strings and binaries. With width W, f(x) is a prefix of x, so f(x) <= x. A literal
 * shorter than W can only be f of itself; one of at most W is its own truncation, and comparing with it needs no more
 * of x than f(x).
 */
export function projectPrefixTruncation(predicate: ValuePredicate, context: ProjectionContext): BoundExpression {
  const { kind, term, transform, apply } = context;
  const width = transform.kind === 'truncate' ? transform.width : 0;
  const none = unprojected(kind, term, predicate);
  const inclusive = kind === 'inclusive';

  switch (predicate.op) {
    case 'in':
    case 'notIn': {
      // f(x) tells a short literal from all other values; of a longer one it only tells what is surely different.
      const decided = predicate.values.filter((value) => lengthOf(value, width) < width);
      if (inclusive === (predicate.op === 'in')) return { op: predicate.op, term, values: predicate.values.map(apply) };
      return decided.length > 0 ? { op: predicate.op, term, values: decided } : none;
    }
    default:
      return projectComparison(predicate.op, predicate.value, width, context) ?? none;
  }
}

function projectComparison(
  op: BoundComparison['op'],
  literal: Value,
  width: number,
  context: ProjectionContext,
): BoundExpression | undefined {
  const { term, apply } = context;
  const inclusive = context.kind === 'inclusive';
  const length = lengthOf(literal, width);
  const fits = length <= width;
  const short = length < width;
  const value = apply(literal);
  switch (op) {
    case 'eq':
      return inclusive || short ? { op, term, value } : undefined;
    case 'neq':
      return !inclusive || short ? { op, term, value } : undefined;
    case 'lt':
      // x < v, so f(x) <= x < v; and f(x) < f(v) leaves x no way to reach v.
      return { op: inclusive && !fits ? 'lteq' : 'lt', term, value };
    case 'lteq':
      return { op: inclusive || short ? 'lteq' : 'lt', term, value };
    case 'gt':
      return { op: inclusive && !short ? 'gteq' : 'gt', term, value };
    case 'gteq':
      return { op: inclusive || fits ? 'gteq' : 'gt', term, value };
    case 'startsWith':
      // A prefix longer than W is not all in f(x).
      if (fits) return { op, term, value };
      return inclusive ? { op: 'eq', term, value } : undefined;
    case 'notStartsWith':
      if (fits) return { op, term, value };
      return inclusive ? undefined : { op: 'neq', term, value };
  }
}

/** In code points or bytes, as truncate counts; counted no further than just past the width. */
function lengthOf(value: Value, width: number): number {
  return typeof value === 'string' ? codePointCount(value, width) : (value as Uint8Array).length;
}
