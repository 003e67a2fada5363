import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, compareStrings, compareValues, valuesEqual } from '../../src/spec/compare-values.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import type { Value } from '../../src/spec/values.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import { nestedType, orderedType, primitiveType, text, typeAndValue, valueOf } from './arbitraries.ts';

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const sign = (order: number): number => Math.sign(order);
const three = orderedType.chain((type) => {
  const value = valueOf(type);
  return fc.tuple(fc.constant(type), value, value, value);
});

describe('compareValues', () => {
  it('is a total order', () => {
    fc.assert(
      fc.property(three, ([type, a, b, c]) => {
        const compare = compareValues(type);
        expect(compare(a, a)).toBe(0);
        expect(sign(compare(a, b))).toBe(-sign(compare(b, a)) + 0);
        const [low, middle, high] = [a, b, c].toSorted(compare) as [Value, Value, Value];
        expect([compare(low, middle), compare(middle, high), compare(low, high)].every((order) => order <= 0)).toBe(
          true,
        );
        expect(compare(a, b) === 0).toBe(valuesEqual(type, a, b));
      }),
      { numRuns: 500 },
    );
  });

  it('orders strings and UUIDs as their bytes', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(sign(compareStrings(a, b))).toBe(sign(compareBytes(bytes(a), bytes(b))));
      }),
    );
    const uuid: PrimitiveType = { kind: 'uuid' };
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (a, b) => {
        expect(sign(compareValues(uuid)(a, b))).toBe(sign(compareBytes(valueToBytes(uuid, a), valueToBytes(uuid, b))));
      }),
    );
  });

  it('puts surrogates above the rest of the basic plane', () => {
    expect(compareStrings('\u{1f600}', '\uffff')).toBeGreaterThan(0);
    expect(compareStrings('a\ue000', 'a\u{10000}')).toBeLessThan(0);
    expect(compareStrings('a', 'ab')).toBeLessThan(0);
  });

  it.each(['float', 'double'] as const)('orders %s with -0 before +0 and NaN last', (kind) => {
    const sorted = [-Infinity, -1, -0, 0, 1, Infinity, Number.NaN];
    expect([...sorted].toReversed().toSorted(compareValues({ kind }) as (a: number, b: number) => number)).toEqual(
      sorted,
    );
    expect(valuesEqual({ kind }, Number.NaN, Number.NaN)).toBe(true);
    expect(valuesEqual({ kind }, 0, -0)).toBe(false);
  });

  it('compares bytes as unsigned', () => {
    expect(compareValues({ kind: 'binary' })(Uint8Array.of(0x80), Uint8Array.of(0x7f, 1))).toBeGreaterThan(0);
  });

  it.each(['variant', 'geometry', 'geography'] as const)('refuses %s, which has no order', (kind) => {
    const type = { kind, crs: null, algorithm: null } as PrimitiveType;
    expect(() => compareValues(type)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('valuesEqual', () => {
  it('holds between a value and its copy, for every type', () => {
    fc.assert(
      fc.property(typeAndValue(nestedType(primitiveType)), ([type, value]) => {
        expect(valuesEqual(type, value, structuredCopy(value))).toBe(true);
        expect(valuesEqual(type, value, null)).toBe(value === null);
      }),
    );
  });
});

function structuredCopy<T>(value: T): T {
  if (value instanceof Uint8Array) return value.slice() as T;
  return Array.isArray(value) ? (value.map(structuredCopy) as T) : value;
}
