import { uuidToBytes } from '../spec/bytes-text.ts';
import { fitsPrecision } from '../spec/decimal-text.ts';
import { MAX_INT, MAX_LONG, MIN_INT, MIN_LONG } from '../spec/integers.ts';
import { typeToText } from '../spec/type-text.ts';
import type { DecimalType, PrimitiveKind, PrimitiveType } from '../spec/types.ts';
import { isValid } from './column.ts';
import type { Column, FixedColumn, NumbersColumn, StructColumn, VariableColumn } from './column.ts';
import { readDecimal, viewOf, writeDecimal } from './decimals.ts';
import { DECIMAL_WIDTH, UUID_WIDTH } from './layout.ts';
import { assembleVariants, childNamed, isShredded, isVariantSource } from './shredded-variant.ts';
import { UNIT_NANOS, sourceTypeToText } from './source-type.ts';
import type { SourceType } from './source-type.ts';

export interface CastContext {
  /**
   * 'exact': a value that the target can't hold exactly fails, for what users give. 'file': finer time units are
   * floored and unannotated binaries are strings, as other readers of data files have it.
   */
  readonly mode: 'exact' | 'file';
  /** Throws the error that fits the caller; `row` is null when the types as such don't fit. */
  readonly fail: (row: number | null, problem: string) => never;
}

type Cast<T> = (source: SourceType, column: Column, target: T, context: CastContext) => Column | null;

/**
 * Casts a column without children to an Iceberg type. Integers widen and narrow where every value fits, as do time
 * units and decimals; what has no meaning as the target's values fails.
 */
export function castLeaf(source: SourceType, column: Column, target: PrimitiveType, context: CastContext): Column {
  const cast = CASTS[target.kind] as Cast<PrimitiveType>;
  return cast(source, column, target, context) ?? incompatible(source, target, context);
}

function incompatible(source: SourceType, target: PrimitiveType, context: CastContext): never {
  return context.fail(
    null,
    `is of type ${sourceTypeToText(source)}, which does not fit the column's type ${typeToText(target)}`,
  );
}

const CASTS: { readonly [K in PrimitiveKind]: Cast<Extract<PrimitiveType, { kind: K }>> } = {
  boolean: (source, column) => (source.kind === 'bool' ? column : null),
  int: (source, column, _, context) => toInt32(source, column as NumbersColumn, context),
  long: (source, column, _, context) => toInt64(source, column as NumbersColumn, context),
  float: (source, column, _, context) => toFloat(source, column as NumbersColumn, Float32Array, context),
  double: (source, column, _, context) => toFloat(source, column as NumbersColumn, Float64Array, context),
  decimal: toDecimal,
  date: (source, column, _, context) => toDate(source, column as NumbersColumn, context),
  time: (source, column, _, context) =>
    source.kind === 'time' ? toUnit(UNIT_NANOS[source.unit], column, 1000n, context) : null,
  timestamp: toTimestamp(1000n),
  timestamptz: toTimestamp(1000n),
  timestamp_ns: toTimestamp(1n),
  timestamptz_ns: toTimestamp(1n),
  string: (source, column, _, context) =>
    source.kind === 'utf8' || (source.kind === 'binary' && context.mode === 'file') ? column : null,
  uuid: (source, column, _, context) => {
    if (source.kind === 'fixed' && source.width === UUID_WIDTH) return column;
    if (source.kind === 'binary') return binaryToFixed(column as VariableColumn, UUID_WIDTH, context);
    return source.kind === 'utf8' ? parseUuids(column as VariableColumn, context) : null;
  },
  fixed: (source, column, target, context) => {
    if (source.kind === 'fixed') return source.width === target.length ? column : null;
    return source.kind === 'binary' ? binaryToFixed(column as VariableColumn, target.length, context) : null;
  },
  binary: toBinary,
  geometry: toBinary,
  geography: toBinary,
  // A column with a type has values that an unknown one can't keep.
  unknown: () => null,
  variant: (source, column, _, context) => toVariant(source, column as StructColumn, context),
};

function eachValid(column: Column, visit: (row: number) => void): void {
  for (let row = 0; row < column.length; row++) if (isValid(column, row)) visit(row);
}

function numbers(column: Column, values: NumbersColumn['values']): NumbersColumn {
  return { layout: 'numbers', length: column.length, validity: column.validity, values };
}

