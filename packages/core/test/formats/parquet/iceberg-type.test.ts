import { expect, test } from 'vitest';
import { icebergTypeOf, parquetTypeText } from '../../../src/formats/parquet/iceberg-type.ts';
import type { ParquetLogicalType, ParquetNode, PhysicalType } from '../../../src/formats/parquet/parquet-schema.ts';
import { typeToText } from '../../../src/spec/type-text.ts';

function leaf(physical: PhysicalType, logical: ParquetLogicalType | null): ParquetNode {
  const place = { index: 1, name: 'x', repetition: 'optional', fieldId: null, children: [], leaves: [0, 1] } as const;
  return { ...place, physical, logical, typeLength: physical === 'FIXED_LEN_BYTE_ARRAY' ? 16 : null };
}

const int = (bits: number, signed: boolean): ParquetLogicalType => ({ kind: 'int', bits, signed });
const time = (kind: 'time' | 'timestamp', unit: 'ms' | 'us' | 'ns', utc: boolean): ParquetLogicalType => ({
  kind,
  unit,
  utc,
});
const decimal: ParquetLogicalType = { kind: 'decimal', precision: 9, scale: 2 };

test.each<[PhysicalType, ParquetLogicalType | null, string]>([
  ['BOOLEAN', null, 'boolean'],
  ['INT32', null, 'int'],
  ['INT32', int(8, true), 'int'],
  ['INT32', int(16, false), 'int'],
  ['INT32', int(32, false), 'long'],
  ['INT32', { kind: 'date' }, 'date'],
  ['INT32', time('time', 'ms', true), 'time'],
  ['INT32', decimal, 'decimal(9, 2)'],
  ['INT32', { kind: 'null' }, 'unknown'],
  ['INT64', null, 'long'],
  ['INT64', int(64, true), 'long'],
  ['INT64', time('time', 'us', false), 'time'],
  ['INT64', time('timestamp', 'ms', true), 'timestamptz'],
  ['INT64', time('timestamp', 'us', false), 'timestamp'],
  ['INT64', time('timestamp', 'ns', true), 'timestamptz_ns'],
  ['INT96', null, 'timestamptz'],
  ['FLOAT', null, 'float'],
  ['DOUBLE', null, 'double'],
  ['BYTE_ARRAY', null, 'binary'],
  ['BYTE_ARRAY', { kind: 'bson' }, 'binary'],
  ['BYTE_ARRAY', { kind: 'string' }, 'string'],
  ['BYTE_ARRAY', { kind: 'enum' }, 'string'],
  ['BYTE_ARRAY', decimal, 'decimal(9, 2)'],
  ['BYTE_ARRAY', { kind: 'geometry', crs: null }, 'geometry(OGC:CRS84)'],
  ['BYTE_ARRAY', { kind: 'geography', crs: 'srid:1', algorithm: 'karney' }, 'geography(srid:1, karney)'],
  ['FIXED_LEN_BYTE_ARRAY', null, 'fixed[16]'],
  ['FIXED_LEN_BYTE_ARRAY', { kind: 'uuid' }, 'uuid'],
  ['FIXED_LEN_BYTE_ARRAY', decimal, 'decimal(9, 2)'],
])('%s with the annotation %o is %s', (physical, logical, type) => {
  expect(typeToText(icebergTypeOf(leaf(physical, logical))!)).toBe(type);
});

test.each<[PhysicalType, ParquetLogicalType, string]>([
  ['INT64', int(64, false), 'INT64 with the annotation uint64'],
  ['INT64', time('time', 'ns', true), 'INT64 with the annotation time(ns)'],
  ['FIXED_LEN_BYTE_ARRAY', { kind: 'float16' }, 'FIXED_LEN_BYTE_ARRAY with the annotation float16'],
  ['FIXED_LEN_BYTE_ARRAY', { kind: 'interval' }, 'FIXED_LEN_BYTE_ARRAY with the annotation interval'],
  ['BYTE_ARRAY', { kind: 'decimal', precision: 40, scale: 2 }, 'BYTE_ARRAY with the annotation decimal'],
  ['DOUBLE', { kind: 'other' }, 'DOUBLE with the annotation other'],
])('%s with the annotation %o is no Iceberg type', (physical, logical, text) => {
  expect(icebergTypeOf(leaf(physical, logical))).toBeNull();
  expect(parquetTypeText(leaf(physical, logical), typeToText)).toBe(text);
});
