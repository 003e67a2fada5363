import type { Column } from '../columns/column.ts';
import { INITIAL_CAPACITY, ValidityBuilder, grown, grownOffsets } from '../columns/growable.ts';
import type { AvroReader } from '../formats/avro/avro-reader.ts';
import type { ColumnDecoder } from '../formats/avro/column-decoders.ts';
import type { AvroFileField } from '../formats/avro/file-fields.ts';
import { columnSlots } from './column-slots.ts';

/**
 * Decodes a map from column id to statistic, most of what manifests hold, without a step per key and value; of some
 * columns only if `columns` is given. Null for fields that are no such map.
 */
export function statisticsDecoder(field: AvroFileField, columns: ReadonlySet<number> | null): ColumnDecoder | null {
  const { shape } = field;
  if (shape.kind !== 'map' || shape.key.branches !== null || shape.value.branches !== null) return null;
  if (!isInteger(shape.key)) return null;
  if (isInteger(shape.value)) return new StatisticsDecoder(field, columns, new LongValues());
  return shape.value.type.kind === 'bytes' ? new StatisticsDecoder(field, columns, new BytesValues()) : null;
}

function isInteger({ type: { kind } }: AvroFileField): boolean {
  return kind === 'int' || kind === 'long';
}

/** The values of a map's entries. */
interface Values {
  readonly bytes: number;
  /** Decodes the value at an index, the next one. */
  decode(reader: AvroReader, index: number): void;
  skip(reader: AvroReader): void;
  finish(length: number): Column;
}

class StatisticsDecoder implements ColumnDecoder {
  readonly #branches: readonly boolean[] | null;
  /** Where a column is among those that are wanted, -1 if it isn't. Null if all are. */
  readonly #slotOf: ((id: number) => number) | null;
  readonly #values: Values;
  readonly #validity = new ValidityBuilder();
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #keys: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #end = 0;

  constructor({ branches }: AvroFileField, columns: ReadonlySet<number> | null, values: Values) {
    this.#branches = branches;
    this.#slotOf = columns && columnSlots([...columns]);
    this.#values = values;
  }

  get bytes(): number {
    return 4 * (this.#validity.length + this.#end) + this.#values.bytes;
  }

  decode(reader: AvroReader): void {
    const branches = this.#branches;
    const present = branches === null || branches[reader.readBranch(branches.length)]!;
    if (present) this.#decodeEntries(reader);
    this.#endRow(present);
  }

  appendNull(): void {
    this.#endRow(false);
  }

  finish(): Column {
    const { length } = this.#validity;
    const keys = this.#keys.slice(0, this.#end);
    const entries = [
      { layout: 'numbers', length: this.#end, validity: null, values: keys },
      this.#values.finish(this.#end),
    ] as const;
    const items: Column = { layout: 'struct', length: this.#end, validity: null, children: entries };
    const offsets = this.#offsets.slice(0, length + 1);
    this.#offsets = new Int32Array(INITIAL_CAPACITY);
    this.#end = 0;
    return { layout: 'list', length, validity: this.#validity.finish(), offsets, items };
  }

  #decodeEntries(reader: AvroReader): void {
    const [slotOf, values] = [this.#slotOf, this.#values];
    for (let count = reader.readBlockCount(); count > 0; count = reader.readBlockCount()) {
      this.#keys = grownOffsets(this.#keys, this.#end + count);
      const keys = this.#keys;
      for (let i = 0; i < count; i++) {
        const key = reader.readInt();
        if (slotOf !== null && slotOf(key) < 0) {
          values.skip(reader);
          continue;
        }
        keys[this.#end] = key;
        values.decode(reader, this.#end++);
      }
    }
  }

  #endRow(present: boolean): void {
    this.#validity.append(present);
    const row = this.#validity.length;
    this.#offsets = grownOffsets(this.#offsets, row + 1);
    this.#offsets[row] = this.#end;
  }
}

/** Longs are put together from halves, which spares a bigint per value. */
class LongValues implements Values {
  #halves: Int32Array = new Int32Array(2 * INITIAL_CAPACITY);

  get bytes(): number {
    return this.#halves.byteLength;
  }

  decode(reader: AvroReader, index: number): void {
    this.#halves = grownOffsets(this.#halves, 2 * (index + 1));
    reader.readLongInto(this.#halves, index);
  }

  skip(reader: AvroReader): void {
    reader.skipVarint();
  }

  finish(length: number): Column {
    const values = new BigInt64Array(this.#halves.slice(0, 2 * length).buffer);
    return { layout: 'numbers', length, validity: null, values };
  }
}

/** Below this, copying byte by byte is faster than a call. */
const SHORT_VALUE = 32;

class BytesValues implements Values {
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  get bytes(): number {
    return this.#offsets.byteLength + this.#end;
  }

  decode(reader: AvroReader, index: number): void {
    const length = reader.readLength();
    const start = reader.position;
    reader.position += length;
    this.#bytes = grown(this.#bytes, this.#end + length);
    const [from, to, end] = [reader.bytes, this.#bytes, this.#end];
    if (length < SHORT_VALUE) for (let i = 0; i < length; i++) to[end + i] = from[start + i]!;
    else to.set(from.subarray(start, start + length), end);
    this.#end += length;
    this.#offsets = grownOffsets(this.#offsets, index + 2);
    this.#offsets[index + 1] = this.#end;
  }

  skip(reader: AvroReader): void {
    reader.skip(reader.readLength());
  }

  finish(length: number): Column {
    const offsets = this.#offsets.slice(0, length + 1);
    const bytes = this.#bytes.slice(0, this.#end);
    this.#end = 0;
    return { layout: 'variable', length, validity: null, offsets, bytes };
  }
}
