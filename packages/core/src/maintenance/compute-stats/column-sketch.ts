import { getBit, isValid } from '../../columns/column.ts';
import type { Column, FixedColumn, NumbersColumn } from '../../columns/column.ts';
import { ThetaSketch } from '../../formats/theta/theta-sketch.ts';
import type { IcebergType, TypeKind } from '../../spec/types.ts';

/** A standard error of 0.8 %, with at most 256 KiB of hashes in memory for a column. */
const SKETCH_SIZE = 16_384;

/** Columns of these types have no single-value serialization, or no use for a number of distinct values. */
const NOT_COUNTED: ReadonlySet<TypeKind> = new Set([
  'struct',
  'list',
  'map',
  'variant',
  'unknown',
  'geometry',
  'geography',
]);

export function canBeCounted(type: IcebergType): boolean {
  return !NOT_COUNTED.has(type.kind);
}

/** How many distinct values a column has, nulls left out, by their single-value serialization (spec: appendix D). */
export class ColumnSketch {
  readonly #sketch: ThetaSketch = new ThetaSketch(SKETCH_SIZE);
  readonly #isDecimal: boolean;
  readonly #bytes: Uint8Array = new Uint8Array(16);

  constructor(type: IcebergType) {
    this.#isDecimal = type.kind === 'decimal';
  }

  add(column: Column): void {
    const addValue = this.#adder(column);
    for (let row = 0; row < column.length; row++) if (isValid(column, row)) addValue(row);
  }

  get estimate(): bigint {
    return BigInt(Math.round(this.#sketch.estimate));
  }

  serialize(): Uint8Array {
    return this.#sketch.serialize();
  }

  /** How the values of a column are added, by their rows. */
  #adder(column: Column): (row: number) => void {
    const sketch = this.#sketch;
    switch (column.layout) {
      case 'numbers':
        return this.#numberAdder(column);
      case 'variable':
        return (row) => sketch.add(column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
      case 'fixed':
        return this.#isDecimal
          ? (row) => this.#addDecimal(column, row)
          : (row) => sketch.add(column.bytes, row * column.width, (row + 1) * column.width);
      case 'bits':
        return (row) => {
          this.#bytes[0] = getBit(column.bits, row) ? 1 : 0;
          sketch.add(this.#bytes, 0, 1);
        };
      case 'struct':
      case 'list':
      case 'nothing':
        return () => undefined;
    }
  }

  /** Little-endian, as they are in memory; all NaNs are one. */
  #numberAdder({ values }: NumbersColumn): (row: number) => void {
    const width = values.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return (row) => {
      if (Number.isNaN(values[row])) this.#sketch.add(NAN[width]!, 0, width);
      else this.#sketch.add(bytes, row * width, (row + 1) * width);
    };
  }

  /** Two's complement, big-endian, no more bytes than it takes; in memory it is little-endian. */
  #addDecimal({ bytes, width }: FixedColumn, row: number): void {
    const out = this.#bytes;
    for (let i = 0; i < width; i++) out[i] = bytes[(row + 1) * width - 1 - i]!;
    const sign = out[0]! >> 7 === 1 ? 0xff : 0;
    let start = 0;
    while (start < width - 1 && out[start] === sign && out[start + 1]! >> 7 === sign >> 7) start++;
    this.#sketch.add(out, start, width);
  }
}

/** By width, little-endian. */
const NAN: Readonly<Record<number, Uint8Array>> = {
  4: Uint8Array.of(0, 0, 0xc0, 0x7f),
  8: Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f),
};
