import type { PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import { isPrimitive, type StructType } from '../spec/types.ts';
import { transformResultType } from '../transforms/transforms.ts';
import type { BoundExpression } from './bound-expression.ts';
import { rowEvaluator } from './row-evaluator.ts';

/** Evaluates a projected filter on partition tuples; true just for those for which it is TRUE. */
export function partitionEvaluator(
  spec: PartitionSpec,
  schema: StructType,
  projected: BoundExpression,
): (tuple: PartitionTuple) => boolean {
  const evaluate = rowEvaluator(projected);
  const positions = new Map(spec.fields.map(({ fieldId }, i) => [fieldId, i]));
  const longs = promotedToLong(spec, schema);
  return (tuple) =>
    evaluate(({ field }) => {
      const value = tuple[positions.get(field.id) ?? -1] ?? null;
      return typeof value === 'number' && longs.has(field.id) ? BigInt(value) : value;
    }) === true;
}

/** Manifests written before a column became a long hold ints. */
function promotedToLong(spec: PartitionSpec, schema: StructType): ReadonlySet<number> {
  const longs = spec.fields.filter(({ sourceIds, transform }) => {
    const source = findField(schema, sourceIds[0]!)?.type;
    return (
      source !== undefined &&
      isPrimitive(source) &&
      transform.kind !== 'unknown' &&
      resultKind(transform, source) === 'long'
    );
  });
  return new Set(longs.map(({ fieldId }) => fieldId));
}

function resultKind(...[transform, source]: Parameters<typeof transformResultType>): string {
  return transformResultType(transform, source).kind;
}
