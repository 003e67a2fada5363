import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareValues } from '../../src/spec/compare-values.ts';
import { parseDate, parseTimestamp } from '../../src/spec/datetime-text.ts';
import { MIN_INT } from '../../src/spec/integers.ts';
import { parseTransform, transformToText } from '../../src/spec/transform-text.ts';
import type { Transform } from '../../src/spec/transform.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { firstOfTimeUnit, type TimeTransformKind } from '../../src/transforms/time.ts';
import {
  applyTransform,
  canTransform,
  preservesOrder,
  satisfiesOrder,
  transformResultType,
} from '../../src/transforms/transforms.ts';
import { TRANSFORMED_TYPES, valueOf } from '../expr/arbitraries.ts';

function apply(transform: string, type: PrimitiveType, value: Value): Value {
  return applyTransform(parseTransform(transform), type)(value);
}

const micros = (text: string): bigint => parseTimestamp(text, 6)!.value;
const nanos = (text: string): bigint => parseTimestamp(text, 9)!.value;

describe('laws of all transforms', () => {
  it.each(
    TRANSFORMED_TYPES.map(
      ({ type, transform }) => [transformToText(transform), typeToText(type), transform, type] as const,
    ),
  )('%s of %s', (_, __, transform, type) => {
    const f = applyTransform(transform, type);
    const result = transformResultType(transform, type);
    expect(f(null)).toBeNull();
    fc.assert(
      fc.property(valueOf(type), valueOf(type), (a, b) => {
        const [fa, fb] = [f(a), f(b)];
        if (transform.kind === 'void') {
          expect(fa).toBeNull();
          return;
        }
        expect(fa).not.toBeNull();
        if (transform.kind === 'bucket') {
          expect(fa).toBeGreaterThanOrEqual(0);
          expect(fa).toBeLessThan(transform.buckets);
        }
        const wraps =
          transform.kind === 'truncate' && (compareValues(type)(fa, a) > 0 || compareValues(type)(fb, b) > 0);
        if (preservesOrder(transform) && !wraps) {
          const order = compareValues(type)(a, b);
          const image = compareValues(result)(fa, fb);
          if (order <= 0) expect(image).toBeLessThanOrEqual(0);
          if (order === 0) expect(image).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('time transforms', () => {
  it('floor before the epoch', () => {
    const at = micros('1969-12-31T23:59:59.999999');
    expect(apply('year', { kind: 'timestamp' }, at)).toBe(-1);
    expect(apply('month', { kind: 'timestamptz' }, at)).toBe(-1);
    expect(apply('day', { kind: 'timestamp' }, at)).toBe(-1);
    expect(apply('hour', { kind: 'timestamptz' }, at)).toBe(-1);
    expect(apply('hour', { kind: 'timestamp_ns' }, -1n)).toBe(-1);
    expect(apply('month', { kind: 'date' }, parseDate('1969-01-01')!)).toBe(-12);
    expect(apply('year', { kind: 'date' }, parseDate('1968-12-31')!)).toBe(-2);
    expect(apply('day', { kind: 'timestamp' }, micros('1969-12-31T00:00:00'))).toBe(-1);
  });

  it('count from the epoch', () => {
    const at = micros('2017-12-01T10:12:55.038194');
    expect(apply('year', { kind: 'timestamp' }, at)).toBe(47);
    expect(apply('month', { kind: 'timestamp' }, at)).toBe(575);
    expect(apply('day', { kind: 'timestamp' }, at)).toBe(17501);
    expect(apply('hour', { kind: 'timestamp' }, at)).toBe(420034);
    expect(apply('hour', { kind: 'timestamp_ns' }, nanos('2017-12-01T10:12:55.038194001'))).toBe(420034);
  });

  it('start where `firstOfTimeUnit` says', () => {
    const kinds: TimeTransformKind[] = ['year', 'month', 'day', 'hour'];
    const types: PrimitiveType[] = [{ kind: 'timestamp' }, { kind: 'timestamptz_ns' }];
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.constantFrom(...types),
        fc.integer({ min: -290, max: 290 }),
        (kind, type, ordinal) => {
          const first = firstOfTimeUnit(kind, type.kind, ordinal);
          expect(apply(kind, type, first)).toBe(ordinal);
          expect(apply(kind, type, first - 1n)).toBe(ordinal - 1);
        },
      ),
    );
  });
});

describe('truncate', () => {
  it('takes the positive remainder', () => {
    expect([1, -1, 10, -10, -11].map((value) => apply('truncate[10]', { kind: 'int' }, value))).toEqual([
      0, -10, 10, -10, -20,
    ]);
    expect([1n, -1n].map((value) => apply('truncate[10]', { kind: 'long' }, value))).toEqual([0n, -10n]);
    expect(apply('truncate[50]', { kind: 'decimal', precision: 9, scale: 2 }, 1065n)).toBe(1050n);
    expect(apply('truncate[50]', { kind: 'decimal', precision: 9, scale: 2 }, -5n)).toBe(-50n);
  });

  it('wraps around below the smallest integer, as Java does', () => {
    expect(apply('truncate[10]', { kind: 'int' }, MIN_INT)).toBe(2147483646);
  });

  it('counts code points of strings and bytes of binaries', () => {
    expect(apply('truncate[3]', { kind: 'string' }, 'iceberg')).toBe('ice');
    expect(apply('truncate[2]', { kind: 'string' }, '😀漢字')).toBe('😀漢');
    expect(apply('truncate[5]', { kind: 'string' }, '😀')).toBe('😀');
    expect(apply('truncate[3]', { kind: 'binary' }, Uint8Array.of(1, 2, 3, 4, 5))).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('types', () => {
  const cases: [Transform['kind'], PrimitiveType['kind'], boolean][] = [
    ['hour', 'date', false],
    ['year', 'int', false],
    ['bucket', 'double', false],
    ['bucket', 'boolean', false],
    ['truncate', 'date', false],
    ['identity', 'geometry', false],
    ['identity', 'double', true],
    ['void', 'geometry', true],
    ['day', 'timestamptz_ns', true],
  ];
  it.each(cases)('%s of %s: %s', (kind, source, expected) => {
    const transform =
      kind === 'bucket' ? { kind, buckets: 2 } : kind === 'truncate' ? { kind, width: 2 } : ({ kind } as Transform);
    const type = source === 'geometry' ? { kind: source, crs: null } : ({ kind: source } as PrimitiveType);
    expect(canTransform(transform, type)).toBe(expected);
    if (!expected) expect(() => transformResultType(transform, type)).toThrow(/can't be applied to a column of type/);
  });

  it('compute whatever they accept', () => {
    const kinds: PrimitiveType['kind'][] = [
      ...new Set(TRANSFORMED_TYPES.map(({ type }) => type.kind)),
      'unknown',
      'variant',
      'geometry',
      'geography',
    ];
    const transforms = ['identity', 'bucket[2]', 'truncate[2]', 'year', 'month', 'day', 'hour', 'void'].map(
      parseTransform,
    );
    for (const kind of kinds) {
      for (const transform of transforms) {
        const type = { kind, precision: 9, scale: 2, length: 2, crs: null, algorithm: null } as PrimitiveType;
        if (canTransform(transform, type)) expect(applyTransform(transform, type)(null)).toBeNull();
        else expect(() => applyTransform(transform, type)).toThrow(/can't be applied/);
      }
    }
  });

  it('refuses nested types', () => {
    expect(canTransform({ kind: 'identity' }, { kind: 'struct', fields: [] })).toBe(false);
  });

  it('refuses to compute a transform of unknown name', () => {
    expect(() => applyTransform({ kind: 'unknown', text: 'zorder' }, { kind: 'int' })).toThrow(/'zorder' is not known/);
  });

  it('gives `day` the type date', () => {
    expect(transformResultType({ kind: 'day' }, { kind: 'timestamp' })).toEqual({ kind: 'date' });
    expect(transformResultType({ kind: 'month' }, { kind: 'timestamp' })).toEqual({ kind: 'int' });
  });
});

describe('satisfiesOrder', () => {
  const order = (a: string, b: string): boolean => satisfiesOrder(parseTransform(a), parseTransform(b));
  it('knows what a sort by one transform means for another', () => {
    expect(order('identity', 'day')).toBe(true);
    expect(order('identity', 'bucket[4]')).toBe(false);
    expect(order('hour', 'month')).toBe(true);
    expect(order('month', 'hour')).toBe(false);
    expect(order('bucket[4]', 'bucket[4]')).toBe(true);
    expect(order('bucket[4]', 'bucket[8]')).toBe(false);
    expect(order('truncate[4]', 'truncate[4]')).toBe(true);
    expect(order('truncate[8]', 'truncate[4]')).toBe(false);
  });
});
