import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoundExpression, BoundTerm } from '../../src/expr/bound-expression.ts';
import {
  inclusiveMetricsEvaluator,
  strictMetricsEvaluator,
  type FileMetrics,
} from '../../src/expr/metrics-evaluator.ts';
import { compareValues } from '../../src/spec/compare-values.ts';
import { MICROS_PER_DAY } from '../../src/spec/datetime-text.ts';
import { isInt } from '../../src/spec/integers.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { applyTransform, canTransform } from '../../src/transforms/transforms.ts';
import { ORDERED_TYPES, TRANSFORMS, valueOf } from './arbitraries.ts';
import { columnTerm, combined, matches, predicateOn, transformTerm } from './expressions.ts';

/** What a writer left out of a file's metrics, or put in its own way. */
interface WriterHabits {
  readonly valueCounts: boolean;
  readonly nullCounts: boolean;
  readonly nanCounts: boolean;
  readonly lower: boolean;
  readonly upper: boolean;
  /** Bytes to which strings and binaries are cut; possibly in the middle of a character. */
  readonly truncateTo: number;
  /** Bounds in the form of the type before a promotion, where the values allow it. */
  readonly promoted: boolean;
  /** Rows whose struct is null are not counted at all. */
  readonly leavesOutNullParents: boolean;
}

const habits: Arbitrary<WriterHabits> = fc.record({
  valueCounts: fc.boolean(),
  nullCounts: fc.boolean(),
  nanCounts: fc.boolean(),
  lower: fc.boolean(),
  upper: fc.boolean(),
  truncateTo: fc.integer({ min: 1, max: 9 }),
  promoted: fc.boolean(),
  leavesOutNullParents: fc.boolean(),
});

/** Null: no such row's struct; undefined inside: the field is null. */
interface Row {
  readonly parent: boolean;
  readonly value: Value;
}

const one = (id: number, value: number): ReadonlyMap<number, number> => new Map([[id, value]]);

function metricsOf(type: PrimitiveType, rows: readonly Row[], habit: WriterHabits): FileMetrics {
  const counted = habit.leavesOutNullParents ? rows.filter((row) => row.parent) : rows;
  const values = counted.map((row) => (row.parent ? row.value : null));
  const ordinary = values.filter((value) => value !== null && !Number.isNaN(value)).toSorted(compareValues(type));
  const lower = ordinary.at(0);
  const upper = ordinary.at(-1);
  const promoted = habit.promoted && ordinary.every((value) => oldForm(type, value) !== null);
  const write = (value: Value): Uint8Array => (promoted ? oldForm(type, value)! : valueToBytes(type, value));
  const cut = type.kind === 'string' || type.kind === 'binary' ? habit.truncateTo : Infinity;
  const lowerBytes = lower === undefined ? null : write(lower).slice(0, cut);
  const upperBytes = upper === undefined ? null : incremented(write(upper), cut);
  return {
    recordCount: rows.length,
    valueCounts: habit.valueCounts ? one(1, values.length) : null,
    nullValueCounts: habit.nullCounts ? one(1, values.filter((value) => value === null).length) : null,
    nanValueCounts: habit.nanCounts ? one(1, values.filter((value) => Number.isNaN(value)).length) : null,
    lowerBounds: habit.lower && lowerBytes ? new Map([[1, lowerBytes]]) : null,
    upperBounds: habit.upper && upperBytes ? new Map([[1, upperBytes]]) : null,
  };
}

/** Four bytes, as the column's type before its promotion had them. */
function oldForm(type: PrimitiveType, value: Value): Uint8Array | null {
  if (type.kind === 'long' && isInt(Number(value))) return valueToBytes({ kind: 'int' }, Number(value));
  if (type.kind === 'double' && Object.is(Math.fround(value as number), value))
    return valueToBytes({ kind: 'float' }, value);
  if (type.kind === 'timestamp' && (value as bigint) % MICROS_PER_DAY === 0n)
    return valueToBytes({ kind: 'date' }, Number((value as bigint) / MICROS_PER_DAY));
  return null;
}

/** An upper bound cut to a length; null if no such bound is above all that begins like it. */
function incremented(bytes: Uint8Array, length: number): Uint8Array | null {
  if (bytes.length <= length) return bytes;
  const cut = bytes.slice(0, length);
  for (let i = cut.length - 1; i >= 0; i--) {
    if (cut[i]! < 255) {
      cut[i]!++;
      return cut.slice(0, i + 1);
    }
  }
  return null;
}

function termsOf(type: PrimitiveType): BoundTerm[] {
  const transforms = TRANSFORMS.filter(({ kind }) => kind !== 'identity' && kind !== 'void').filter((transform) =>
    canTransform(transform, type),
  );
  return [columnTerm(type), ...transforms.map((transform) => transformTerm(type, transform))];
}

