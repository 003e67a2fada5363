import * as fc from 'fast-check';
import { allFields, assignIds, freshIds } from '../../src/spec/assign-ids.ts';
import { parseJson, stringifyJson } from '../../src/spec/json.ts';
import type { JsonObject } from '../../src/spec/json.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { highestFieldId } from '../../src/spec/schema-fields.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { SortOrder } from '../../src/spec/sort-order.ts';
import type { FormatVersion, StatisticsFile, TableMetadata } from '../../src/spec/table-metadata.ts';
import { transformAccepts } from '../../src/spec/transform-sources.ts';
import type { Transform } from '../../src/spec/transform.ts';
import type {
  DecimalType,
  FixedType,
  IcebergType,
  NestedField,
  PrimitiveType,
  SimpleKind,
  StructType,
  TypeKind,
} from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import type { VariantNode } from '../../src/spec/variant-node.ts';
import { Variant } from '../../src/spec/variant.ts';

const SIMPLE_KINDS = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
] as const satisfies readonly SimpleKind[];

/** Any valid Unicode text, with characters beyond the basic plane. */
export const text: fc.Arbitrary<string> = fc.string({ unit: 'binary', maxLength: 12 });

export const long: fc.Arbitrary<bigint> = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
export const int: fc.Arbitrary<number> = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });

const decimalType: fc.Arbitrary<DecimalType> = fc
  .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38))
  .map(([precision, scale]) => ({ kind: 'decimal', precision, scale: Math.min(scale, precision) }));

const fixedType: fc.Arbitrary<FixedType> = fc.integer({ min: 1, max: 20 }).map((length) => ({ kind: 'fixed', length }));

/** Primitive types whose values have an order and a single-value form. */
export const orderedType: fc.Arbitrary<PrimitiveType> = fc.oneof(
  fc.constantFrom(...SIMPLE_KINDS).map((kind) => ({ kind })),
  decimalType,
  fixedType,
);

const crs = fc.constantFrom(null, 'EPSG:4326', 'srid:0');

export const primitiveType: fc.Arbitrary<PrimitiveType> = fc.oneof(
  { weight: 6, arbitrary: orderedType },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom('variant' as const, 'unknown' as const).map((kind) => ({ kind })),
      crs.map((name): PrimitiveType => ({ kind: 'geometry', crs: name })),
      fc
        .tuple(crs, fc.constantFrom(null, 'karney', 'andoyer'))
        .map(([name, algorithm]): PrimitiveType => ({ kind: 'geography', crs: name, algorithm })),
    ),
  },
);

/** Types with made-up ids. */
export function nestedType(leaf: fc.Arbitrary<PrimitiveType>): fc.Arbitrary<IcebergType> {
  return fc.letrec<{ type: IcebergType }>((tie) => ({
    type: fc
      .oneof(
        { maxDepth: 3, depthSize: 'small' },
        leaf,
        fc.record({
          kind: fc.constant('list' as const),
          elementId: fc.constant(0),
          elementRequired: fc.boolean(),
          element: tie('type'),
        }),
        fc.record({
          kind: fc.constant('map' as const),
          keyId: fc.constant(0),
          key: leaf,
          valueId: fc.constant(0),
          valueRequired: fc.boolean(),
          value: tie('type'),
        }),
        structFields(tie('type')).map((fields) => ({ kind: 'struct' as const, fields })),
      )
      .map(withOptionalUnknowns),
  })).type;
}

/** Nothing of type unknown can be required. */
function withOptionalUnknowns(type: IcebergType): IcebergType {
  switch (type.kind) {
    case 'struct':
      return {
        ...type,
        fields: type.fields.map((field) => ({ ...field, required: canBe(field.required, field.type) })),
      };
    case 'list':
      return { ...type, elementRequired: canBe(type.elementRequired, type.element) };
    case 'map':
      return {
        ...type,
        key: type.key.kind === 'unknown' ? { kind: 'int' } : type.key,
        valueRequired: canBe(type.valueRequired, type.value),
      };
    default:
      return type;
  }
}

function canBe(required: boolean, type: IcebergType): boolean {
  return required && type.kind !== 'unknown';
}

function structFields(type: fc.Arbitrary<IcebergType>): fc.Arbitrary<readonly NestedField[]> {
  return fc.uniqueArray(
    fc.record(
      { id: fc.constant(0), name: fc.stringMatching(/^[a-zÄ😀_ ]{1,6}$/u), required: fc.boolean(), type, doc: text },
      { requiredKeys: ['id', 'name', 'required', 'type'] },
    ),
    { minLength: 1, maxLength: 5, selector: (field) => field.name },
  );
}

