import type { IcebergType, TypeKind } from '../../spec/types.ts';

/** What values are taken for when they are interleaved: numbers, or the first bytes of what they differ in. */
export type ZOrderForm = 'number' | 'bytes';

/** Null for types without an order, and for nested ones. */
const FORMS: Readonly<Record<TypeKind, ZOrderForm | null>> = {
  boolean: 'number',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  date: 'number',
  time: 'number',
  timestamp: 'number',
  timestamptz: 'number',
  timestamp_ns: 'number',
  timestamptz_ns: 'number',
  string: 'bytes',
  uuid: 'bytes',
  fixed: 'bytes',
  binary: 'bytes',
  geometry: null,
  geography: null,
  variant: null,
  unknown: null,
  struct: null,
  list: null,
  map: null,
};

export function zOrderForm(type: IcebergType): ZOrderForm | null {
  return FORMS[type.kind];
}

/** Bits of the key; one less than a long has, so that it is never negative. */
export const Z_ORDER_BITS = 63;
/** Bytes of a text, behind what all texts begin with: as many as a double holds exactly. */
export const Z_ORDER_BYTES = 6;
