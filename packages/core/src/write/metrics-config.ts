import { childFields, indexById } from '../spec/schema-fields.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import { columnMetricsMode, tableProperty } from '../spec/table-properties.ts';
import type { MetricsMode, Properties } from '../spec/table-properties.ts';
import { isPrimitive } from '../spec/types.ts';
import type { IcebergType, StructType } from '../spec/types.ts';

/** How much of each leaf column's metrics is kept, by field id. */
export type MetricsModes = ReadonlyMap<number, MetricsMode>;

const DEFAULT_MODE: MetricsMode = { mode: 'truncate', length: 16 };
const NONE: MetricsMode = { mode: 'none' };

/**
 * The modes that the table's properties ask for: `write.metadata.metrics.column.<name>`, else for columns of the sort
 * order bounds in any case, else `write.metadata.metrics.default`, else bounds of 16 characters for the first 100 columns.
 */
export function metricsModes(schema: StructType, properties: Properties, sortOrder: SortOrder): MetricsModes {
  const configured = tableProperty(properties, 'write.metadata.metrics.default');
  const limit = tableProperty(properties, 'write.metadata.metrics.max-inferred-column-defaults');
  const sorted = sortedColumns(sortOrder);
  const modes = new Map<number, MetricsMode>();
  leafIds(schema).forEach((id, i) => {
    const inferred = configured ?? (i < limit ? DEFAULT_MODE : NONE);
    const hasBounds = inferred.mode === 'truncate' || inferred.mode === 'full';
    const mode = sorted.has(id) && !hasBounds ? DEFAULT_MODE : inferred;
    modes.set(id, columnMetricsMode(properties, indexById(schema).get(id)!.path.join('.')) ?? mode);
  });
  return modes;
}

/** Columns by which files can be skipped because they are sorted: their transform keeps the order. */
function sortedColumns(sortOrder: SortOrder): ReadonlySet<number> {
  const keepsOrder = sortOrder.fields.filter(
    ({ transform }) => transform.kind !== 'bucket' && transform.kind !== 'void' && transform.kind !== 'unknown',
  );
  return new Set(keepsOrder.map((field) => field.sourceIds[0]!));
}

/** Leaves with the outer ones first, as these are the ones that filters name. */
function leafIds(type: IcebergType): readonly number[] {
  const fields = childFields(type);
  const leaves = fields.filter((field) => isPrimitive(field.type)).map((field) => field.id);
  return [...leaves, ...fields.flatMap((field) => leafIds(field.type))];
}