/** A schema with real ids; defaults on some of its leaves. */
export const schema: fc.Arbitrary<Schema> = structFields(nestedType(primitiveType))
  .map((fields): Schema => ({
    ...assignIds(withOptionalUnknowns({ kind: 'struct', fields }) as StructType, freshIds(1).newId),
    schemaId: 0,
    identifierFieldIds: [],
  }))
  .chain((shape) =>
    fc
      .tuple(...shape.fields.map((field) => fc.option(fc.tuple(valueOf(field.type), valueOf(field.type)), { freq: 3 })))
      .map((defaults) => ({
        ...shape,
        fields: shape.fields.map((field, i) => {
          const given = defaults[i];
          const allowed = !NO_DEFAULT.has(field.type.kind);
          return given && allowed && given[0] !== null && given[1] !== null
            ? { ...field, initialDefault: given[0], writeDefault: given[1] }
            : field;
        }),
      })),
  );

const NO_DEFAULT: ReadonlySet<TypeKind> = new Set([
  'unknown',
  'variant',
  'geometry',
  'geography',
  'struct',
  'list',
  'map',
]);

const bytes = (length: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> =>
  length.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));

const date = fc.oneof(fc.integer({ min: -800_000, max: 3_000_000 }), int);
const time = fc.bigInt({ min: 0n, max: 86_399_999_999n });

type ValueArbitraries = { readonly [K in TypeKind]: (type: Extract<IcebergType, { kind: K }>) => fc.Arbitrary<Value> };

const VALUES: ValueArbitraries = {
  boolean: () => fc.boolean(),
  int: () => int,
  long: () => long,
  float: () => fc.float(),
  double: () => fc.double(),
  decimal: ({ precision }) => {
    const limit = 10n ** BigInt(precision) - 1n;
    return fc.bigInt({ min: -limit, max: limit });
  },
  date: () => date,
  time: () => time,
  timestamp: () => long,
  timestamptz: () => long,
  timestamp_ns: () => long,
  timestamptz_ns: () => long,
  string: () => text,
  uuid: () => fc.uuid(),
  fixed: ({ length }) => bytes(fc.constant(length)),
  binary: () => bytes(fc.nat(12)),
  unknown: () => fc.constant(null),
  variant: () => fc.jsonValue().map((value) => Variant.from(value)),
  geometry: () => point,
  geography: () => point,
  struct: ({ fields }) => fc.tuple(...fields.map((field) => nullable(field.type, field.required))),
  list: ({ element, elementRequired }) => fc.array(nullable(element, elementRequired), { maxLength: 4 }),
  map: ({ key, value, valueRequired }) =>
    fc.array(fc.tuple(valueOf(key), nullable(value, valueRequired)), { maxLength: 3 }).map((entries) =>
      // A JavaScript Map takes -0 and 0 for one key.
      entries.filter(
        ([k], i) => !Object.is(k, -0) && k !== null && entries.findIndex(([other]) => show(other) === show(k)) === i,
      ),
    ),
};

const show = (value: Value): string =>
  Object.is(value, -0)
    ? '-0'
    : JSON.stringify(value, (_, inner: unknown) =>
        typeof inner === 'bigint' ? `${inner}n` : inner instanceof Uint8Array ? [...inner] : inner,
      );

const coordinate = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

/** WKB of a point. */
const point: fc.Arbitrary<Uint8Array> = fc.tuple(coordinate, coordinate).map(([x, y]) => {
  const view = new DataView(new ArrayBuffer(21));
  view.setUint8(0, 1);
  view.setUint32(1, 1, true);
  view.setFloat64(5, x, true);
  view.setFloat64(13, y, true);
  return new Uint8Array(view.buffer);
});

/** Values of a type, none of them null at the top. */
export function valueOf(type: IcebergType): fc.Arbitrary<Value> {
  const make = VALUES[type.kind] as (type: IcebergType) => fc.Arbitrary<Value>;
  return make(type);
}

function nullable(type: IcebergType, required: boolean): fc.Arbitrary<Value> {
  return required ? valueOf(type) : fc.option(valueOf(type), { nil: null });
}

