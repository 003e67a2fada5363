import { invalidData } from '../../errors.ts';
import type { Column } from '../../columns/column.ts';
import { viewOf } from '../../columns/decimals.ts';
import type { SourceField } from '../../columns/source-type.ts';
import type { ParquetFooter } from './footer.ts';

/**
 * INT96 timestamps of old writers: nanoseconds of the day (8 bytes), then the Julian day (4 bytes). The decoder would
 * turn them into nanoseconds since the epoch, which can't hold years before 1678 or after 2261; it is given 12-byte
 * values instead, which have the same encoding, and they are read here.
 */
export const INT96_WIDTH = 12;

const JULIAN_DAY_OF_EPOCH = 2_440_588;
const MICROS_PER_DAY = 86_400_000_000n;

export interface FieldColumns {
  readonly fields: readonly SourceField[];
  readonly columns: readonly Column[];
}

/** Fields and columns with INT96 values as timestamps in microseconds, at any depth. Field ids are `ParquetNode.index`. */
export function readInt96(footer: ParquetFooter, source: FieldColumns): FieldColumns {
  const indexes = new Set(footer.leaves.filter((leaf) => leaf.physical === 'INT96').map((leaf) => leaf.index));
  if (indexes.size === 0) return source;
  const read = source.fields.map((field, i) => readField(field, source.columns[i]!, indexes));
  return { fields: read.map(([field]) => field), columns: read.map(([, column]) => column) };
}

function readField(field: SourceField, column: Column, indexes: ReadonlySet<number>): readonly [SourceField, Column] {
  const { type } = field;
  if (field.id !== null && indexes.has(field.id) && column.layout === 'fixed') {
    return [{ ...field, type: { kind: 'timestamp', unit: 'us', zoned: true } }, timestamps(column)];
  }
  if (type.kind === 'struct' && column.layout === 'struct') {
    const read = type.fields.map((child, i) => readField(child, column.children[i]!, indexes));
    const fields = read.map(([child]) => child);
    return [
      { ...field, type: { ...type, fields } },
      { ...column, children: read.map(([, child]) => child) },
    ];
  }
  if (type.kind === 'list' && column.layout === 'list') {
    const [item, items] = readField(type.item, column.items, indexes);
    return [
      { ...field, type: { ...type, item } },
      { ...column, items },
    ];
  }
  if (type.kind === 'map' && column.layout === 'list' && column.items.layout === 'struct') {
    const [key, keys] = readField(type.key, column.items.children[0]!, indexes);
    const [value, values] = readField(type.value, column.items.children[1]!, indexes);
    return [
      { ...field, type: { ...type, key, value } },
      { ...column, items: { ...column.items, children: [keys, values] } },
    ];
  }
  return [field, column];
}

function timestamps({ bytes, length, validity, width }: Extract<Column, { layout: 'fixed' }>): Column {
  if (width !== INT96_WIDTH) throw invalidData(`INT96 values have ${width} bytes.`);
  const view = viewOf(bytes);
  const values = new BigInt64Array(length);
  for (let i = 0; i < length; i++) {
    const nanosOfDay = view.getBigInt64(i * INT96_WIDTH, true);
    const days = view.getInt32(i * INT96_WIDTH + 8, true) - JULIAN_DAY_OF_EPOCH;
    values[i] = BigInt(days) * MICROS_PER_DAY + nanosOfDay / 1000n;
  }
  return { layout: 'numbers', length, validity, values };
}
