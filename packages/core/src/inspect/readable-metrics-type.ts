import { FILE_FIELD } from '../manifest/manifest-schema.ts';
import { indexById } from '../spec/schema-fields.ts';
import { isPrimitive } from '../spec/types.ts';
import type { IcebergType, NestedField, PrimitiveType, StructType } from '../spec/types.ts';
import { LONG, optional, struct } from './field-builders.ts';

/** One statistic of one column, as `readable_metrics` shows it. */
export interface ReadableMetric {
  /** The column of the table. */
  readonly columnId: number;
  /** The field of manifests that has it: a map from column id. */
  readonly storedIn: number;
  readonly type: PrimitiveType;
}

export interface ReadableMetrics {
  readonly field: NestedField;
  /** By the id that the statistic has in `field`. */
  readonly metrics: ReadonlyMap<number, ReadableMetric>;
}

/** The statistics in their order; a null type stands for the column's own. */
const STATISTICS: readonly { name: string; storedIn: number; type: IcebergType | null; doc: string }[] = [
  { name: 'column_size', storedIn: FILE_FIELD.columnSizes, type: LONG, doc: 'Bytes in the file' },
  { name: 'value_count', storedIn: FILE_FIELD.valueCounts, type: LONG, doc: 'Number of values, nulls included' },
  { name: 'null_value_count', storedIn: FILE_FIELD.nullValueCounts, type: LONG, doc: 'Number of nulls' },
  { name: 'nan_value_count', storedIn: FILE_FIELD.nanValueCounts, type: LONG, doc: 'Number of NaNs' },
  { name: 'lower_bound', storedIn: FILE_FIELD.lowerBounds, type: null, doc: 'Lower bound of the values' },
  { name: 'upper_bound', storedIn: FILE_FIELD.upperBounds, type: null, doc: 'Upper bound of the values' },
];

/**
 * The type of `readable_metrics`: a struct of statistics for each primitive column at any depth, under the column's full
 * name ('a.b', 'tags.element'), in the order of these names. Ids count from `firstId` on.
 */
export function readableMetrics(schema: StructType, firstId: number): ReadableMetrics {
  let nextId = firstId;
  const metrics = new Map<number, ReadableMetric>();
  const columns = [...indexById(schema).values()]
    .filter(({ field }) => isPrimitive(field.type) && field.type.kind !== 'variant')
    .map(({ field, path }) => ({ field, name: path.join('.') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const fields = columns.map(({ field, name }): NestedField => {
    const id = nextId++;
    const statistics = STATISTICS.map(({ name: statistic, storedIn, type: fixedType, doc }): NestedField => {
      const type = (fixedType ?? field.type) as PrimitiveType;
      metrics.set(nextId, { columnId: field.id, storedIn, type });
      return optional(nextId++, statistic, type, doc);
    });
    return optional(id, name, struct(statistics), `Statistics of the column ${name}`);
  });
  const field = optional(nextId, 'readable_metrics', struct(fields), 'Statistics by column, as values');
  return { field, metrics };
}
