import { partitionBy, schema, t } from '@lh/core';
import type { ColumnType, PartitionFieldInput, Schema, SortFieldInput } from '@lh/core';
import fc from 'fast-check';

/** A column by its name: its type, and values of it as users give them. */
interface AnyColumn {
  readonly type: ColumnType;
  readonly value: fc.Arbitrary<unknown>;
  readonly partitions: readonly ((name: string) => PartitionFieldInput)[];
  readonly isSortable: boolean;
}

const LONG_MIN = -(2n ** 63n);
const int = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, -1));
const long = fc.oneof(fc.bigInt(LONG_MIN, 2n ** 63n - 1n), fc.constantFrom(LONG_MIN, 2n ** 63n - 1n, 0n, -7n));
const double = fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 1e-300));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((one) => one.replaceAll('\0', '')),
  fc.constantFrom(
    '',
    'a',
    'NULL',
    '__HIVE_DEFAULT_PARTITION__',
    'é/x=%',
    '😀😀',
    'a'.repeat(40),
    'b'.repeat(300),
    '.',
    "it's",
  ),
);
const bytes = fc.uint8Array({ maxLength: 20 });
const instant = fc.date({ min: new Date('-000400-01-01'), max: new Date('+009999-12-31'), noInvalidDate: true });
const iso = (date: Date): string => date.toISOString().slice(0, -1);
const decimal = (precision: number, scale: number): fc.Arbitrary<string> =>
  fc.bigInt(-(10n ** BigInt(precision)) + 1n, 10n ** BigInt(precision) - 1n).map((unscaled) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    return `${unscaled < 0n ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
  });

const { identity, bucket, truncate, year, month, day, hour } = partitionBy;
const plain = [(name: string) => identity(name)];
const bucketed = [(name: string) => bucket(5, name)];
const times = [year, month, day].map((by) => (name: string) => by(name));
const hours = [...times, (name: string) => hour(name)];
const truncated = [(name: string) => truncate(3, name)];

const COLUMNS: Readonly<Record<string, AnyColumn>> = {
  flag: { type: t.boolean(), value: fc.boolean(), partitions: plain, isSortable: true },
  small: { type: t.int(), value: int, partitions: [...plain, ...bucketed, ...truncated], isSortable: true },
  large: { type: t.long(), value: long, partitions: [...plain, ...bucketed, ...truncated], isSortable: true },
  single: { type: t.float(), value: fc.oneof(fc.float(), fc.constant(-0)), partitions: [], isSortable: false },
  real: { type: t.double(), value: double, partitions: [], isSortable: true },
  money: {
    type: t.decimal(9, 2),
    value: decimal(9, 2),
    partitions: [...plain, ...bucketed, ...truncated],
    isSortable: true,
  },
  tiny: { type: t.decimal(4, 4), value: decimal(4, 4), partitions: plain, isSortable: true },
  huge: { type: t.decimal(38, 10), value: decimal(38, 10), partitions: plain, isSortable: true },
  born: {
    type: t.date(),
    value: instant.map((one) => iso(one).split('T')[0]!),
    partitions: [...plain, ...bucketed, ...times],
    isSortable: true,
  },
  at: {
    type: t.time(),
    value: fc.integer({ min: 0, max: 86_399_999 }).map((ms) => iso(new Date(ms)).split('T')[1]!),
    partitions: [...plain, ...bucketed],
    isSortable: true,
  },
  ts: { type: t.timestamp(), value: instant.map(iso), partitions: [...plain, ...bucketed, ...hours], isSortable: true },
  tz: { type: t.timestamptz(), value: instant, partitions: [...plain, ...bucketed, ...hours], isSortable: true },
  name: { type: t.string(), value: text, partitions: [...plain, ...bucketed, ...truncated], isSortable: true },
  key: { type: t.uuid(), value: fc.uuid(), partitions: [...plain, ...bucketed], isSortable: true },
  raw: { type: t.binary(), value: bytes, partitions: [...plain, ...bucketed, ...truncated], isSortable: true },
  inner: {
    type: t.struct({ x: t.double(), deep: t.struct({ s: t.string(), n: t.int() }) }),
    value: fc.record({
      x: fc.option(double),
      deep: fc.option(fc.record({ s: fc.option(text), n: fc.option(int) })),
    }),
    partitions: [],
    isSortable: false,
  },
  tags: {
    type: t.list(t.string()),
    value: fc.array(fc.option(text), { maxLength: 3 }),
    partitions: [],
    isSortable: false,
  },
  attributes: {
    type: t.map(t.string(), t.struct({ v: t.long() })),
    value: fc
      .uniqueArray(text, { maxLength: 3 })
      .chain((keys) =>
        fc
          .tuple(...keys.map((key) => fc.tuple(fc.constant(key), fc.option(fc.record({ v: fc.option(long) })))))
          .map((entries) => new Map(entries)),
      ),
    partitions: [],
    isSortable: false,
  },
  // What DuckDB can't write.
  code: {
    type: t.fixed(3),
    value: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    partitions: plain,
    isSortable: false,
  },
  odd: { type: t.decimal(20, 3), value: decimal(20, 3), partitions: plain, isSortable: true },
  'two words': { type: t.int(), value: int, partitions: plain, isSortable: true },
};

export interface AnyTable {
  readonly shape: Schema;
  readonly partitionBy: readonly PartitionFieldInput[];
  readonly sortBy: readonly SortFieldInput[];
  readonly properties: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

const properties = fc.record(
  {
    'write.parquet.compression-codec': fc.constantFrom('zstd', 'gzip', 'snappy', 'lz4', 'uncompressed', 'brotli'),
    'write.metadata.metrics.default': fc.constantFrom('none', 'counts', 'full', 'truncate(3)', 'truncate(16)'),
    'write.object-storage.enabled': fc.constantFrom('true', 'false'),
    'write.distribution-mode': fc.constantFrom('none', 'hash', 'range'),
    'write.parquet.row-group-size-bytes': fc.constantFrom('1000', '100000'),
  },
  { requiredKeys: [] },
);

/** Tables of some of the columns, in any partitioning and order, with rows in which any value may be null. */
export const anyTable: fc.Arbitrary<AnyTable> = fc
  .record({
    names: fc.subarray(Object.keys(COLUMNS), { minLength: 1, maxLength: 8 }),
    properties,
    partitions: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 2 }),
    sorts: fc.array(fc.tuple(fc.nat(), fc.constantFrom('asc', 'desc'), fc.constantFrom('first', 'last')), {
      maxLength: 2,
    }),
  })
  .chain(({ names, properties: set, partitions, sorts }) => {
    const columns = names.map((name) => [name, COLUMNS[name]!] as const);
    const row = fc.record(
      Object.fromEntries(columns.map(([name, { value }]) => [name, fc.option(value, { freq: 8 })])),
    );
    const sources = columns.filter(([, one]) => one.partitions.length > 0);
    // Two fields of one column may be refused as redundant.
    const fields = new Map(
      partitions.flatMap(([column, choice]) => {
        const [name, one] = sources[column % Math.max(1, sources.length)] ?? [];
        return one ? [[name!, one.partitions[choice % one.partitions.length]!(name!)] as const] : [];
      }),
    );
    const sortable = columns.filter(([, one]) => one.isSortable).map(([name]) => name);
    const sortBy =
      sortable.length === 0
        ? []
        : sorts.map(([i, direction, nulls]) => ({ field: sortable[i % sortable.length]!, direction, nulls }));
    return fc.array(row, { minLength: 1, maxLength: 40 }).map((rows): AnyTable => ({
      shape: schema(Object.fromEntries(columns.map(([name, { type }]) => [name, type]))) as Schema,
      partitionBy: [...fields.values()],
      sortBy: sortBy.filter(({ field }, i) => sortBy.findIndex((other) => other.field === field) === i),
      properties: set,
      rows,
    }));
  });