function filterOn(type: PrimitiveType, nested: boolean): Arbitrary<BoundExpression> {
  const values = valueOf(type);
  return combined(
    fc.constantFrom(...termsOf(type)).chain((term) => {
      const apply = term.transform ? applyTransform(term.transform, type) : (value: Value): Value => value;
      const placed: BoundTerm = nested ? { ...term, path: ['s', ...term.path] } : term;
      return predicateOn(placed, fc.oneof(values.map(apply), valueOf(term.type)));
    }),
  );
}

describe.each(ORDERED_TYPES.map((type) => [typeToText(type), type] as const))('%s', (_, type) => {
  it.each([
    ['top level', false],
    ['in a struct', true],
  ] as const)('%s: no match is dropped, no strict match covers a row that does not', (__, nested) => {
    const values = valueOf(type);
    const row = fc.record({ parent: nested ? fc.boolean() : fc.constant(true), value: fc.option(values) });
    // Few distinct values make files of one value, of nulls only and of NaNs only.
    const rows = fc
      .array(row, { minLength: 1, maxLength: 3 })
      .chain((some) => fc.array(fc.constantFrom(...some), { minLength: 1, maxLength: 6 }));
    fc.assert(
      fc.property(filterOn(type, nested), rows, habits, (filter, file, habit) => {
        const metrics = metricsOf(type, file, habit);
        const matching = file.filter(({ parent, value }) => matches(filter, new Map([[1, parent ? value : null]])));
        if (matching.length > 0) expect(inclusiveMetricsEvaluator(filter)(metrics), 'keeps the file').toBe(true);
        if (matching.length < file.length)
          expect(strictMetricsEvaluator(filter)(metrics), 'matches as a whole').toBe(false);
      }),
      { numRuns: 120 },
    );
  });
});

const NO_METRICS: FileMetrics = {
  recordCount: 10,
  valueCounts: null,
  nullValueCounts: null,
  nanValueCounts: null,
  lowerBounds: null,
  upperBounds: null,
};

