import type { Column, ListColumn, NumbersColumn, StructColumn, VariableColumn } from '../columns/column.ts';
import { takeRows } from '../columns/take.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { boundColumn } from './bound-column.ts';
import { columnSlots } from './column-slots.ts';
import type { ReadableMetric, ReadableMetrics } from './readable-metrics-type.ts';

/** A part of `readable_metrics`, and what of manifests it needs. */
export interface WantedMetrics {
  readonly type: StructType;
  readonly groups: readonly MetricGroup[];
}

/** The metrics that come from one map by column id. */
interface MetricGroup {
  /** The field of manifests that has the map. */
  readonly storedIn: number;
  readonly metrics: readonly ReadableMetric[];
  /** Their ids in `readable_metrics`. */
  readonly ids: readonly number[];
  /** Which of the metrics is of a column. */
  readonly slotOf: (columnId: number) => number;
}

export function wantedMetrics({ metrics }: ReadableMetrics, type: StructType): WantedMetrics {
  const fields = type.fields.flatMap((column) => (column.type as StructType).fields);
  const all = fields.map(({ id }) => ({ id, metric: metrics.get(id)! }));
  const groups = [...new Set(all.map(({ metric }) => metric.storedIn))].map((storedIn): MetricGroup => {
    const here = all.filter(({ metric }) => metric.storedIn === storedIn);
    return {
      storedIn,
      metrics: here.map(({ metric }) => metric),
      ids: here.map(({ id }) => id),
      slotOf: columnSlots(here.map(({ metric }) => metric.columnId)),
    };
  });
  return { type, groups };
}

/** Fills a part of `readable_metrics` from maps by column id, which `stored` gives. */
export function readableMetricsColumn(
  { type, groups }: WantedMetrics,
  length: number,
  stored: (id: number) => Column,
): Column {
  const columns = new Map<number, Column>();
  for (const group of groups) {
    const filled = groupColumns(stored(group.storedIn) as ListColumn, group);
    for (const [i, id] of group.ids.entries()) columns.set(id, filled[i]!);
  }
  const ofColumn = (column: NestedField): Column => {
    const { fields } = column.type as StructType;
    return struct(
      length,
      fields.map(({ id }) => columns.get(id)!),
    );
  };
  return struct(length, type.fields.map(ofColumn));
}

function struct(length: number, children: readonly Column[]): StructColumn {
  return { layout: 'struct', length, validity: null, children };
}

/** One statistic of several columns: where each row's map has them, found in one pass over the keys. */
function groupColumns(map: ListColumn, { metrics, slotOf }: MetricGroup): readonly Column[] {
  const { length, offsets } = map;
  const [keys, values] = (map.items as StructColumn).children as [NumbersColumn, Column];
  const positions = new Int32Array(metrics.length * length).fill(-1);
  const ids = keys.values as Int32Array;
  for (let row = 0; row < length; row++) {
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      const slot = slotOf(ids[i]!);
      if (slot >= 0) positions[slot * length + row] = i;
    }
  }
  return metrics.map(({ type }, slot) => {
    const rows = positions.subarray(slot * length, (slot + 1) * length);
    return values.layout === 'variable' ? boundColumn(type, values as VariableColumn, rows) : takeRows(values, rows);
  });
}
