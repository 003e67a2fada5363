import duckdb from '@duckdb/node-bindings';
import { Field, FixedSizeList, List, Map_, Struct, makeData } from 'apache-arrow';
import type { Data, DataType } from 'apache-arrow';
import type { ColumnCodec, ColumnCopier, RowOptions, ValueReader } from './codec.ts';
import { readerOf, vectorValidity } from './fixed-codecs.ts';
import { ValidityBuilder } from './validity.ts';

export interface ChildCodec {
  readonly name: string;
  readonly codec: ColumnCodec;
}

/** `makeData` infers its arguments from the type; here the type is known at run time only. */
function nestedData(type: DataType, length: number, nullBitmap: Uint8Array | null, rest: object): Data {
  return makeData({ type, length, nullBitmap, nullCount: nullBitmap ? -1 : 0, ...rest } as never);
}

export function structCodec(children: readonly ChildCodec[]): ColumnCodec {
  const arrowType = new Struct(children.map(({ name, codec }) => new Field(name, codec.arrowType, true)));
  return {
    arrowType,
    copier: (capacity) => new StructCopier(arrowType, children, capacity),
    reader: (data, options) => {
      const readers = children.map(({ codec }, i) => codec.reader(data.children[i]!, options));
      return readerOf(data, (row) => {
        const object: Record<string, unknown> = {};
        children.forEach(({ name }, i) => define(object, name, readers[i]!(row)));
        return object;
      });
    },
  };
}

/** Sets a property without minding what the key means to the language: '__proto__' is a name like any other. */
export function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

class StructCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #children: readonly ColumnCopier[];
  readonly #validity: ValidityBuilder;
  #sourceValidity: Uint8Array | null = null;

  constructor(type: DataType, children: readonly ChildCodec[], capacity: number) {
    this.#type = type;
    this.#children = children.map(({ codec }) => codec.copier(capacity));
    this.#validity = new ValidityBuilder(capacity);
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#sourceValidity = vectorValidity(vector, size);
    this.#children.forEach((child, i) => child.open(duckdb.struct_vector_get_child(vector, i), size));
  }

  copy(from: number, count: number): void {
    this.#validity.append(this.#sourceValidity, from, count);
    for (const child of this.#children) child.copy(from, count);
  }

  finish(): Data {
    const children = this.#children.map((child) => child.finish());
    return nestedData(this.#type, this.#validity.length, this.#validity.finish(), { children });
  }
}

export function listCodec(element: ColumnCodec): ColumnCodec {
  const arrowType = new List(new Field('element', element.arrowType, true));
  return {
    arrowType,
    copier: (capacity) => new ListCopier(arrowType, element, capacity),
    reader: (data, options) => listReader(data, element.reader(data.children[0]!, options), (items) => items),
  };
}

export function mapCodec(key: ColumnCodec, value: ColumnCodec): ColumnCodec {
  const entries = new Struct([new Field('key', key.arrowType, false), new Field('value', value.arrowType, true)]);
  const arrowType = new Map_(new Field('entries', entries as never, false));
  const entryCodec = structCodec([
    { name: 'key', codec: key },
    { name: 'value', codec: value },
  ]);
  const codec: ColumnCodec = {
    ...entryCodec,
    arrowType: entries,
    copier: (capacity) =>
      new StructCopier(
        entries,
        [
          { name: 'key', codec: key },
          { name: 'value', codec: value },
        ],
        capacity,
      ),
  };
  return {
    arrowType,
    copier: (capacity) => new ListCopier(arrowType, codec, capacity),
    reader: (data, options) => {
      const child = data.children[0]!;
      const readKey = key.reader(child.children[0]!, options);
      const readValue = value.reader(child.children[1]!, options);
      return listReader(
        data,
        (row) => [readKey(row), readValue(row)],
        (items) => new Map(items as [unknown, unknown][]),
      );
    },
  };
}

function listReader(data: Data, item: ValueReader, make: (items: unknown[]) => unknown): ValueReader {
  const offsets = data.valueOffsets as Int32Array;
  return readerOf(data, (row) => {
    const items: unknown[] = [];
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) items.push(item(i));
    return make(items);
  });
}