export function typeAndValue<T extends IcebergType>(type: fc.Arbitrary<T>): fc.Arbitrary<readonly [T, Value]> {
  return type.chain((given) => valueOf(given).map((value) => [given, value] as const));
}

export const transform: fc.Arbitrary<Transform> = fc.oneof(
  fc
    .constantFrom(
      'identity' as const,
      'year' as const,
      'month' as const,
      'day' as const,
      'hour' as const,
      'void' as const,
    )
    .map((kind) => ({ kind })),
  fc.integer({ min: 1, max: 1000 }).map((buckets): Transform => ({ kind: 'bucket', buckets })),
  fc.integer({ min: 1, max: 1000 }).map((width): Transform => ({ kind: 'truncate', width })),
  fc.constantFrom('hilbert[3]', 'zorder').map((name): Transform => ({ kind: 'unknown', text: name })),
);

/** JSON fields of the future, as the parser gives them. */
const unknownFields = fc.oneof(
  fc.constant({}),
  fc
    .dictionary(
      fc.stringMatching(/^x-[a-z]{1,5}$/),
      fc.oneof<fc.Arbitrary<unknown>[]>(long, fc.jsonValue({ maxDepth: 1 })),
    )
    .map((fields) => parseJson(stringifyJson(fields)) as JsonObject),
);

const properties = fc.dictionary(fc.oneof(fc.stringMatching(/^[a-z.-]{1,10}$/), fc.constant('__proto__'), text), text, {
  maxKeys: 4,
});
const snapshotId = fc.bigInt({ min: 1n, max: (1n << 63n) - 1n });
const timestampMs = fc.integer({ min: 1_400_000_000_000, max: 1_900_000_000_000 });

function snapshotOf(id: bigint, index: number, formatVersion: FormatVersion): fc.Arbitrary<Snapshot> {
  return fc.record({
    snapshotId: fc.constant(id),
    parentSnapshotId: fc.option(snapshotId),
    sequenceNumber: fc.constant(formatVersion === 1 ? 0n : BigInt(index + 1)),
    timestampMs,
    manifestList: text.map((name) => `s3://bucket/${name}`),
    manifests: fc.constant(null),
    operation: fc.constantFrom('append', 'replace', 'overwrite', 'delete'),
    summary: properties.map((all) => Object.fromEntries(Object.entries(all).filter(([key]) => key !== 'operation'))),
    schemaId: fc.constantFrom(null, 0),
    firstRowId: formatVersion < 3 ? fc.constant(null) : fc.constant(BigInt(index)),
    addedRows: formatVersion < 3 ? fc.constant(null) : fc.constant(1n),
    keyId: fc.option(text),
    unknownFields,
  });
}

/** Metadata that is consistent as far as `checkTableMetadata` looks. */
export const tableMetadata: fc.Arbitrary<TableMetadata> = fc
  .record({
    formatVersion: fc.constantFrom<FormatVersion>(1, 2, 3),
    shape: schema,
    snapshotIds: fc.uniqueArray(snapshotId, { maxLength: 4 }),
    transforms: fc.array(transform, { maxLength: 3 }),
  })
  .chain(({ formatVersion, shape, snapshotIds, transforms }) => {
    const current = snapshotIds.at(-1) ?? null;
    const sourceId = allFields(shape).at(0)?.id ?? 0;
    const spec: PartitionSpec = {
      specId: 0,
      fields: transforms.map((kind, i) => ({
        sourceIds: [sourceId],
        fieldId: 1000 + i,
        name: `p${i}`,
        transform: kind,
      })),
    };
    const order: SortOrder = {
      orderId: 1,
      fields: [{ sourceIds: [sourceId], transform: { kind: 'identity' }, direction: 'desc', nullOrder: 'nulls-last' }],
    };
    return fc.record({
      formatVersion: fc.constant(formatVersion),
      tableUuid: fc.uuid(),
      location: text.map((name) => `s3://bucket/${name}x`),
      lastSequenceNumber: fc.constant(formatVersion === 1 ? 0n : BigInt(snapshotIds.length)),
      lastUpdatedMs: timestampMs,
      lastColumnId: fc.nat(5).map((more) => highestFieldId(shape) + more),
      schemas: fc.constant([shape]),
      currentSchemaId: fc.constant(0),
      partitionSpecs: fc.constant([spec]),
      defaultSpecId: fc.constant(0),
      lastPartitionId: fc.nat(3).map((more) => 999 + transforms.length + more),
      sortOrders: fc.constant([{ orderId: 0, fields: [] }, order]),
      defaultSortOrderId: fc.constantFrom(0, 1),
      properties,
      currentSnapshotId: fc.constant(current),
      snapshots: fc.tuple(...snapshotIds.map((id, i) => snapshotOf(id, i, formatVersion))),
      snapshotLog: fc.constant(snapshotIds.map((id, i) => ({ timestampMs: 1_400_000_000_000 + i, snapshotId: id }))),
      metadataLog: fc.array(fc.record({ timestampMs, metadataFile: text }), { maxLength: 3 }),
      refs: fc.constant(refsTo(current)),
      statistics: fc.array(statistics, { maxLength: 2 }),
      partitionStatistics: fc.array(
        fc.record({ snapshotId, statisticsPath: text, fileSizeInBytes: fc.nat(), unknownFields }),
        { maxLength: 2 },
      ),
      nextRowId: fc.constant(formatVersion < 3 ? 0n : BigInt(snapshotIds.length)),
      encryptionKeys: fc.array(
        fc.record({ keyId: text, encryptedKeyMetadata: fc.base64String(), encryptedById: fc.option(text), properties }),
        { maxLength: 2 },
      ),
      unknownFields,
    });
  });