function toInt32(source: SourceType, column: NumbersColumn, context: CastContext): Column | null {
  if (source.kind !== 'int' && source.kind !== 'float') return null;
  if (column.values instanceof Int32Array) return column;
  const always = source.kind === 'int' && (source.bits < 32 || (source.bits === 32 && source.signed));
  if (always) return numbers(column, new Int32Array(column.values as Int16Array));
  if (column.values instanceof BigInt64Array) return narrowInt64(column, column.values, context);
  const out = new Int32Array(column.length);
  eachValid(column, (row) => {
    const value = Number(column.values[row]!);
    if (!Number.isInteger(value) || value < MIN_INT || value > MAX_INT) {
      context.fail(row, `holds ${column.values[row]}, which is not an int`);
    }
    out[row] = value;
  });
  return numbers(column, out);
}

function toInt64(source: SourceType, column: NumbersColumn, context: CastContext): Column | null {
  if (source.kind !== 'int' && source.kind !== 'float') return null;
  if (column.values instanceof BigInt64Array) return column;
  if (column.values instanceof Int32Array) return numbers(column, widenInt32(column.values, column.length));
  const out = new BigInt64Array(column.length);
  eachValid(column, (row) => {
    const value = column.values[row]!;
    if (typeof value === 'number' && !Number.isInteger(value)) context.fail(row, `holds ${value}, which is not a long`);
    const long = BigInt(value);
    if (long < MIN_LONG || long > MAX_LONG) context.fail(row, `holds ${value}, which is not a long`);
    out[row] = long;
  });
  return numbers(column, out);
}

/** By halves, which spares a bigint per value: the upper one must only repeat the sign. */
function narrowInt64(column: NumbersColumn, values: BigInt64Array, context: CastContext): Column {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * column.length);
  const out = new Int32Array(column.length);
  for (let row = 0; row < out.length; row++) {
    const low = halves[2 * row]!;
    if (halves[2 * row + 1] !== low >> 31 && isValid(column, row)) {
      context.fail(row, `holds ${values[row]}, which is not an int`);
    }
    out[row] = low;
  }
  return numbers(column, out);
}

/** Sign-extends by halves, which spares a bigint per value. */
function widenInt32(values: Int32Array, length: number): BigInt64Array {
  const out = new BigInt64Array(length);
  const halves = new Int32Array(out.buffer);
  for (let i = 0; i < length; i++) {
    halves[2 * i] = values[i]!;
    halves[2 * i + 1] = values[i]! >> 31;
  }
  return out;
}

function toFloat(
  source: SourceType,
  column: NumbersColumn,
  target: Float32ArrayConstructor | Float64ArrayConstructor,
  context: CastContext,
): Column | null {
  if (source.kind !== 'int' && source.kind !== 'float') return null;
  if (column.values instanceof target) return column;
  if (column.values instanceof Float32Array) return numbers(column, new Float64Array(column.values));
  const out = new target(column.length);
  eachValid(column, (row) => {
    const value = column.values[row]!;
    out[row] = Number(value);
    const exact = typeof value === 'bigint' ? BigInt(out[row]) === value : Object.is(out[row], value);
    if (!exact) context.fail(row, `holds ${value}, which is not a ${target === Float32Array ? 'float' : 'double'}`);
  });
  return numbers(column, out);
}

function toDecimal(source: SourceType, column: Column, target: DecimalType, context: CastContext): Column | null {
  if (source.kind === 'decimal') {
    if (source.scale === target.scale && source.precision <= target.precision) return column;
    const view = viewOf((column as FixedColumn).bytes);
    const up = 10n ** BigInt(Math.max(0, target.scale - source.scale));
    const down = 10n ** BigInt(Math.max(0, source.scale - target.scale));
    return decimals(column, target, context, (row) => {
      const value = readDecimal(view, row) * up;
      return value % down === 0n ? value / down : null;
    });
  }
  if (source.kind !== 'int') return null;
  const { values } = column as NumbersColumn;
  const factor = 10n ** BigInt(target.scale);
  return decimals(column, target, context, (row) => BigInt(values[row]!) * factor);
}

function decimals(
  column: Column,
  target: DecimalType,
  context: CastContext,
  read: (row: number) => bigint | null,
): Column {
  const bytes = new Uint8Array(column.length * DECIMAL_WIDTH);
  const view = viewOf(bytes);
  eachValid(column, (row) => {
    const value = read(row);
    if (value === null || !fitsPrecision(value, target.precision)) {
      return context.fail(row, `holds a value that does not fit ${typeToText(target)}`);
    }
    writeDecimal(view, row, value);
  });
  return { layout: 'fixed', length: column.length, validity: column.validity, width: DECIMAL_WIDTH, bytes };
}