/** Lists and maps: every row has an offset and a length in the child vector, in no particular order. */
class ListCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #child: ColumnCopier;
  readonly #validity: ValidityBuilder;
  #offsets: Int32Array;
  #rows = 0;
  #entries: Uint32Array = new Uint32Array(0);
  #sourceValidity: Uint8Array | null = null;

  constructor(type: DataType, child: ColumnCodec, capacity: number) {
    this.#type = type;
    this.#child = child.copier(capacity);
    this.#validity = new ValidityBuilder(capacity);
    this.#offsets = new Int32Array(capacity + 1);
  }

  open(vector: duckdb.Vector, size: number): void {
    // { offset, length } of 64 bits each; a chunk's child never has 2^32 rows.
    const bytes = duckdb.vector_get_data(vector, size * 16);
    this.#entries = new Uint32Array(bytes.buffer, bytes.byteOffset, size * 4);
    this.#sourceValidity = vectorValidity(vector, size);
    this.#child.open(duckdb.list_vector_get_child(vector), duckdb.list_vector_get_size(vector));
  }

  copy(from: number, count: number): void {
    this.#makeRoom(count);
    let end = this.#offsets[this.#rows]!;
    let [runStart, runEnd] = [0, 0];
    for (let row = from; row < from + count; row++) {
      const isNull = this.#sourceValidity !== null && !((this.#sourceValidity[row >> 3]! >> (row & 7)) & 1);
      const start = this.#entries[row * 4]!;
      const length = isNull ? 0 : this.#entries[row * 4 + 2]!;
      if (length > 0 && start !== runEnd) {
        if (runEnd > runStart) this.#child.copy(runStart, runEnd - runStart);
        [runStart, runEnd] = [start, start];
      }
      runEnd += length;
      end += length;
      this.#offsets[++this.#rows] = end;
    }
    if (runEnd > runStart) this.#child.copy(runStart, runEnd - runStart);
    this.#validity.append(this.#sourceValidity, from, count);
  }

  finish(): Data {
    const valueOffsets = this.#offsets.subarray(0, this.#rows + 1);
    return nestedData(this.#type, this.#rows, this.#validity.finish(), { valueOffsets, child: this.#child.finish() });
  }

  #makeRoom(count: number): void {
    if (this.#rows + count + 1 <= this.#offsets.length) return;
    const grown = new Int32Array(Math.max(this.#rows + count + 1, this.#offsets.length * 2));
    grown.set(this.#offsets);
    this.#offsets = grown;
  }
}

/** DuckDB's ARRAY: lists of one length. */
export function arrayCodec(element: ColumnCodec, length: number): ColumnCodec {
  const arrowType = new FixedSizeList(length, new Field('element', element.arrowType, true));
  return {
    arrowType,
    copier: (capacity) => new ArrayCopier(arrowType, element, length, capacity),
    reader: (data, options) => {
      const item = element.reader(data.children[0]!, options);
      return readerOf(data, (row) => Array.from({ length }, (_, i) => item(row * length + i)));
    },
  };
}

class ArrayCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #child: ColumnCopier;
  readonly #length: number;
  readonly #validity: ValidityBuilder;
  #sourceValidity: Uint8Array | null = null;

  constructor(type: DataType, child: ColumnCodec, length: number, capacity: number) {
    this.#type = type;
    this.#child = child.copier(capacity * length);
    this.#length = length;
    this.#validity = new ValidityBuilder(capacity);
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#sourceValidity = vectorValidity(vector, size);
    this.#child.open(duckdb.array_vector_get_child(vector), size * this.#length);
  }

  copy(from: number, count: number): void {
    this.#validity.append(this.#sourceValidity, from, count);
    this.#child.copy(from * this.#length, count * this.#length);
  }

  finish(): Data {
    return nestedData(this.#type, this.#validity.length, this.#validity.finish(), { child: this.#child.finish() });
  }
}

/** A union's vector is a struct of its tag and all members; of each row, the tagged member is what counts. */
export function unionCodec(members: readonly ChildCodec[], tag: ColumnCodec): ColumnCodec {
  const struct = structCodec([{ name: 'tag', codec: tag }, ...members]);
  return {
    ...struct,
    reader: (data: Data, options: RowOptions) => {
      const [readTag, ...readMembers] = [tag, ...members.map(({ codec }) => codec)].map((codec, i) =>
        codec.reader(data.children[i]!, options),
      );
      return readerOf(data, (row) => {
        const index = readTag!(row);
        return typeof index === 'number' ? readMembers[index]!(row) : null;
      });
    },
  };
}
