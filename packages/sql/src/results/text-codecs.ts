import { DuckDBTypeId, DuckDBVector } from '@duckdb/node-api';
import type { DuckDBEnumType, DuckDBType } from '@duckdb/node-api';
import type duckdb from '@duckdb/node-bindings';
import { Dictionary, Null, Uint16, Uint32, Uint8, Utf8, makeData, vectorFromArray } from 'apache-arrow';
import type { Data, DataType } from 'apache-arrow';
import type { ColumnCodec, ColumnCopier } from './codec.ts';
import { fixedCodec, readerOf, vectorValidity } from './fixed-codecs.ts';
import { StringCopier } from './strings.ts';
import { ValidityBuilder } from './validity.ts';

/** Strings and blobs; `read` makes the value of the bytes from `start` to `end`. */
export function stringCodec(
  arrowType: DataType,
  read: (bytes: Buffer, start: number, end: number) => unknown,
): ColumnCodec {
  return {
    arrowType,
    copier: (capacity) => new VariableCopier(arrowType, capacity),
    reader: (data) => {
      const values = data.values as Uint8Array;
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      const offsets = data.valueOffsets as Int32Array;
      return readerOf(data, (row) => read(bytes, offsets[row]!, offsets[row + 1]!));
    },
  };
}

function variableData(
  type: DataType,
  length: number,
  valueOffsets: Int32Array,
  data: Uint8Array,
  nullBitmap: Uint8Array | null,
): Data {
  return makeData({ type, length, valueOffsets, data, nullBitmap, nullCount: nullBitmap ? -1 : 0 } as never);
}

class VariableCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #validity: ValidityBuilder;
  readonly #strings: StringCopier;
  #sourceValidity: Uint8Array | null = null;

  constructor(type: DataType, capacity: number) {
    this.#type = type;
    this.#validity = new ValidityBuilder(capacity);
    this.#strings = new StringCopier(capacity);
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#strings.open(vector, size);
    this.#sourceValidity = vectorValidity(vector, size);
  }

  copy(from: number, count: number): void {
    this.#strings.copy(from, count, this.#sourceValidity);
    this.#validity.append(this.#sourceValidity, from, count);
  }

  finish(): Data {
    const { offsets, bytes } = this.#strings.finish();
    return variableData(this.#type, this.#validity.length, offsets, bytes, this.#validity.finish());
  }
}

/** Types that Arrow has no counterpart for, as the text that DuckDB prints. */
export function textCodec(type: DuckDBType, parse: (text: string) => unknown = (text) => text): ColumnCodec {
  const arrowType = new Utf8();
  return {
    arrowType,
    copier: () => new PrintingCopier(type),
    reader: (data) => {
      const bytes = Buffer.from(data.values as Uint8Array);
      const offsets = data.valueOffsets as Int32Array;
      return readerOf(data, (row) => parse(bytes.toString('utf8', offsets[row], offsets[row + 1])));
    },
  };
}

class PrintingCopier implements ColumnCopier {
  readonly #type: DuckDBType;
  readonly #texts: (string | null)[] = [];
  #source: DuckDBVector | null = null;

  constructor(type: DuckDBType) {
    this.#type = type;
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#source = DuckDBVector.create(vector, size, this.#type);
  }

  copy(from: number, count: number): void {
    for (let row = from; row < from + count; row++) {
      const value = this.#source!.getItem(row);
      this.#texts.push(value === null ? null : String(value));
    }
  }

  finish(): Data {
    return vectorFromArray(this.#texts, new Utf8()).data[0] ?? makeData({ type: new Utf8(), length: 0 } as never);
  }
}

export function enumCodec(type: DuckDBEnumType): ColumnCodec {
  const dictionary = vectorFromArray([...type.values], new Utf8());
  const [indexType, array] =
    type.internalTypeId === DuckDBTypeId.UTINYINT
      ? ([new Uint8(), Uint8Array] as const)
      : type.internalTypeId === DuckDBTypeId.USMALLINT
        ? ([new Uint16(), Uint16Array] as const)
        : ([new Uint32(), Uint32Array] as const);
  const arrowType = new Dictionary(new Utf8(), indexType);
  const codes = fixedCodec<Uint8Array | Uint16Array | Uint32Array>(
    indexType,
    array,
    (values, row) => type.values[values[row]!],
  );
  return {
    ...codes,
    arrowType,
    copier: (capacity) => {
      const inner = codes.copier(capacity);
      const finish = (): Data => {
        const { length, nullBitmap, values } = inner.finish();
        return makeData({ type: arrowType, length, nullBitmap, data: values, dictionary } as never);
      };
      return {
        open: (vector, size) => inner.open(vector, size),
        copy: (from, count) => inner.copy(from, count),
        finish,
      };
    },
  };
}

export function nullCodec(): ColumnCodec {
  return {
    arrowType: new Null(),
    copier: () => {
      let length = 0;
      return {
        open: () => undefined,
        copy: (_, count) => {
          length += count;
        },
        finish: () => makeData({ type: new Null(), length }),
      };
    },
    reader: () => () => null,
  };
}
