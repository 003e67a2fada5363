import fc, { type Arbitrary } from 'fast-check';
import { MAX_INT, MAX_LONG, MIN_INT, MIN_LONG } from '../../src/spec/integers.ts';
import type { Transform } from '../../src/spec/transform.ts';
import { isPrimitive, type IcebergType, type PrimitiveKind, type PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { canTransform } from '../../src/transforms/transforms.ts';

/** Types whose values have an order, so that predicates on them can compare. */
export const ORDERED_TYPES: readonly PrimitiveType[] = [
  { kind: 'boolean' },
  { kind: 'int' },
  { kind: 'long' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'decimal', precision: 5, scale: 2 },
  { kind: 'decimal', precision: 38, scale: 10 },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'timestamp' },
  { kind: 'timestamptz' },
  { kind: 'timestamp_ns' },
  { kind: 'timestamptz_ns' },
  { kind: 'string' },
  { kind: 'uuid' },
  { kind: 'fixed', length: 3 },
  { kind: 'binary' },
];

const int = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: MIN_INT, max: MAX_INT }),
  fc.constantFrom(MIN_INT, MAX_INT, MIN_INT + 3),
);
const long = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: MIN_LONG, max: MAX_LONG }),
  fc.constantFrom(MIN_LONG, MAX_LONG, MIN_LONG + 3n),
);
const float = fc.oneof(
  fc.integer({ min: -4, max: 4 }).map((n) => n / 2),
  fc.constantFrom(-0, 0, NaN, Infinity, -Infinity),
  fc.float(),
);
/** Few distinct short strings, some beyond the basic plane, so that prefixes and equal values are common. */
const string = fc
  .array(fc.constantFrom('a', 'b', 'é', '\uffff', '😀', '\u{10ffff}'), { maxLength: 5 })
  .map((parts) => parts.join(''));
const bytesOf = (constraints: { minLength?: number; maxLength: number }): Arbitrary<Uint8Array> =>
  fc.array(fc.constantFrom(0, 1, 127, 128, 254, 255), constraints).map((items) => Uint8Array.from(items));
const around = (unit: bigint, limit: bigint): Arbitrary<bigint> =>
  fc.oneof(
    fc.tuple(fc.bigInt({ min: -40n, max: 40n }), fc.constantFrom(-1n, 0n, 1n)).map(([n, off]) => n * unit + off),
    fc.bigInt({ min: -limit, max: limit }),
  );
/** Hours since the epoch fit an int up to the year 246,953; microseconds would go on to 294,247. */
const MAX_MICROS = BigInt(MAX_INT) * 3_600_000_000n;
const micros = fc.oneof(
  around(3_600_000_000n, MAX_MICROS),
  around(86_400_000_000n, MAX_MICROS),
  around(28n * 86_400_000_000n, MAX_MICROS),
);
const nanos = fc.oneof(
  around(1000n, MAX_LONG),
  around(3_600_000_000_000n, MAX_LONG),
  around(86_400_000_000_000n, MAX_LONG),
);
const decimal = (precision: number): Arbitrary<bigint> => {
  const max = 10n ** BigInt(precision) - 1n;
  return fc.oneof(fc.bigInt({ min: -20n, max: 20n }), fc.bigInt({ min: -max, max }), fc.constantFrom(-max, max));
};

const VALUES: { readonly [K in PrimitiveKind]?: (type: PrimitiveType) => Arbitrary<Value> } = {
  boolean: () => fc.boolean(),
  int: () => int,
  long: () => long,
  float: () => float.map(Math.fround),
  double: () => fc.oneof(float, fc.double()),
  decimal: (type) => decimal(type.kind === 'decimal' ? type.precision : 1),
  date: () => fc.oneof(fc.integer({ min: -800, max: 800 }), int),
  time: () => fc.bigInt({ min: 0n, max: 86_399_999_999n }),
  timestamp: () => micros,
  timestamptz: () => micros,
  timestamp_ns: () => nanos,
  timestamptz_ns: () => nanos,
  string: () => string,
  uuid: () =>
    fc.oneof(
      fc.uuid(),
      fc.constantFrom('00000000-0000-0000-0000-000000000000', '80000000-0000-0000-0000-000000000000'),
    ),
  fixed: () => bytesOf({ minLength: 3, maxLength: 3 }),
  binary: () => bytesOf({ maxLength: 5 }),
};

/** A non-null value of the type; small domains and edges come up often. */
export function valueOf(type: IcebergType): Arbitrary<Value> {
  const values = isPrimitive(type) ? VALUES[type.kind] : undefined;
  if (!values || !isPrimitive(type)) throw new Error(`no values for ${type.kind}`);
  return values(type);
}

export const TRANSFORMS: readonly Transform[] = [
  { kind: 'identity' },
  { kind: 'bucket', buckets: 4 },
  { kind: 'bucket', buckets: 1 },
  { kind: 'truncate', width: 1 },
  { kind: 'truncate', width: 2 },
  { kind: 'truncate', width: 10 },
  { kind: 'year' },
  { kind: 'month' },
  { kind: 'day' },
  { kind: 'hour' },
  { kind: 'void' },
];

/** Every pair of an ordered type and a transform that takes it. */
export const TRANSFORMED_TYPES: readonly { readonly type: PrimitiveType; readonly transform: Transform }[] =
  ORDERED_TYPES.flatMap((type) =>
    TRANSFORMS.filter((transform) => canTransform(transform, type)).map((transform) => ({ type, transform })),
  );
