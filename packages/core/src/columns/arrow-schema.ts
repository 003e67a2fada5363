import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Schema as ArrowSchema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampNanosecond,
  Utf8,
} from 'apache-arrow';
import type { DataType } from 'apache-arrow';

import { elementField, keyField, valueField } from '../spec/schema-fields.ts';
import type { IcebergType, NestedField, StructType, TypeKind } from '../spec/types.ts';
import { UUID_WIDTH } from './layout.ts';

/** The Arrow name for a struct's field. */
export type ArrowNaming = (name: string) => string;

const PLAIN_NAMING: ArrowNaming = (name) => name;

/** The metadata key by which Arrow and Parquet libraries keep field ids. */
export const FIELD_ID_KEY = 'PARQUET:field_id';
export const EXTENSION_KEY = 'ARROW:extension:name';

/**
 * The Arrow schema of the batches that a scan yields and a write takes: one type per Iceberg type, field ids as
 * `PARQUET:field_id`. uuid is a 16-byte binary (extension `arrow.uuid`), geometry and geography are WKB
 * (`geoarrow.wkb`), a variant is its two binaries (`arrow.parquet.variant`), unknown is Arrow's null type.
 */
export function arrowSchema(schema: StructType): ArrowSchema {
  return arrowSchemaNamed(schema, PLAIN_NAMING);
}

export function arrowSchemaNamed(schema: StructType, naming: ArrowNaming): ArrowSchema {
  return new ArrowSchema(schema.fields.map((field) => arrowField(field, naming)));
}

function arrowField(field: NestedField, naming: ArrowNaming, name: string = naming(field.name)): Field {
  const extension = EXTENSIONS[field.type.kind];
  const metadata = new Map([[FIELD_ID_KEY, String(field.id)]]);
  if (field.doc !== undefined) metadata.set('doc', field.doc);
  if (extension !== undefined) metadata.set(EXTENSION_KEY, extension);
  // Null columns are nullable by nature, whatever the schema says.
  return new Field(name, arrowType(field.type, naming), !field.required || field.type.kind === 'unknown', metadata);
}

const EXTENSIONS: { readonly [K in TypeKind]?: string } = {
  uuid: 'arrow.uuid',
  geometry: 'geoarrow.wkb',
  geography: 'geoarrow.wkb',
  variant: 'arrow.parquet.variant',
};

type ArrowTypes = {
  readonly [K in TypeKind]: (type: Extract<IcebergType, { kind: K }>, naming: ArrowNaming) => DataType;
};

const ARROW_TYPES: ArrowTypes = {
  boolean: () => new Bool(),
  int: () => new Int32(),
  long: () => new Int64(),
  float: () => new Float32(),
  double: () => new Float64(),
  date: () => new DateDay(),
  time: () => new TimeMicrosecond(),
  timestamp: () => new TimestampMicrosecond(),
  timestamptz: () => new TimestampMicrosecond('UTC'),
  timestamp_ns: () => new TimestampNanosecond(),
  timestamptz_ns: () => new TimestampNanosecond('UTC'),
  string: () => new Utf8(),
  uuid: () => new FixedSizeBinary(UUID_WIDTH),
  binary: () => new Binary(),
  geometry: () => new Binary(),
  geography: () => new Binary(),
  fixed: (type) => new FixedSizeBinary(type.length),
  decimal: (type) => new Decimal(type.scale, type.precision),
  unknown: () => new Null(),
  variant: () => new Struct([new Field('metadata', new Binary(), false), new Field('value', new Binary(), false)]),
  struct: (type, naming) => new Struct(type.fields.map((field) => arrowField(field, naming))),
  list: (type, naming) => new List(arrowField(elementField(type), naming, 'element')),
  map: (type, naming) => {
    const entries = [arrowField(keyField(type), naming, 'key'), arrowField(valueField(type), naming, 'value')];
    return new Map_(
      new Field('entries', new Struct(entries), false) as Field<Struct<{ key: DataType; value: DataType }>>,
    );
  },
};

export function arrowType(type: IcebergType, naming: ArrowNaming = PLAIN_NAMING): DataType {
  return (ARROW_TYPES[type.kind] as (type: IcebergType, naming: ArrowNaming) => DataType)(type, naming);
}