describe('single rules', () => {
  const int = columnTerm({ kind: 'int' });
  const double = columnTerm({ kind: 'double' });
  const string = columnTerm({ kind: 'string' });
  const bytes = (type: PrimitiveType, value: Value): ReadonlyMap<number, Uint8Array> =>
    new Map([[1, valueToBytes(type, value)]]);
  const keeps = (
    filter: BoundExpression,
    metrics: Partial<FileMetrics>,
    absent?: ReadonlyMap<number, Value>,
  ): boolean => inclusiveMetricsEvaluator(filter)({ ...NO_METRICS, ...metrics }, absent);
  const covers = (
    filter: BoundExpression,
    metrics: Partial<FileMetrics>,
    absent?: ReadonlyMap<number, Value>,
  ): boolean => strictMetricsEvaluator(filter)({ ...NO_METRICS, ...metrics }, absent);

  it('keeps files without metrics, and never takes them for null', () => {
    expect(keeps({ op: 'eq', term: int, value: 5 }, {})).toBe(true);
    expect(keeps({ op: 'isNull', term: int }, {})).toBe(true);
    expect(covers({ op: 'isNull', term: int }, {})).toBe(false);
  });

  it('prunes by bounds', () => {
    const file = { lowerBounds: bytes({ kind: 'int' }, 10), upperBounds: bytes({ kind: 'int' }, 20) };
    const at = (op: 'eq' | 'lt' | 'gt', value: number): boolean => keeps({ op, term: int, value }, file);
    expect([at('eq', 9), at('eq', 10), at('eq', 20), at('eq', 21)]).toEqual([false, true, true, false]);
    expect([at('lt', 10), at('lt', 11), at('gt', 20), at('gt', 19)]).toEqual([false, true, false, true]);
    expect(keeps({ op: 'in', term: int, values: [1, 30] }, file)).toBe(false);
    expect(keeps({ op: 'in', term: int, values: [1, 15, 30] }, file)).toBe(true);
  });

  it('matches whole files by bounds only without nulls', () => {
    const file = { lowerBounds: bytes({ kind: 'int' }, 10), upperBounds: bytes({ kind: 'int' }, 20) };
    const noNulls = { ...file, nullValueCounts: new Map([[1, 0]]) };
    for (const filter of [
      { op: 'neq', term: int, value: 5 },
      { op: 'notIn', term: int, values: [5, 25] },
      { op: 'gt', term: int, value: 5 },
    ] as const) {
      expect(covers(filter, noNulls)).toBe(true);
      expect(covers(filter, file)).toBe(false);
      expect(covers(filter, { ...file, nullValueCounts: new Map([[1, 1]]) })).toBe(false);
    }
  });

  it('keeps files that may hold NaN for what NaN matches', () => {
    const file = { lowerBounds: bytes({ kind: 'double' }, 1), upperBounds: bytes({ kind: 'double' }, 2) };
    const greater: BoundExpression = { op: 'gt', term: double, value: 5 };
    expect(keeps(greater, file)).toBe(true);
    expect(keeps(greater, { ...file, nanValueCounts: new Map([[1, 3]]) })).toBe(true);
    expect(keeps(greater, { ...file, nanValueCounts: new Map([[1, 0]]) })).toBe(false);
    expect(keeps({ op: 'lt', term: double, value: 0 }, file)).toBe(false);
    expect(covers({ op: 'lt', term: double, value: 5 }, { ...file, nullValueCounts: new Map([[1, 0]]) })).toBe(false);
    expect(
      covers(
        { op: 'lt', term: double, value: 5 },
        { ...file, nullValueCounts: new Map([[1, 0]]), nanValueCounts: new Map([[1, 0]]) },
      ),
    ).toBe(true);
  });

  it('takes -0 for 0', () => {
    const file = {
      lowerBounds: bytes({ kind: 'double' }, -0),
      upperBounds: bytes({ kind: 'double' }, -0),
      nanValueCounts: new Map([[1, 0]]),
    };
    expect(keeps({ op: 'gteq', term: double, value: 0 }, file)).toBe(true);
    expect(keeps({ op: 'gt', term: double, value: -0 }, file)).toBe(false);
  });

  it('ignores bounds that are the wrong way round, NaN or unreadable', () => {
    expect(
      keeps(
        { op: 'eq', term: int, value: 5 },
        { lowerBounds: bytes({ kind: 'int' }, 20), upperBounds: bytes({ kind: 'int' }, 10) },
      ),
    ).toBe(true);
    expect(
      keeps(
        { op: 'lt', term: double, value: 5 },
        { lowerBounds: bytes({ kind: 'double' }, NaN), upperBounds: bytes({ kind: 'double' }, NaN) },
      ),
    ).toBe(true);
    expect(keeps({ op: 'eq', term: int, value: 5 }, { lowerBounds: new Map([[1, Uint8Array.of(1)]]) })).toBe(true);
  });

  it('compares strings by their UTF-8 bytes', () => {
    const file = {
      lowerBounds: bytes({ kind: 'string' }, '\uffff'),
      upperBounds: bytes({ kind: 'string' }, '\u{10000}'),
    };
    expect(keeps({ op: 'eq', term: string, value: '\u{10000}' }, file)).toBe(true);
    expect(keeps({ op: 'gt', term: string, value: '\u{10001}' }, file)).toBe(false);
  });

  it('drops files of nulls only', () => {
    const nulls = { valueCounts: new Map([[1, 10]]), nullValueCounts: new Map([[1, 10]]) };
    expect(keeps({ op: 'neq', term: int, value: 5 }, nulls)).toBe(false);
    expect(keeps({ op: 'notNull', term: int }, nulls)).toBe(false);
    expect(covers({ op: 'isNull', term: int }, nulls)).toBe(true);
    expect(keeps({ op: 'neq', term: int, value: 5 }, { nullValueCounts: new Map([[1, 10]]) })).toBe(false);
  });

  it('drops files without rows, and keeps those of an unknown number', () => {
    expect(keeps({ op: 'true' }, { recordCount: 0 })).toBe(false);
    expect(covers({ op: 'false' }, { recordCount: 0 })).toBe(true);
    expect(keeps({ op: 'false' }, { recordCount: -1 })).toBe(true);
    expect(covers({ op: 'true' }, { recordCount: -1 })).toBe(false);
  });

  it('uses the value that a column has in files without it', () => {
    const five: BoundExpression = { op: 'eq', term: int, value: 5 };
    expect(keeps(five, {}, new Map([[1, 5]]))).toBe(true);
    expect(covers(five, {}, new Map([[1, 5]]))).toBe(true);
    expect(keeps(five, {}, new Map([[1, 6]]))).toBe(false);
    expect(keeps(five, {}, new Map([[1, null]]))).toBe(false);
    expect(covers({ op: 'isNull', term: int }, {}, new Map([[1, null]]))).toBe(true);
    expect(covers({ op: 'isNaN', term: double }, {}, new Map([[1, NaN]]))).toBe(true);
  });

  it('prunes by order-preserving transforms of a column', () => {
    const term = transformTerm({ kind: 'string' }, { kind: 'truncate', width: 2 });
    const file = { lowerBounds: bytes({ kind: 'string' }, 'abc'), upperBounds: bytes({ kind: 'string' }, 'adz') };
    expect(keeps({ op: 'eq', term, value: 'ab' }, file)).toBe(true);
    expect(keeps({ op: 'eq', term, value: 'ae' }, file)).toBe(false);
  });

  it('prunes by the bucket of a column with one value', () => {
    const term = transformTerm({ kind: 'int' }, { kind: 'bucket', buckets: 16 });
    const file = { lowerBounds: bytes({ kind: 'int' }, 34), upperBounds: bytes({ kind: 'int' }, 34) };
    const bucket = (2017239379 & 0x7fffffff) % 16;
    expect(keeps({ op: 'eq', term, value: bucket }, file)).toBe(true);
    expect(keeps({ op: 'eq', term, value: bucket + 1 }, file)).toBe(false);
  });
});
