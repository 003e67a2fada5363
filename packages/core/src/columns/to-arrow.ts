import { Data, RecordBatch, Struct } from 'apache-arrow';
import type { DataType, Schema as ArrowSchema } from 'apache-arrow';

import type { Column, ColumnBatch } from './column.ts';

/** The batch as Arrow data of a schema that `arrowSchema` made. Buffers are shared, not copied. */
export function toRecordBatch(schema: ArrowSchema, batch: ColumnBatch): RecordBatch {
  const children = batch.columns.map((column, i) => toData(schema.fields[i]!.type as DataType, column));
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, batch.length, 0, undefined, children));
}

/** The order of Arrow's buffers in `Data`: offsets, values, validity. */
type Buffers = readonly [Int32Array | undefined, ArrayBufferView | undefined, Uint8Array | undefined];

function toData(type: DataType, column: Column): Data {
  const [buffers, children] = parts(type, column);
  // -1 lets Arrow count the nulls of the bitmap when it needs to.
  const nulls = column.layout === 'nothing' ? column.length : column.validity === null ? 0 : -1;
  return new Data(type, 0, column.length, nulls, [...buffers] as never, children);
}

function parts(type: DataType, column: Column): [Buffers, Data[]] {
  const validity = column.validity ?? undefined;
  switch (column.layout) {
    case 'nothing':
      return [[undefined, undefined, undefined], []];
    case 'bits':
      return [[undefined, column.bits, validity], []];
    case 'numbers':
      return [[undefined, column.values, validity], []];
    case 'fixed':
      return [[undefined, fixedValues(type, column.bytes), validity], []];
    case 'variable':
      return [[column.offsets, column.bytes, validity], []];
    case 'struct':
      return [
        [undefined, undefined, validity],
        column.children.map((child, i) => toData(type.children[i]!.type as DataType, child)),
      ];
    case 'list':
      return [[column.offsets, undefined, validity], [toData(type.children[0]!.type as DataType, column.items)]];
  }
}

/** Arrow's decimals are words of 32 bits, its other fixed values bytes. */
function fixedValues(type: DataType, bytes: Uint8Array): Uint8Array | Uint32Array {
  if (type.ArrayType !== Uint32Array) return bytes;
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
