import type { SourceField, SourceType } from '../../columns/source-type.ts';
import type { AvroFileField } from './file-fields.ts';
import type { AvroFixed, AvroLogicalType, AvroPrimitive, AvroPrimitiveKind } from './avro-schema.ts';

/** A wanted field as the columns that are decoded have it; of what is inside, only the wanted fields. */
export function avroSourceField(field: AvroFileField, wanted: ReadonlySet<number>): SourceField {
  return { name: field.name, nullable: field.branches !== null, id: field.index, type: sourceType(field, wanted) };
}

function sourceType(field: AvroFileField, wanted: ReadonlySet<number>): SourceType {
  const { shape } = field;
  switch (shape.kind) {
    case 'leaf':
      return avroLeafType(field.type as AvroLeaf);
    case 'struct':
      return {
        kind: 'struct',
        fields: shape.fields.filter(({ index }) => wanted.has(index)).map((child) => avroSourceField(child, wanted)),
      };
    case 'list':
      return { kind: 'list', item: avroSourceField(shape.element, wanted) };
    case 'map':
      return { kind: 'map', key: avroSourceField(shape.key, wanted), value: avroSourceField(shape.value, wanted) };
  }
}

export type AvroLeaf = AvroPrimitive | AvroFixed | { readonly kind: 'enum'; readonly symbols: readonly string[] };

export function avroLeafType(type: AvroLeaf): SourceType {
  if (type.kind === 'enum') return { kind: 'utf8' };
  if (type.kind === 'fixed') return decimalType(type.logical) ?? { kind: 'fixed', width: type.size };
  return PRIMITIVES[type.kind](type.logical);
}

const PRIMITIVES: { readonly [K in AvroPrimitiveKind]: (logical: AvroLogicalType | null) => SourceType } = {
  null: () => ({ kind: 'null' }),
  boolean: () => ({ kind: 'bool' }),
  int: (logical) => INTS[logical?.name ?? ''] ?? { kind: 'int', bits: 32, signed: true },
  long: (logical) => longType(logical),
  float: () => ({ kind: 'float', bits: 32 }),
  double: () => ({ kind: 'float', bits: 64 }),
  bytes: (logical) => decimalType(logical) ?? { kind: 'binary' },
  string: () => ({ kind: 'utf8' }),
};

const INTS: Readonly<Record<string, SourceType>> = {
  date: { kind: 'date', unit: 'day' },
  'time-millis': { kind: 'time', unit: 'ms' },
};

const LONGS: Readonly<Record<string, { readonly kind: 'time' | 'timestamp'; readonly unit: 'ms' | 'us' | 'ns' }>> = {
  'time-micros': { kind: 'time', unit: 'us' },
  'timestamp-millis': { kind: 'timestamp', unit: 'ms' },
  'timestamp-micros': { kind: 'timestamp', unit: 'us' },
  'timestamp-nanos': { kind: 'timestamp', unit: 'ns' },
  'local-timestamp-millis': { kind: 'timestamp', unit: 'ms' },
  'local-timestamp-micros': { kind: 'timestamp', unit: 'us' },
  'local-timestamp-nanos': { kind: 'timestamp', unit: 'ns' },
};

function longType(logical: AvroLogicalType | null): SourceType {
  const time = LONGS[logical?.name ?? ''];
  if (time === undefined) return { kind: 'int', bits: 64, signed: true };
  return time.kind === 'time'
    ? { kind: 'time', unit: time.unit }
    : { kind: 'timestamp', unit: time.unit, zoned: logical!.adjustToUtc };
}

function decimalType(logical: AvroLogicalType | null): SourceType | null {
  if (logical?.name !== 'decimal' || logical.precision === null) return null;
  return { kind: 'decimal', precision: logical.precision, scale: logical.scale ?? 0 };
}
