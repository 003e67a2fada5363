import { partitionBy, schema, t } from '@lh/core';
import type { ColumnType, FormatVersion, PartitionFieldInput, Schema, SortFieldInput } from '@lh/core';
import fc from 'fast-check';

/** Names that need quotes in every way, and those that don't. */
export const anyName: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/) },
  fc.constantFrom(
    'select',
    'like',
    'primary',
    'primary key',
    'null',
    'Select',
    'It"s',
    "it's",
    '`x`',
    'ñandú',
    '日本',
    ' x ',
    'a-b',
  ),
  fc.constantFrom(
    'first',
    'after',
    'comment',
    'not',
    'default',
    'array',
    'struct',
    'days',
    '--',
    '/*',
    ';',
    ')',
    '😀',
    '$$',
    '?',
  ),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
    .map((name) => name.replaceAll('.', '_').replaceAll('\0', '_')),
);

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom("it's", '$$', '--', '', '\\', '";', '\n'),
);

interface AnyColumn {
  readonly type: ColumnType;
  /** In version 3 only. */
  readonly isNew: boolean;
  readonly partitions: readonly ((name: string) => PartitionFieldInput)[];
}

const { identity, bucket, truncate, year, month, day, hour } = partitionBy;
const hashed = [identity, (name: string) => bucket(7, name)];
const cut = [...hashed, (name: string) => truncate(3, name)];
const plain = (type: ColumnType, partitions: AnyColumn['partitions'] = [], isNew = false): AnyColumn => ({
  type,
  isNew,
  partitions,
});

/** Leaves without a default, and the same ones with each of some defaults. */
const LEAVES: readonly (readonly [AnyColumn, ...unknown[]])[] = [
  [plain(t.boolean(), [identity]), true, false],
  [plain(t.int(), cut), 0, -(2 ** 31), 2 ** 31 - 1],
  [plain(t.long(), cut), 0n, -(2n ** 63n), 2n ** 63n - 1n],
  [plain(t.float(), [identity]), 1.5, -0.25],
  [plain(t.double(), [identity]), 1e-300, 0.1, -1e300],
  [plain(t.decimal(9, 2), cut), '-0.01', '1234567.89'],
  [plain(t.decimal(38, 38), cut), `0.${'9'.repeat(38)}`],
  [plain(t.decimal(38, 0), cut), '9'.repeat(38)],
  [plain(t.date(), [...hashed, year, month, day]), '1970-01-01', '0001-01-01', '9999-12-31'],
  [plain(t.time(), hashed), '00:00:00', '23:59:59.999999'],
  [plain(t.timestamp(), [...hashed, year, month, day, hour]), '2024-02-29T12:00:00.000001', '0001-01-01T00:00:00'],
  [plain(t.timestamptz(), [...hashed, hour]), '2024-02-29T12:00:00.000001Z', '1969-12-31T23:59:59.999999Z'],
  [plain(t.timestamp_ns(), [...hashed, day], true), '2024-02-29T12:00:00.000000001'],
  [plain(t.timestamptz_ns(), [...hashed, day], true), '2024-02-29T12:00:00.000000001Z'],
  [plain(t.string(), cut), '', "it's", 'a\0b', '😀', '--', ');'],
  [plain(t.uuid(), hashed), '123e4567-e89b-12d3-a456-426614174000'],
  [plain(t.fixed(3), hashed), Uint8Array.of(0, 39, 255)],
  [plain(t.binary(), cut), Uint8Array.of(), Uint8Array.of(0, 92, 39)],
  [plain(t.variant(), [], true)],
  [plain(t.unknown(), [], true)],
  [plain(t.geometry(), [], true)],
  [plain(t.geometry("srid:'1"), [], true)],
  [plain(t.geography('OGC:CRS84', 'karney'), [], true)],
];

function leaf(version: FormatVersion): fc.Arbitrary<AnyColumn> {
  const usable = LEAVES.filter(([column]) => version === 3 || !column.isNew);
  return fc.constantFrom(...usable).chain(([column, ...defaults]) => {
    if (version < 3 || defaults.length === 0) return fc.constant(column);
    return fc
      .option(fc.constantFrom(...defaults), { nil: undefined })
      .map((value) => (value === undefined ? column : { ...column, type: column.type.default(value) }));
  });
}

