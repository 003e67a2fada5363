import type { BoundExpression } from '../expr/bound-expression.ts';
import { inclusiveMetricsEvaluator } from '../expr/metrics-evaluator.ts';
import type { FileMetrics } from '../expr/metrics-evaluator.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import type { RowGroup } from '../formats/data-file.ts';
import { findField } from '../spec/schema-fields.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { FileFields } from './file-fields.ts';

/**
 * Tells whether a row group may hold matching rows, by its statistics; undefined if all do. `absent` gives the values of
 * columns that the file lacks.
 */
export function rowGroupFilter(
  filter: BoundExpression,
  schema: StructType,
  fields: FileFields,
  absent: ReadonlyMap<number, Value>,
): ((group: RowGroup) => boolean) | undefined {
  if (filter.op === 'true') return undefined;
  const ids = [...referencedFieldIds(filter)].filter((id) => fields.get(id)?.shape.kind === 'leaf');
  const mayMatch = inclusiveMetricsEvaluator(filter);
  return (group) => mayMatch(rowGroupMetrics(group, fields, schema, ids), absent);
}

/** A row group's statistics in the form of a file's metrics. */
function rowGroupMetrics(group: RowGroup, fields: FileFields, schema: StructType, ids: readonly number[]): FileMetrics {
  const valueCounts = new Map<number, number>();
  const nullValueCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const id of ids) {
    const type = findField(schema, id)?.type;
    const statistics = type && group.statistics(fields.get(id)!, type);
    if (!statistics) continue;
    valueCounts.set(id, statistics.valueCount);
    if (statistics.nullCount !== null) nullValueCounts.set(id, statistics.nullCount);
    if (statistics.lower !== null) lowerBounds.set(id, statistics.lower);
    if (statistics.upper !== null) upperBounds.set(id, statistics.upper);
  }
  // Parquet counts no NaNs: any group may have them.
  return { recordCount: group.rowCount, valueCounts, nullValueCounts, nanValueCounts: null, lowerBounds, upperBounds };
}
