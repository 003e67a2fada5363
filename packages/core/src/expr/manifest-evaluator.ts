import type { PartitionFieldSummary } from '../spec/manifest.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { StructType } from '../spec/types.ts';
import type { BoundExpression, BoundTerm } from './bound-expression.ts';
import { UNKNOWN_STATISTICS, type ColumnStatistics } from './column-statistics.ts';
import { projectInclusive } from './project.ts';
import { mayMatch } from './statistics-evaluator.ts';
import { isFloating } from './value-order.ts';

/**
 * Whether a manifest may list a file with matching rows, by the partition summaries that the manifest list has for it.
 * `spec` is the one that the manifest was written with, `expression` is a filter of rows.
 */
export function manifestEvaluator(
  spec: PartitionSpec,
  schema: StructType,
  expression: BoundExpression,
): (summaries: readonly PartitionFieldSummary[] | null) => boolean {
  const evaluate = mayMatch(projectInclusive(spec, schema, expression));
  const positions = new Map(spec.fields.map(({ fieldId }, i) => [fieldId, i]));
  return (summaries) =>
    summaries === null || evaluate((term) => summaryStatistics(summaries[positions.get(term.field.id) ?? -1], term));
}

/** What a partition field's summary tells of the values in a manifest; `term` is of the field's type. */
export function summaryStatistics(summary: PartitionFieldSummary | undefined, term: BoundTerm): ColumnStatistics {
  if (!summary) return UNKNOWN_STATISTICS;
  const { containsNull, containsNaN, lowerBound, upperBound } = summary;
  const mayBeNaN = isFloating(term.field.type) && containsNaN !== false;
  // No bounds at all means that there is nothing but nulls and NaNs (spec: "Manifest Lists", 510).
  const onlyNullOrNaN = lowerBound === null && upperBound === null && (containsNull || mayBeNaN);
  return { mayBeNull: containsNull, mayBeNaN, mayBeOrdinary: !onlyNullOrNaN, lowerBound, upperBound };
}
