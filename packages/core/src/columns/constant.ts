import type { IcebergType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { bitmapSize } from './column.ts';
import type { Column } from './column.ts';
import { columnBuilder } from './builder.ts';
import { itemType, structChildren } from './child-types.ts';
import { layoutOf, newNumberArray } from './layout.ts';
import { takeRows } from './take.ts';

/** A column of nulls. */
export function nullColumn(type: IcebergType, length: number): Column {
  const layout = layoutOf(type);
  const validity = new Uint8Array(bitmapSize(length));
  switch (layout.layout) {
    case 'nothing':
      return { layout: 'nothing', length, validity: null };
    case 'bits':
      return { layout: 'bits', length, validity, bits: new Uint8Array(bitmapSize(length)) };
    case 'numbers':
      return { layout: 'numbers', length, validity, values: newNumberArray(layout.array, length) };
    case 'fixed':
      return { layout: 'fixed', length, validity, width: layout.width, bytes: new Uint8Array(length * layout.width) };
    case 'variable':
      return { layout: 'variable', length, validity, offsets: new Int32Array(length + 1), bytes: new Uint8Array(0) };
    case 'struct':
      return {
        layout: 'struct',
        length,
        validity,
        children: structChildren(type).map((child) => nullColumn(child, length)),
      };
    case 'list':
      return {
        layout: 'list',
        length,
        validity,
        offsets: new Int32Array(length + 1),
        items: nullColumn(itemType(type), 0),
      };
  }
}

/** The same value in every row. */
export function constantColumn(type: IcebergType, value: Value, length: number): Column {
  if (value === null) return nullColumn(type, length);
  const builder = columnBuilder(type);
  builder.append(value);
  return takeRows(builder.finish(), new Int32Array(length));
}
