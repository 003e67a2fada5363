import type { Transform } from '../spec/transform.ts';
import type { PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type {
  BoundComparison,
  BoundExpression,
  BoundPredicate,
  BoundSetPredicate,
  BoundTerm,
} from './bound-expression.ts';
import { FALSE, TRUE } from './logic.ts';

/** Inclusive: TRUE for every partition with a matching row. Strict: TRUE only where all rows match. */
export type ProjectionKind = 'inclusive' | 'strict';

export interface ProjectionContext {
  readonly kind: ProjectionKind;
  /** The partition field as a term of its own. */
  readonly term: BoundTerm;
  readonly transform: Transform;
  readonly source: PrimitiveType;
  readonly apply: (value: Value) => Value;
}

/** A predicate with literals. */
export type ValuePredicate = BoundComparison | BoundSetPredicate;
export type Projector = (predicate: ValuePredicate, context: ProjectionContext) => BoundExpression;

/** Nothing is known, but that a predicate is never TRUE for null; only IS NOT NAN is. */
export function unprojected(kind: ProjectionKind, term: BoundTerm, predicate: BoundPredicate): BoundExpression {
  if (kind === 'strict') return FALSE;
  return predicate.op === 'notNaN' ? TRUE : { op: 'notNull', term };
}

/** Results of a transform, each once; binaries are compared by identity and may stay twice. */
export function distinct(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)];
}
