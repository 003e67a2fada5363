import type { Column, ListColumn, NumbersColumn, StructColumn, VariableColumn } from '../columns/column.ts';
import { takeRows } from '../columns/take.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { boundColumn } from './bound-column.ts';
import type { ReadableMetric, ReadableMetrics } from './readable-metrics-type.ts';

/** The statistics in a part of `readable_metrics`. */
export function wantedMetrics({ metrics }: ReadableMetrics, wanted: StructType): readonly ReadableMetric[] {
  return metricFields(wanted).map(({ id }) => metrics.get(id)!);
}

/** Fills the wanted part of `readable_metrics` from maps by column id, which `stored` gives: only it is decoded. */
export function readableMetricsColumn(
  readable: ReadableMetrics,
  wanted: StructType,
  length: number,
  stored: (id: number) => Column,
): Column {
  const { metrics } = readable;
  const columns = new Map<number, Column>();
  for (const storedIn of new Set(wantedMetrics(readable, wanted).map((metric) => metric.storedIn))) {
    const fields = metricFields(wanted).filter(({ id }) => metrics.get(id)!.storedIn === storedIn);
    const wantedHere = fields.map(({ id }) => metrics.get(id)!);
    const filled = statisticColumns(stored(storedIn) as ListColumn, wantedHere);
    for (const [i, { id }] of fields.entries()) columns.set(id, filled[i]!);
  }
  const ofColumn = ({ type }: NestedField): Column =>
    struct(
      length,
      (type as StructType).fields.map(({ id }) => columns.get(id)!),
    );
  return struct(length, wanted.fields.map(ofColumn));
}

function metricFields(wanted: StructType): readonly NestedField[] {
  return wanted.fields.flatMap(({ type }) => (type as StructType).fields);
}

function struct(length: number, children: readonly Column[]): StructColumn {
  return { layout: 'struct', length, validity: null, children };
}

/** One statistic of several columns: where each row's map has them, found in one pass over the keys. */
function statisticColumns(map: ListColumn, metrics: readonly ReadableMetric[]): readonly Column[] {
  const { length, offsets } = map;
  const [keys, values] = (map.items as StructColumn).children as [NumbersColumn, Column];
  const slots = new Int32Array(Math.max(0, ...metrics.map(({ columnId }) => columnId)) + 1).fill(-1);
  for (const [slot, { columnId }] of metrics.entries()) slots[columnId] = slot;
  const positions = new Int32Array(metrics.length * length).fill(-1);
  const ids = keys.values as Int32Array;
  for (let row = 0; row < length; row++) {
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      const slot = slots[ids[i]!] ?? -1;
      if (slot >= 0) positions[slot * length + row] = i;
    }
  }
  return metrics.map(({ type }, slot) => {
    const rows = positions.subarray(slot * length, (slot + 1) * length);
    return values.layout === 'variable' ? boundColumn(type, values as VariableColumn, rows) : takeRows(values, rows);
  });
}
