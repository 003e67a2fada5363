import { sliceBits } from './column.ts';
import type { Column, ColumnBatch } from './column.ts';

/** Rows `start` up to, not including, `end`. Values are shared with the batch, not copied. */
export function sliceBatch(batch: ColumnBatch, start: number, end: number): ColumnBatch {
  if (start === 0 && end === batch.length) return batch;
  return { length: end - start, columns: batch.columns.map((column) => sliceColumn(column, start, end)) };
}

export function sliceColumn(column: Column, start: number, end: number): Column {
  const length = end - start;
  if (start === 0 && length === column.length) return column;
  const validity = column.validity && sliceBits(column.validity, start, length);
  switch (column.layout) {
    case 'nothing':
      return { layout: 'nothing', length, validity: null };
    case 'bits':
      return { layout: 'bits', length, validity, bits: sliceBits(column.bits, start, length) };
    case 'numbers':
      return { layout: 'numbers', length, validity, values: column.values.subarray(start, end) };
    case 'fixed': {
      const { width, bytes } = column;
      return { layout: 'fixed', length, validity, width, bytes: bytes.subarray(start * width, end * width) };
    }
    case 'variable': {
      const [from, to] = [column.offsets[start]!, column.offsets[end]!];
      return {
        layout: 'variable',
        length,
        validity,
        offsets: offsetsFrom(column.offsets, start, end),
        bytes: column.bytes.subarray(from, to),
      };
    }
    case 'struct':
      return {
        layout: 'struct',
        length,
        validity,
        children: column.children.map((child) => sliceColumn(child, start, end)),
      };
    case 'list': {
      const items = sliceColumn(column.items, column.offsets[start]!, column.offsets[end]!);
      return { layout: 'list', length, validity, offsets: offsetsFrom(column.offsets, start, end), items };
    }
  }
}

function offsetsFrom(offsets: Int32Array, start: number, end: number): Int32Array {
  const first = offsets[start]!;
  return first === 0 ? offsets.subarray(start, end + 1) : offsets.slice(start, end + 1).map((offset) => offset - first);
}
