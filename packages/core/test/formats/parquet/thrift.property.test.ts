import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLakehouseError } from '../../../src/errors.ts';
import { THRIFT, readThrift, writeThrift } from '../../../src/formats/parquet/thrift.ts';
import type { ThriftStruct, ThriftType, ThriftValue } from '../../../src/formats/parquet/thrift.ts';

const i64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((value): ThriftValue => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
});

type Typed = readonly [ThriftType, ThriftValue];

const { struct } = fc.letrec<{ typed: Typed; struct: ThriftStruct }>((tie) => ({
  typed: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.boolean().map((value): Typed => [THRIFT.bool, value]),
    fc.integer({ min: -128, max: 127 }).map((value): Typed => [THRIFT.i8, value]),
    fc.integer({ min: -32_768, max: 32_767 }).map((value): Typed => [THRIFT.i16, value]),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value): Typed => [THRIFT.i32, value]),
    i64.map((value): Typed => [THRIFT.i64, value]),
    fc.double().map((value): Typed => [THRIFT.double, value]),
    fc.uint8Array({ maxLength: 20 }).map((value): Typed => [THRIFT.binary, value]),
    fc.array(i64, { maxLength: 20 }).map((items): Typed => [THRIFT.list, { elementType: THRIFT.i64, items }]),
    fc.array(fc.boolean(), { maxLength: 20 }).map((items): Typed => [THRIFT.set, { elementType: THRIFT.bool, items }]),
    fc
      .array(tie('struct'), { maxLength: 3 })
      .map((items): Typed => [THRIFT.list, { elementType: THRIFT.struct, items }]),
    fc
      .array(fc.tuple(i64, fc.boolean()), { minLength: 1, maxLength: 3 })
      .map((entries): Typed => [THRIFT.map, { keyType: THRIFT.i64, valueType: THRIFT.bool, entries }]),
    tie('struct').map((value): Typed => [THRIFT.struct, value]),
  ),
  struct: fc
    .uniqueArray(fc.tuple(fc.integer({ min: -5, max: 40 }), tie('typed')), { selector: ([id]) => id, maxLength: 5 })
    .map((fields) => fields.toSorted(([a], [b]) => a - b).map(([id, [type, value]]) => ({ id, type, value }))),
}));

test('a struct comes back as it was written', () => {
  fc.assert(
    fc.property(struct, (value) => {
      const bytes = writeThrift(value);
      expect(readThrift(bytes)).toEqual({ struct: value, end: bytes.length });
    }),
  );
});

test('any bytes are a struct or INVALID_DATA', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.tuple(struct, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
          const bytes = writeThrift(value);
          bytes[at % bytes.length] = byte;
          return bytes;
        }),
      ),
      (bytes) => {
        try {
          readThrift(bytes);
          return true;
        } catch (error) {
          return isLakehouseError(error, 'INVALID_DATA');
        }
      },
    ),
    { numRuns: 500 },
  );
});
