import type { Transform, TransformKind } from '../spec/transform.ts';
import { transformsEqual } from '../spec/transform-text.ts';
import { isPrimitive, type IcebergType } from '../spec/types.ts';
import { applyTransform } from '../transforms/transforms.ts';
import type { BoundExpression, BoundPredicate, BoundTerm } from './bound-expression.ts';
import { projectPrefixTruncation } from './project-prefix.ts';
import { projectSteps } from './project-steps.ts';
import {
  distinct,
  unprojected,
  type ProjectionContext,
  type ProjectionKind,
  type Projector,
  type ValuePredicate,
} from './projection-context.ts';

/** What a predicate on a column says of the partition field `term`, whose transform is `transform` of that column. */
export function projectPredicate(
  predicate: BoundPredicate,
  term: BoundTerm,
  transform: Transform,
  kind: ProjectionKind,
): BoundExpression {
  const source = predicate.term.field.type;
  // Null maps to null, and nothing else does.
  if (predicate.op === 'isNull' || predicate.op === 'notNull') return { op: predicate.op, term };
  const same = termOnPartition(predicate, term, transform);
  if (same) return { ...predicate, term: same };
  if (predicate.term.transform || !isPrimitive(source) || !('value' in predicate || 'values' in predicate))
    return unprojected(kind, term, predicate);
  const context: ProjectionContext = { kind, term, transform, source, apply: applyTransform(transform, source) };
  return PROJECTORS[transform.kind](predicate, context);
}

/** The predicate's own term, if it can be computed from the partition value instead of the column. */
function termOnPartition(predicate: BoundPredicate, term: BoundTerm, transform: Transform): BoundTerm | undefined {
  const asked = predicate.term.transform;
  if (transform.kind === 'identity') return { ...term, transform: asked, type: predicate.term.type };
  if (!asked) return undefined;
  if (transformsEqual(asked, transform)) return term;
  // The first characters of a longer prefix are the first characters of the whole.
  const isShorterPrefix = asked.kind === 'truncate' && transform.kind === 'truncate' && asked.width <= transform.width;
  return isShorterPrefix && hasPrefixes(term.type) ? { ...term, transform: asked } : undefined;
}

function hasPrefixes(type: IcebergType): boolean {
  return type.kind === 'string' || type.kind === 'binary';
}

const PROJECTORS: { readonly [K in TransformKind]: Projector } = {
  identity: (predicate, { term }) => ({ ...predicate, term }),
  bucket: projectBucket,
  truncate: (predicate, context) =>
    hasPrefixes(context.source) ? projectPrefixTruncation(predicate, context) : projectSteps(predicate, context),
  year: projectSteps,
  month: projectSteps,
  day: projectSteps,
  hour: projectSteps,
  void: (predicate, { kind, term }) => unprojected(kind, term, predicate),
  unknown: (predicate, { kind, term }) => unprojected(kind, term, predicate),
};

/** Equal values share a bucket; of others nothing is known. */
function projectBucket(predicate: ValuePredicate, context: ProjectionContext): BoundExpression {
  const { kind, term, apply } = context;
  const wanted = kind === 'inclusive' ? ['eq', 'in'] : ['neq', 'notIn'];
  if (!wanted.includes(predicate.op)) return unprojected(kind, term, predicate);
  if (predicate.op === 'eq' || predicate.op === 'neq') return { op: predicate.op, term, value: apply(predicate.value) };
  if (predicate.op === 'in' || predicate.op === 'notIn')
    return { op: predicate.op, term, values: distinct(predicate.values.map(apply)) };
  return unprojected(kind, term, predicate);
}
