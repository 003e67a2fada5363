import { nullColumn } from '../columns/constant.ts';
import type { Column, ListColumn, NumbersColumn, StructColumn, VariableColumn } from '../columns/column.ts';
import { takeRows } from '../columns/take.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { boundColumn } from './bound-column.ts';
import type { ReadableMetric, ReadableMetrics } from './readable-metrics-type.ts';

/** The statistics that a part of `readable_metrics` needs, as ids of the fields of manifests that have them. */
export function storedStatistics({ metrics }: ReadableMetrics, wanted: StructType): ReadonlySet<number> {
  return new Set(metricFields(wanted).map(({ id }) => metrics.get(id)!.storedIn));
}

/** Fills the wanted part of `readable_metrics` from maps by column id, which `stored` gives: only it is decoded. */
export function readableMetricsColumn(
  { metrics }: ReadableMetrics,
  wanted: StructType,
  length: number,
  stored: (id: number) => Column,
): Column {
  const columns = new Map<number, Column>();
  for (const storedIn of new Set(metricFields(wanted).map(({ id }) => metrics.get(id)!.storedIn))) {
    const fields = metricFields(wanted).filter(({ id }) => metrics.get(id)!.storedIn === storedIn);
    const of = fields.map(({ id }) => metrics.get(id)!);
    const filled = statisticColumns(stored(storedIn) as ListColumn, of);
    for (const [i, { id }] of fields.entries()) columns.set(id, filled[i]!);
  }
  return struct(
    length,
    wanted.fields.map(({ type }) =>
      struct(
        length,
        (type as StructType).fields.map(
          ({ id, type: metricType }) => columns.get(id) ?? nullColumn(metricType, length),
        ),
      ),
    ),
  );
}

function metricFields(wanted: StructType): readonly NestedField[] {
  return wanted.fields.flatMap(({ type }) => (type as StructType).fields);
}

function struct(length: number, children: readonly Column[]): StructColumn {
  return { layout: 'struct', length, validity: null, children };
}

/** One statistic of several columns: where each row's map has them, gathered in one pass over the keys. */
function statisticColumns(map: ListColumn, metrics: readonly ReadableMetric[]): readonly Column[] {
  const { length, offsets } = map;
  const [keys, values] = (map.items as StructColumn).children as [NumbersColumn, Column];
  const slots = new Map(metrics.map(({ columnId }, slot) => [columnId, slot]));
  const positions = new Int32Array(metrics.length * length).fill(-1);
  const ids = keys.values as Int32Array;
  for (let row = 0; row < length; row++) {
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      const slot = slots.get(ids[i]!);
      if (slot !== undefined) positions[slot * length + row] = i;
    }
  }
  return metrics.map(({ type }, slot) => {
    const taken = takeRows(values, positions.subarray(slot * length, (slot + 1) * length));
    return taken.layout === 'variable' ? boundColumn(type, taken as VariableColumn) : taken;
  });
}
