import type { UnknownFields } from './unknown-fields.ts';
import type { Value } from './values.ts';

/** Iceberg types (spec: "Schemas and Data Types"). Plain tagged objects; what differs per type is looked up by `kind`. */
export type IcebergType = PrimitiveType | NestedType;

export type PrimitiveType = { readonly kind: SimpleKind } | DecimalType | FixedType | GeometryType | GeographyType;

/** Types without parameters. `variant` is semi-structured, but has no child fields, so it is handled as a leaf. */
export type SimpleKind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'timestamp_ns'
  | 'timestamptz_ns'
  | 'string'
  | 'uuid'
  | 'binary'
  | 'unknown'
  | 'variant';

export interface DecimalType {
  readonly kind: 'decimal';
  readonly precision: number;
  readonly scale: number;
}

export interface FixedType {
  readonly kind: 'fixed';
  /** Bytes. */
  readonly length: number;
}

export interface GeometryType {
  readonly kind: 'geometry';
  /** Null for the default, OGC:CRS84. */
  readonly crs: string | null;
}

export interface GeographyType {
  readonly kind: 'geography';
  readonly crs: string | null;
  /** Null for the default, spherical. */
  readonly algorithm: string | null;
}

export type NestedType = StructType | ListType | MapType;

export interface StructType {
  readonly kind: 'struct';
  readonly fields: readonly NestedField[];
  readonly unknownFields?: UnknownFields;
}

export interface ListType {
  readonly kind: 'list';
  readonly elementId: number;
  readonly elementRequired: boolean;
  readonly element: IcebergType;
  readonly unknownFields?: UnknownFields;
}

export interface MapType {
  readonly kind: 'map';
  readonly keyId: number;
  readonly key: IcebergType;
  readonly valueId: number;
  readonly valueRequired: boolean;
  readonly value: IcebergType;
  readonly unknownFields?: UnknownFields;
}

export interface NestedField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
  /** v3: the value of this column in rows written before it was added. */
  readonly initialDefault?: Value;
  /** v3: the value written when a writer gives none. */
  readonly writeDefault?: Value;
  readonly unknownFields?: UnknownFields;
}

export type TypeKind = IcebergType['kind'];
export type PrimitiveKind = PrimitiveType['kind'];

export function isPrimitive(type: IcebergType): type is PrimitiveType {
  return type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map';
}
