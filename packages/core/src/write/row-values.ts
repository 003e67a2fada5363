import { columnBuilder } from '../columns/builder.ts';
import type { ColumnBuilder } from '../columns/builder.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { defaultValue } from '../columns/default-value.ts';
import { invalidArgument } from '../errors.ts';
import { isPrimitive } from '../spec/types.ts';
import type { IcebergType, NestedField, PrimitiveType, StructType } from '../spec/types.ts';
import { USER_SCALARS } from '../spec/user-scalars.ts';
import type { UserScalar } from '../spec/user-scalars.ts';
import { toValue } from '../spec/user-values.ts';
import type { Value } from '../spec/values.ts';

const BATCH_ROWS = 16 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
/** How often the size of what was collected is looked at. */
const SIZE_CHECK_ROWS = 256;

interface ColumnInput {
  readonly field: NestedField;
  readonly builder: ColumnBuilder;
  /** Undefined for a value that the type doesn't take. */
  readonly convert: (input: unknown) => Value | undefined;
  /** Every object has a property of this name, whether the row gives a value or not. */
  readonly isInherited: boolean;
}

/** Collects rows, given as objects, into batches of a schema. */
export class RowCollector {
  readonly #schema: StructType;
  readonly #columns: readonly ColumnInput[];
  readonly #names: ReadonlySet<string>;
  #length = 0;

  constructor(schema: StructType) {
    this.#schema = schema;
    this.#columns = schema.fields.map((field) => ({
      field,
      builder: columnBuilder(field.type),
      convert: converter(field.type),
      isInherited: field.name in Object.prototype,
    }));
    this.#names = new Set(schema.fields.map((field) => field.name));
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    if (this.#length >= BATCH_ROWS) return true;
    if (this.#length % SIZE_CHECK_ROWS !== 0) return false;
    return this.#columns.reduce((sum, { builder }) => sum + builder.bytes, 0) >= BATCH_BYTES;
  }

  /** INVALID_ARGUMENT for a row that doesn't fit; `index` is its place in the input. */
  add(item: object, index: number): void {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      throw invalidArgument(`rows[${index}] must be an object with the values by column name.`);
    }
    const row = item as Readonly<Record<string, unknown>>;
    for (const name in row) if (!this.#names.has(name)) throw unknownColumn(name, this.#schema);
    for (const { field, builder, convert, isInherited } of this.#columns) {
      const input = isInherited && !Object.hasOwn(row, field.name) ? undefined : row[field.name];
      builder.append(this.#value(field, convert, input, index));
    }
    this.#length++;
  }

  #value(field: NestedField, convert: ColumnInput['convert'], input: unknown, index: number): Value {
    // Only what is left out takes the default: null is a value.
    const value = input === undefined ? defaultValue(field, 'writeDefault') : input === null ? null : convert(input);
    // Conversion is tried without a place first, as building one for each value would cost more than the rest.
    if (value === undefined) return toValue(field.type, input, placeOf(field, index));
    if (value === null && field.required) {
      throw invalidArgument(`${placeOf(field, index)} is required, but has no value.`);
    }
    return value;
  }

  /** The rows so far as a batch. */
  take(): ColumnBatch {
    const length = this.#length;
    this.#length = 0;
    return { length, columns: this.#columns.map(({ builder }) => builder.finish()) };
  }
}

function placeOf({ name }: NestedField, index: number): string {
  return `rows[${index}].${name}`;
}

function converter(type: IcebergType): (input: unknown) => Value | undefined {
  // What has places inside is converted with its place at once.
  if (!isPrimitive(type) || type.kind === 'variant') return () => undefined;
  const scalar = USER_SCALARS[type.kind] as UserScalar<PrimitiveType>;
  return (input) => scalar.fromUser(input, type, () => 'the value');
}

export function unknownColumn(column: string, struct: StructType): Error {
  const known = struct.fields.map((field) => `'${field.name}'`).join(', ');
  return invalidArgument(
    `The table has no column '${column}' (it has ${known}). Leave it out, or write with { mergeSchema: true } to add it.`,
  );
}
