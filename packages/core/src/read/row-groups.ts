import type { BoundExpression } from '../expr/bound-expression.ts';
import { inclusiveMetricsEvaluator } from '../expr/metrics-evaluator.ts';
import type { FileMetrics } from '../expr/metrics-evaluator.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import { boundsOf } from '../formats/parquet/bounds.ts';
import type { ParquetFooter, ParquetRowGroup } from '../formats/parquet/footer.ts';
import { findField } from '../spec/schema-fields.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { FileFields } from './file-fields.ts';

/**
 * The row groups that may hold matching rows, by their statistics. `absent` gives the values of columns that the file
 * lacks.
 */
export function matchingRowGroups(
  footer: ParquetFooter,
  fields: FileFields,
  schema: StructType,
  filter: BoundExpression,
  absent: ReadonlyMap<number, Value>,
): readonly number[] {
  const all = footer.rowGroups.map((_, i) => i);
  if (filter.op === 'true') return all;
  const ids = [...referencedFieldIds(filter)].filter((id) => fields.get(id)?.physical);
  const mayMatch = inclusiveMetricsEvaluator(filter);
  return all.filter((i) => mayMatch(rowGroupMetrics(footer, footer.rowGroups[i]!, fields, schema, ids), absent));
}

/** A row group's statistics in the form of a file's metrics. */
function rowGroupMetrics(
  footer: ParquetFooter,
  group: ParquetRowGroup,
  fields: FileFields,
  schema: StructType,
  ids: readonly number[],
): FileMetrics {
  const valueCounts = new Map<number, number>();
  const nullValueCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const id of ids) {
    const leaf = footer.leaves[fields.get(id)!.leaves[0]]!;
    const { statistics, valueCount } = group.columns[leaf.leaves[0]]!;
    const type = findField(schema, id)?.type;
    if (statistics === null || type === undefined) continue;
    valueCounts.set(id, valueCount);
    if (statistics.nullCount !== null) nullValueCounts.set(id, statistics.nullCount);
    const { lower, upper } = boundsOf(leaf, statistics, type);
    if (lower !== null) lowerBounds.set(id, lower);
    if (upper !== null) upperBounds.set(id, upper);
  }
  // Parquet counts no NaNs: any group may have them.
  return { recordCount: group.rowCount, valueCounts, nullValueCounts, nanValueCounts: null, lowerBounds, upperBounds };
}