const MS_PER_DAY = 86_400_000n;
const NANOS_PER_DAY = 86_400_000_000_000n;

function toDate(source: SourceType, column: NumbersColumn, context: CastContext): Column | null {
  if (source.kind !== 'date') return null;
  if (source.unit === 'day') return column;
  const out = new Int32Array(column.length);
  eachValid(column, (row) => {
    const ms = column.values[row] as bigint;
    if (ms % MS_PER_DAY !== 0n) context.fail(row, 'holds a time of day, which a date would lose');
    out[row] = Number(ms / MS_PER_DAY);
  });
  return numbers(column, out);
}

function toTimestamp(targetNanos: bigint): Cast<PrimitiveType> {
  return (source, column, _, context) => {
    if (source.kind === 'timestamp') return toUnit(UNIT_NANOS[source.unit], column, targetNanos, context);
    if (source.kind !== 'date') return null;
    return toUnit(source.unit === 'day' ? NANOS_PER_DAY : UNIT_NANOS.ms, column, targetNanos, context);
  };
}

/** Counts of one unit, `fromNanos` long, as counts of another. */
function toUnit(fromNanos: bigint, column: Column, toNanos: bigint, context: CastContext): Column {
  const { values } = column as NumbersColumn;
  if (fromNanos === toNanos) return column;
  const out = new BigInt64Array(column.length);
  const up = fromNanos > toNanos ? fromNanos / toNanos : 1n;
  const down = toNanos > fromNanos ? toNanos / fromNanos : 1n;
  eachValid(column, (row) => {
    const value = BigInt(values[row]!) * up;
    const rest = ((value % down) + down) % down;
    if (rest !== 0n && context.mode === 'exact') context.fail(row, 'holds a finer time than the column can keep');
    const result = (value - rest) / down;
    if (result < MIN_LONG || result > MAX_LONG) context.fail(row, "holds a time outside the column's range");
    out[row] = result;
  });
  return numbers(column, out);
}

function toBinary(source: SourceType, column: Column): Column | null {
  if (source.kind === 'binary') return column;
  if (source.kind !== 'fixed') return null;
  const offsets = Int32Array.from({ length: column.length + 1 }, (_, i) => i * source.width);
  return {
    layout: 'variable',
    length: column.length,
    validity: column.validity,
    offsets,
    bytes: (column as FixedColumn).bytes,
  };
}

function binaryToFixed(column: VariableColumn, width: number, context: CastContext): Column {
  const bytes = new Uint8Array(column.length * width);
  eachValid(column, (row) => {
    const value = column.bytes.subarray(column.offsets[row], column.offsets[row + 1]);
    if (value.length !== width) context.fail(row, `holds ${value.length} bytes where fixed(${width}) is needed`);
    bytes.set(value, row * width);
  });
  return { layout: 'fixed', length: column.length, validity: column.validity, width, bytes };
}

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function parseUuids(column: VariableColumn, context: CastContext): Column {
  const bytes = new Uint8Array(column.length * UUID_WIDTH);
  const decoder = new TextDecoder();
  eachValid(column, (row) => {
    const text = decoder.decode(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]));
    if (!UUID_TEXT.test(text)) context.fail(row, `holds '${text}', which is not a uuid`);
    bytes.set(uuidToBytes(text.toLowerCase()), row * UUID_WIDTH);
  });
  return { layout: 'fixed', length: column.length, validity: column.validity, width: UUID_WIDTH, bytes };
}

function toVariant(source: SourceType, column: StructColumn, context: CastContext): Column | null {
  if (!isVariantSource(source)) return null;
  const [metadata, value] = ['metadata', 'value'].map((name) => column.children[childNamed(source, name)]!);
  if (isShredded(source) || lacksParts(metadata!, value!)) return assembleVariants(source, column, context.fail);
  return { layout: 'struct', length: column.length, validity: column.validity, children: [metadata!, value!] };
}

/** Whether a variant has one part without the other. Where it has neither, it is in something that is null as a whole. */
function lacksParts(metadata: Column, value: Column): boolean {
  if (metadata.validity === null && value.validity === null) return false;
  for (let row = 0; row < value.length; row++) if (isValid(value, row) !== isValid(metadata, row)) return true;
  return false;
}
