import { bytesToUuid } from '../spec/bytes-text.ts';
import type { IcebergType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { Variant } from '../spec/variant.ts';
import { getBit } from './column.ts';
import type { Column } from './column.ts';
import { itemType, structChildren } from './child-types.ts';
import { readDecimal, viewOf } from './decimals.ts';

/** Gives the value in a row of a column, in the form of `spec/values.ts`. */
export type ColumnReader = (row: number) => Value;

export function columnReader(type: IcebergType, column: Column): ColumnReader {
  const read = valueReader(type, column);
  const { validity } = column;
  return validity === null ? read : (row) => (getBit(validity, row) ? read(row) : null);
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** How bytes of the fixed and variable layouts are read, where that isn't as bytes. */
const FROM_BYTES: { readonly [K in TypeKind]?: (bytes: Uint8Array) => Value } = {
  string: decodeText,
  uuid: bytesToUuid,
};

/** Short ASCII text is decoded faster here than by a call into the platform. */
const SHORT_TEXT = 24;

function decodeText(bytes: Uint8Array): string {
  if (bytes.length > SHORT_TEXT) return utf8.decode(bytes);
  let text = '';
  for (const byte of bytes) {
    if (byte >= 0x80) return utf8.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Reads rows that are known to be valid. */
function valueReader(type: IcebergType, column: Column): ColumnReader {
  switch (column.layout) {
    case 'nothing':
      return () => null;
    case 'bits':
      return (row) => getBit(column.bits, row);
    case 'numbers':
      return (row) => column.values[row]!;
    case 'fixed': {
      const { bytes, width } = column;
      if (type.kind === 'decimal') {
        const view = viewOf(bytes);
        return (row) => readDecimal(view, row);
      }
      const from = FROM_BYTES[type.kind] ?? copied;
      return (row) => from(bytes.subarray(row * width, (row + 1) * width));
    }
    case 'variable': {
      const { bytes, offsets } = column;
      const from = FROM_BYTES[type.kind] ?? copied;
      return (row) => from(bytes.subarray(offsets[row], offsets[row + 1]));
    }
    case 'struct': {
      const types = structChildren(type);
      const readers = column.children.map((child, i) => columnReader(types[i]!, child));
      if (type.kind !== 'variant') return (row) => readers.map((read) => read(row));
      return (row) => new Variant(readers[0]!(row) as Uint8Array, readers[1]!(row) as Uint8Array);
    }
    case 'list': {
      const { offsets } = column;
      const read = columnReader(itemType(type), column.items);
      return (row) => Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_, i) => read(offsets[row]! + i));
    }
  }
}

/** A value of its own: what a user keeps must not keep a whole batch alive, nor change it. */
function copied(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}
