import { getBit } from '../columns/column.ts';
import type { Column, ColumnBatch } from '../columns/column.ts';
import { columnReader } from '../columns/column-reader.ts';
import { findColumn } from '../columns/find-column.ts';
import { takeBatch } from '../columns/take.ts';
import { invalidData, unsupported } from '../errors.ts';
import { partitionKey } from '../scan/partition-key.ts';
import type { PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import { isPrimitive } from '../spec/types.ts';
import type { PrimitiveType, StructType } from '../spec/types.ts';
import type { Transform } from '../spec/transform.ts';
import type { Value } from '../spec/values.ts';
import { applyTransform } from '../transforms/transforms.ts';

export interface PartitionedBatch {
  /** Equal for rows of one partition, in every batch. */
  readonly key: string;
  readonly tuple: PartitionTuple;
  readonly batch: ColumnBatch;
}

/** Splits batches by partition; the order of rows within one is kept. */
export type Partitioner = (batch: ColumnBatch) => readonly PartitionedBatch[];

export function partitioner(spec: PartitionSpec, schema: StructType): Partitioner {
  if (spec.fields.length === 0) {
    const key = partitionKey(spec.specId, []);
    return (batch) => [{ key, tuple: [], batch }];
  }
  const code = partitionCoder(spec, schema);
  return (batch) => {
    const groups = groupRows(code(batch));
    return groups.map(({ tuple, rows }) => ({
      key: partitionKey(spec.specId, tuple),
      tuple,
      batch: rows.length === batch.length ? batch : takeBatch(batch, rows),
    }));
  };
}

/** Which partition each row of a batch is in. */
export interface CodedPartitions {
  /** By row, a number that stands for a partition in this batch: an index of `tuples`. */
  readonly codes: Int32Array;
  readonly tuples: readonly PartitionTuple[];
}

/** For a spec that has fields. */
export function partitionCoder(spec: PartitionSpec, schema: StructType): (batch: ColumnBatch) => CodedPartitions {
  const coders = spec.fields.map((field) => fieldCoder(field.name, field.sourceIds, field.transform, schema));
  return (batch) =>
    combine(
      coders.map((code) => code(batch)),
      batch.length,
    );
}

/** The partition values of one field: a small number per row, and the value that each number stands for. */
interface CodedValues {
  readonly codes: Int32Array;
  readonly values: readonly Value[];
}

type FieldCoder = (batch: ColumnBatch) => CodedValues;

function fieldCoder(name: string, sourceIds: readonly number[], transform: Transform, schema: StructType): FieldCoder {
  const source = findColumn(schema, sourceIds[0]!);
  if (transform.kind === 'void')
    return (batch) => ({ codes: new Int32Array(batch.length), values: batch.length > 0 ? [null] : [] });
  if (sourceIds.length !== 1)
    throw unsupported(`The partition field '${name}' has several source columns, which can't be written.`);
  if (!source || !isPrimitive(source.field.type)) {
    throw invalidData(`The source column of the partition field '${name}' is not in the schema.`);
  }
  const { type } = source.field;
  const apply = applyTransform(transform, type);
  return (batch) => {
    const column = source.find(batch);
    return timeCodes(column, type, transform, apply) ?? intCodes(column, apply) ?? valueCodes(column, type, apply);
  };
}

/** Gives equal values the same number, counting from 0. */
class Dictionary {
  readonly values: Value[] = [];
  readonly #codes = new Map<Value, number>();

  code(value: Value): number {
    const key = keyOf(value);
    let code = this.#codes.get(key);
    if (code === undefined) {
      code = this.values.length;
      this.values.push(value);
      this.#codes.set(key, code);
    }
    return code;
  }
}

/** What a Map finds equal values by: it takes numbers, bigints and strings as they are, but -0 for +0. */
function keyOf(value: Value): Value {
  if (value instanceof Uint8Array) return `x${String.fromCharCode(...value)}`;
  return Object.is(value, -0) ? '-0' : value;
}

function valueCodes(column: Column, type: PrimitiveType, apply: (value: Value) => Value): CodedValues {
  const read = columnReader(type, column);
  const dictionary = new Dictionary();
  const codes = new Int32Array(column.length);
  for (let row = 0; row < codes.length; row++) codes[row] = dictionary.code(apply(read(row)));
  return { codes, values: dictionary.values };
}

/**
 * Ints and dates: the transform is applied once to each value, of which batches mostly hold few. Null for other columns.
 */
function intCodes(column: Column, apply: (value: Value) => Value): CodedValues | null {
  if (column.layout !== 'numbers' || !(column.values instanceof Int32Array)) return null;
  const { values, validity, length } = column;
  const dictionary = new Dictionary();
  const known = new Map<number, number>();
  const codes = new Int32Array(length);
  for (let row = 0; row < length; row++) {
    if (validity !== null && !getBit(validity, row)) {
      codes[row] = dictionary.code(null);
      continue;
    }
    const value = values[row]!;
    let code = known.get(value);
    if (code === undefined) {
      code = dictionary.code(apply(value));
      known.set(value, code);
    }
    codes[row] = code;
  }
  return { codes, values: dictionary.values };
}

const MICROS_PER_HOUR = 3_600_000_000;

/**
 * Time units of microseconds, without a bigint for each row: rows of the same hour are in the same hour, day, month and
 * year. Null for other columns.
 */
function timeCodes(
  column: Column,
  type: PrimitiveType,
  transform: Transform,
  apply: (value: Value) => Value,
): CodedValues | null {
  if (!TIME_TRANSFORMS.has(transform.kind) || (type.kind !== 'timestamp' && type.kind !== 'timestamptz')) return null;
  if (column.layout !== 'numbers' || !(column.values instanceof BigInt64Array)) return null;
  const { values, validity, length } = column;
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * length);
  const dictionary = new Dictionary();
  const hours = new Map<number, number>();
  const codes = new Int32Array(length);
  for (let row = 0; row < length; row++) {
    if (validity !== null && !getBit(validity, row)) {
      codes[row] = dictionary.code(null);
      continue;
    }
    const micros = halves[2 * row + 1]! * 2 ** 32 + (halves[2 * row]! >>> 0);
    if (!Number.isSafeInteger(micros)) {
      codes[row] = dictionary.code(apply(values[row]!));
      continue;
    }
    let hour = Math.floor(micros / MICROS_PER_HOUR);
    // The division rounds; the products are exact.
    if (hour * MICROS_PER_HOUR > micros) hour--;
    let code = hours.get(hour);
    if (code === undefined) {
      code = dictionary.code(apply(values[row]!));
      hours.set(hour, code);
    }
    codes[row] = code;
  }
  return { codes, values: dictionary.values };
}

