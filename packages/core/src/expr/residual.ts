import type { PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import type { StructType } from '../spec/types.ts';
import type { BoundExpression, BoundPredicate } from './bound-expression.ts';
import { FALSE, mapPredicates, pushNotDown, TRUE } from './logic.ts';
import { partitionEvaluator } from './partition-evaluator.ts';
import { projectInclusive, projectStrict } from './project.ts';

/**
 * What is left of a filter for the rows of one partition: predicates that its tuple decides for all rows are gone
 * (spec: "Scan Planning", note 1). It is `true` where every row matches, and one and the same object for all partitions
 * that decide nothing.
 */
export function residualEvaluator(
  spec: PartitionSpec,
  schema: StructType,
  expression: BoundExpression,
): (tuple: PartitionTuple) => BoundExpression {
  const sources = new Set(spec.fields.flatMap(({ sourceIds }) => sourceIds));
  const deciders = new Map<BoundPredicate, (tuple: PartitionTuple) => boolean | null>();
  const whole = pushNotDown(expression);
  mapPredicates(whole, (predicate) => {
    if (sources.has(predicate.term.field.id)) deciders.set(predicate, decider(spec, schema, predicate));
    return predicate;
  });
  if (deciders.size === 0) return () => whole;
  return (tuple) =>
    mapPredicates(whole, (predicate) => {
      const decided = deciders.get(predicate)?.(tuple) ?? null;
      return decided === null ? predicate : decided ? TRUE : FALSE;
    });
}

/** Whether all rows of a partition match a predicate, or none; null if that is open. */
function decider(
  spec: PartitionSpec,
  schema: StructType,
  predicate: BoundPredicate,
): (tuple: PartitionTuple) => boolean | null {
  const allMatch = partitionEvaluator(spec, schema, projectStrict(spec, schema, predicate));
  const mayMatch = partitionEvaluator(spec, schema, projectInclusive(spec, schema, predicate));
  return (tuple) => (allMatch(tuple) ? true : mayMatch(tuple) ? null : false);
}