function decorated(type: ColumnType): fc.Arbitrary<ColumnType> {
  return fc.tuple(fc.boolean(), fc.option(anyText)).map(([isRequired, doc]) => {
    const required = isRequired && type.type.kind !== 'unknown' ? type.required() : type;
    return doc === null ? required : required.doc(doc);
  });
}

function anyColumn(version: FormatVersion, depth: number): fc.Arbitrary<AnyColumn> {
  if (depth === 0) return leaf(version).chain((column) => decorated(column.type).map((type) => ({ ...column, type })));
  const inner = anyColumn(version, depth - 1).map(({ type }) => type);
  const nested = fc.oneof(
    columns(version, depth - 1).map((fields) =>
      t.struct(Object.fromEntries(fields.map(([name, { type }]) => [name, type]))),
    ),
    inner.map((element) => t.list(element)),
    fc.tuple(inner, inner).map(([key, value]) => t.map(key, value)),
  );
  const nestedColumn = nested.chain(decorated).map((type) => plain(type));
  return fc.oneof({ weight: 3, arbitrary: anyColumn(version, 0) }, { weight: 1, arbitrary: nestedColumn });
}

function columns(version: FormatVersion, depth: number): fc.Arbitrary<readonly (readonly [string, AnyColumn])[]> {
  return fc.uniqueArray(fc.tuple(anyName, anyColumn(version, depth)), {
    minLength: 1,
    maxLength: 5,
    selector: ([name]) => name.toLowerCase(),
  });
}

export interface AnyDefinition {
  readonly schema: Schema;
  readonly partitionBy: readonly PartitionFieldInput[];
  readonly sortBy: readonly SortFieldInput[];
  readonly formatVersion: FormatVersion;
  readonly properties: Readonly<Record<string, string>>;
}

/** Definitions of tables; some are none, which core says. */
export const anyDefinition: fc.Arbitrary<() => AnyDefinition> = fc
  .constantFrom<FormatVersion>(1, 2, 3)
  .chain((formatVersion) =>
    fc
      .record({
        named: columns(formatVersion, 2),
        keys: fc.array(fc.nat(), { maxLength: 2 }),
        partitions: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.option(anyName, { freq: 3 })), { maxLength: 3 }),
        sorts: fc.array(
          fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('asc', 'desc'), fc.constantFrom('first', 'last')),
          { maxLength: 3 },
        ),
        properties: fc.dictionary(fc.oneof(anyName, fc.constantFrom('a.b', 'write.x-y', 'comment')), anyText, {
          maxKeys: 4,
        }),
      })
      .map(({ named, keys, partitions, sorts, properties }) => () => {
        const sources = named.filter(([, { partitions: ways }]) => ways.length > 0);
        const source = (at: number): readonly [string, AnyColumn] | undefined =>
          sources[at % Math.max(1, sources.length)];
        const partitioned = new Map(
          partitions.flatMap(([at, way, name]) => {
            const [column, { partitions: ways }] = source(at) ?? ['', { partitions: [] }];
            const field = ways[way % ways.length]?.(column);
            return field ? [[column, name === null ? field : { ...field, name }] as const] : [];
          }),
        );
        const sorted = new Map(
          sorts.flatMap(([at, way, direction, nulls]) => {
            const [column, { partitions: ways }] = source(at) ?? ['', { partitions: [] }];
            const transform = ways[way % ways.length]?.(column).transform;
            return transform ? [[column, { field: column, transform, direction, nulls }] as const] : [];
          }),
        );
        const identifier = keys.flatMap((at) => source(at)?.[0] ?? []);
        const isKey = (name: string): boolean => identifier.includes(name);
        const fields = named.map(([name, { type }]) => [name, isKey(name) ? type.required() : type] as const);
        return {
          schema: schema(Object.fromEntries(fields), { identifier }) as Schema,
          partitionBy: [...partitioned.values()],
          sortBy: [...sorted.values()],
          formatVersion,
          properties: { ...properties },
        };
      }),
  );