function refsTo(current: bigint | null): TableMetadata['refs'] {
  if (current === null) return {};
  const none = { minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null };
  return {
    main: { snapshotId: current, type: 'branch', ...none },
    __proto__x: { snapshotId: current, type: 'tag', ...none, maxRefAgeMs: 5 },
  };
}

const statistics: fc.Arbitrary<StatisticsFile> = fc.record({
  snapshotId,
  statisticsPath: text,
  fileSizeInBytes: fc.nat(),
  fileFooterSizeInBytes: fc.nat(),
  keyMetadata: fc.option(text),
  blobMetadata: fc.array(
    fc.record({
      type: text,
      snapshotId,
      sequenceNumber: fc.bigInt({ min: 0n, max: 100n }),
      fields: fc.array(fc.nat()),
      properties,
    }),
    { maxLength: 2 },
  ),
  unknownFields,
});

/** Transforms that take the type. */
export function transformFor(type: IcebergType): fc.Arbitrary<Transform> {
  return transform.filter((candidate) => candidate.kind !== 'unknown' && transformAccepts(candidate, type));
}

/** Variants with any physical types; `names` are those of their objects' fields. */
export function variantNode(names: fc.Arbitrary<string>): fc.Arbitrary<VariantNode> {
  return fc.letrec<{ node: VariantNode }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constant<VariantNode>({ type: 'null' }),
      fc.boolean().map((value): VariantNode => ({ type: 'boolean', value })),
      fc.integer({ min: -128, max: 127 }).map((value): VariantNode => ({ type: 'int8', value })),
      fc.integer({ min: -32768, max: 32767 }).map((value): VariantNode => ({ type: 'int16', value })),
      int.map((value): VariantNode => ({ type: 'int32', value })),
      int.map((value): VariantNode => ({ type: 'date', value })),
      fc.float().map((value): VariantNode => ({ type: 'float', value })),
      fc.double().map((value): VariantNode => ({ type: 'double', value })),
      fc
        .tuple(long, fc.constantFrom('int64', 'time', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns'))
        .map(([value, type]): VariantNode => ({ type, value })),
      decimalNode('decimal4', 31n),
      decimalNode('decimal8', 63n),
      decimalNode('decimal16', 127n),
      text.map((value): VariantNode => ({ type: 'string', value })),
      fc.string({ minLength: 60, maxLength: 70 }).map((value): VariantNode => ({ type: 'string', value })),
      fc.uuid().map((value): VariantNode => ({ type: 'uuid', value })),
      fc.uint8Array({ maxLength: 10 }).map((value): VariantNode => ({ type: 'binary', value })),
      fc.array(tie('node')).map((items): VariantNode => ({ type: 'array', items })),
      fc
        .dictionary(names, tie('node'))
        .map((fields): VariantNode => ({ type: 'object', fields: new Map(Object.entries(fields)) })),
    ),
  })).node;
}

function decimalNode(type: 'decimal4' | 'decimal8' | 'decimal16', bits: bigint): fc.Arbitrary<VariantNode> {
  const limit = 1n << bits;
  return fc
    .tuple(fc.bigInt({ min: -limit, max: limit - 1n }), fc.nat(38))
    .map(([unscaled, scale]) => ({ type, unscaled, scale }));
}