const TIME_TRANSFORMS: ReadonlySet<Transform['kind']> = new Set<Transform['kind']>(['year', 'month', 'day', 'hour']);

interface RowGroup {
  readonly tuple: PartitionTuple;
  readonly rows: Int32Array;
}

function groupRows({ codes, tuples }: CodedPartitions): readonly RowGroup[] {
  const counts = new Int32Array(tuples.length);
  for (const code of codes) counts[code]!++;
  const groups = tuples.map((tuple, i) => ({ tuple, rows: new Int32Array(counts[i]!) }));
  const ends = new Int32Array(tuples.length);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    groups[code]!.rows[ends[code]!++] = row;
  }
  return groups;
}

/** One number per row for the whole tuple, out of those of its fields. */
function combine(fields: readonly CodedValues[], length: number): CodedPartitions {
  let { codes } = fields[0]!;
  let tuples: PartitionTuple[] = fields[0]!.values.map((value) => [value]);
  for (const field of fields.slice(1)) {
    const seen = new Map<number, number>();
    const combined = new Int32Array(length);
    const next: PartitionTuple[] = [];
    for (let row = 0; row < length; row++) {
      const pair = codes[row]! * field.values.length + field.codes[row]!;
      let code = seen.get(pair);
      if (code === undefined) {
        code = next.length;
        next.push([...tuples[codes[row]!]!, field.values[field.codes[row]!]!]);
        seen.set(pair, code);
      }
      combined[row] = code;
    }
    codes = combined;
    tuples = next;
  }
  return { codes, tuples };
}
