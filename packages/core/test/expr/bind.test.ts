import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import type { BoundExpression } from '../../src/expr/bound-expression.ts';
import { expr } from '../../src/expr/expr.ts';
import type { ComparisonPredicate, Expression, Literal, Term } from '../../src/expr/expression.ts';
import { parseExpression } from '../../src/expr/parse.ts';
import { referencedFieldIds } from '../../src/expr/referenced.ts';
import { expressionToText } from '../../src/expr/to-text.ts';
import { bytesToHex } from '../../src/spec/bytes-text.ts';
import { formatDate, formatTime, formatTimestamp, parseTimestamp } from '../../src/spec/datetime-text.ts';
import { formatDecimal, parseDecimal } from '../../src/spec/decimal-text.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import type { PrimitiveKind, PrimitiveType, StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { applyTransform, transformResultType } from '../../src/transforms/transforms.ts';
import { ORDERED_TYPES, TRANSFORMED_TYPES, valueOf } from './arbitraries.ts';
import { evaluate, matches } from './expressions.ts';

function tableOf(type: PrimitiveType): StructType {
  return { kind: 'struct', fields: [{ id: 1, name: 'c', required: false, type }] };
}

/** A number line on which values and literals of any type have an exact place; text and bytes keep their own order. */
type Place = bigint | number | string;

const SCALE = 30;
const numeric = (value: Value): Place => parseDecimal(String(value), SCALE)!;

const PLACES: { readonly [K in PrimitiveKind]?: (value: Value, type: PrimitiveType) => Place } = {
  boolean: (value) => Number(value),
  int: numeric,
  long: numeric,
  decimal: (value, type) =>
    parseDecimal(formatDecimal(value as bigint, type.kind === 'decimal' ? type.scale : 0), SCALE)!,
  float: (value) => value as number,
  double: (value) => value as number,
  date: (value) => BigInt(value as number) * 86_400_000_000_000n,
  time: (value) => (value as bigint) * 1000n,
  timestamp: (value) => (value as bigint) * 1000n,
  timestamptz: (value) => (value as bigint) * 1000n,
  timestamp_ns: (value) => value as bigint,
  timestamptz_ns: (value) => value as bigint,
  // Hexadecimal UTF-8 sorts as the code points do.
  string: (value) => bytesToHex(new TextEncoder().encode(value as string)),
  uuid: (value) => value as string,
  fixed: (value) => bytesToHex(value as Uint8Array),
  binary: (value) => bytesToHex(value as Uint8Array),
};

interface Placed {
  readonly literal: Literal;
  readonly place: Place;
}

const nanosText = (nanos: bigint): string => formatTimestamp(nanos, 9);

/** Literals of every form that a type can be compared with, many of which are no values of it. */
function literalOf(type: PrimitiveType): Arbitrary<Placed> {
  const own = valueOf(type).filter((value) => !Number.isNaN(value));
  switch (type.kind) {
    case 'int':
    case 'long':
    case 'decimal': {
      const decimals = fc
        .tuple(fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }), fc.integer({ min: 0, max: 12 }))
        .map(([unscaled, scale]) => formatDecimal(unscaled, scale));
      const values = own.map((value) =>
        type.kind === 'decimal' ? formatDecimal(value as bigint, type.scale) : String(value),
      );
      const halves = fc
        .tuple(values, fc.constantFrom('', '5', '000'))
        .map(([text, more]) => (text.includes('.') ? text + more : `${text}.${more || '0'}`));
      const text = fc.oneof(decimals, values, halves);
      return fc.tuple(text, fc.boolean()).map(([number, asText]) => ({
        literal: asText ? number : number.includes('.') ? ({ type: 'decimal', text: number } as const) : BigInt(number),
        place: parseDecimal(number, SCALE)!,
      }));
    }
    case 'float':
      return fc.oneof(own as Arbitrary<number>, fc.double(), fc.constantFrom(1e300, -1e300, 0.1)).map((literal) => ({
        literal,
        place: Math.abs(literal) < 3.4e38 || !Number.isFinite(literal) ? Math.fround(literal) : literal,
      }));
    case 'double':
      return fc.oneof(own as Arbitrary<number>, fc.constant(NaN)).map((literal) => ({ literal, place: literal }));
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns': {
      const nanos = fc.oneof(
        own.map((value) => PLACES[type.kind]!(value, type) as bigint),
        fc
          .tuple(own, fc.bigInt({ min: -2000n, max: 2000n }))
          .map(([value, off]) => (PLACES[type.kind]!(value, type) as bigint) + off),
        fc.constantFrom(-(10n ** 30n), 10n ** 30n).map((far) => far / 10n ** 6n),
      );
      return nanos.chain((place) =>
        fc
          .constantFrom<Literal>(
            nanosText(place),
            { type: 'timestamp', text: nanosText(place) },
            `${nanosText(place)}Z`,
          )
          .map((literal) => ({ literal, place })),
      );
    }
    case 'time':
      return fc
        .bigInt({ min: 0n, max: 86_399_999_999_999n })
        .map((nanos) => ({ literal: formatTime(nanos, 9), place: nanos }));
    default:
      return own.map((value) => ({ literal: value as Literal, place: PLACES[type.kind]!(value, type) }));
  }
}

const OPS = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq'] as const;
type Op = (typeof OPS)[number];

/** NaN is the greatest number and equals itself. */
function compare(a: Place, b: Place): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function holds(op: Op, order: number): boolean {
  return { eq: order === 0, neq: order !== 0, lt: order < 0, lteq: order <= 0, gt: order > 0, gteq: order >= 0 }[op];
}

interface Case {
  readonly expression: Expression;
  /** What the expression should give for a place, or for null. */
  readonly oracle: (place: Place | null) => boolean | null;
}

function caseOn(type: PrimitiveType): Arbitrary<Case> {
  const literal = literalOf(type);
  const options: Arbitrary<Case>[] = [
    fc.tuple(fc.constantFrom(...OPS), literal).map(([op, { literal: value, place }]): Case => ({
      expression: { op, term: { column: 'c' }, value },
      oracle: (at) => (at === null ? null : holds(op, compare(at, place))),
    })),
    fc.tuple(fc.boolean(), fc.array(literal, { maxLength: 4 })).map(([negated, list]): Case => ({
      expression: { op: negated ? 'notIn' : 'in', term: { column: 'c' }, values: list.map((one) => one.literal) },
      oracle: (at) =>
        list.length === 0
          ? negated
          : at === null
            ? null
            : list.some(({ place }) => compare(at, place) === 0) !== negated,
    })),
    fc.constantFrom<Case>(
      { expression: expr.isNull('c'), oracle: (at) => at === null },
      { expression: expr.notNull('c'), oracle: (at) => at !== null },
    ),
  ];
  if (type.kind === 'float' || type.kind === 'double') {
    options.push(
      fc.constantFrom<Case>(
        { expression: expr.isNaN('c'), oracle: (at) => Number.isNaN(at) },
        { expression: expr.notNaN('c'), oracle: (at) => !Number.isNaN(at) },
      ),
    );
  }
  if (type.kind === 'string') {
    options.push(
      fc.tuple(fc.boolean(), literal).map(([negated, { literal: value, place }]): Case => ({
        expression: { op: negated ? 'notStartsWith' : 'startsWith', term: { column: 'c' }, value },
        oracle: (at) => (at === null ? null : (at as string).startsWith(place as string) !== negated),
      })),
    );
  }
  const { tree } = fc.letrec<{ tree: Case }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.oneof(...options),
      tie('tree').map((child): Case => ({
        expression: { op: 'not', child: child.expression },
        oracle: (at) => negate(child.oracle(at)),
      })),
      fc.tuple(fc.boolean(), tie('tree'), tie('tree')).map(([isAnd, left, right]): Case => ({
        expression: { op: isAnd ? 'and' : 'or', left: left.expression, right: right.expression },
        oracle: (at) => join(isAnd, left.oracle(at), right.oracle(at)),
      })),
      fc.constantFrom<Case>(
        { expression: { op: 'true' }, oracle: () => true },
        { expression: { op: 'false' }, oracle: () => false },
      ),
    ),
  }));
  return tree;
}

function negate(value: boolean | null): boolean | null {
  return value === null ? null : !value;
}

function join(isAnd: boolean, a: boolean | null, b: boolean | null): boolean | null {
  if (a === !isAnd || b === !isAnd) return !isAnd;
  return a === null || b === null ? null : isAnd;
}

describe('binding matches the same rows', () => {
  it.each(ORDERED_TYPES.map((type) => [typeToText(type), type] as const))('%s', (_, type) => {
    const table = tableOf(type);
    fc.assert(
      fc.property(
        caseOn(type),
        fc.array(fc.option(valueOf(type)), { minLength: 1, maxLength: 6 }),
        ({ expression, oracle }, rows) => {
          const bound = bindExpression(table, expression);
          for (const value of rows) {
            const expected = oracle(value === null ? null : PLACES[type.kind]!(value, type)) === true;
            expect(matches(bound, new Map([[1, value]])), expressionToText(bound)).toBe(expected);
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});

describe('comparing transforms of a column', () => {
  const terms = TRANSFORMED_TYPES.filter(({ transform: { kind } }) => kind !== 'identity' && kind !== 'void');
  it.each(
    terms.map(
      ({ type, transform }) =>
        [expressionToText(expr.isNull({ column: 'c', transform })), typeToText(type), type, transform] as const,
    ),
  )('%s of %s', (_, __, type, transform) => {
    const result = transformResultType(transform, type);
    const f = applyTransform(transform, type);
    const values = valueOf(type).filter((value) => {
      // Truncation is meant without the wrap-around at the smallest integers.
      return (
        transform.kind !== 'truncate' || typeof value === 'string' || value instanceof Uint8Array || f(value)! <= value!
      );
    });
    const literals = fc
      .oneof(values.map(f), valueOf(result))
      .filter((value) => result.kind !== 'decimal' || abs(value as bigint) < 10n ** BigInt(result.precision));
    const operand = fc.tuple(fc.constantFrom(...OPS), literals, fc.boolean());
    fc.assert(
      fc.property(
        operand,
        fc.array(fc.option(values), { minLength: 1, maxLength: 5 }),
        ([op, literal, asList], rows) => {
          const term: Term = { column: 'c', transform };
          const written = userForm(result, literal);
          const expression: Expression =
            asList && (op === 'eq' || op === 'neq')
              ? { op: op === 'eq' ? 'in' : 'notIn', term, values: [written] }
              : ({ op, term, value: written } as ComparisonPredicate);
          const bound = bindExpression(tableOf(type), expression);
          for (const value of rows) {
            const expected =
              value !== null &&
              holds(op, compare(PLACES[result.kind]!(f(value), result), PLACES[result.kind]!(literal, result)));
            expect(matches(bound, new Map([[1, value]])), expressionToText(bound)).toBe(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function userForm(type: PrimitiveType, value: Value): Literal {
  if (type.kind === 'date') return formatDate(value as number);
  return type.kind === 'decimal' ? formatDecimal(value as bigint, type.scale) : (value as Literal);
}

describe('the text of a bound expression', () => {
  it.each(ORDERED_TYPES.map((type) => [typeToText(type), type] as const))(
    'of %s is read back as the same',
    (_, type) => {
      const table = tableOf(type);
      fc.assert(
        fc.property(caseOn(type), ({ expression }) => {
          const bound = bindExpression(table, expression);
          const again = bindExpression(table, parseExpression(expressionToText(bound)));
          expect(expressionToText(again)).toBe(expressionToText(bound));
          expect(again).toEqual(bound);
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('literals', () => {
  const shape = schema({
    i: t.int(),
    l: t.long(),
    f: t.float(),
    d: t.double(),
    dec: t.decimal(5, 2),
    day: t.date(),
    ts: t.timestamp(),
    tz: t.timestamptz(),
    ns: t.timestamp_ns(),
    time: t.time(),
    s: t.string(),
    flag: t.boolean(),
    u: t.uuid(),
    bin: t.binary(),
    fix: t.fixed(2),
    un: t.unknown(),
    v: t.variant(),
    id: t.long().required(),
  });
  const bind = (text: string): BoundExpression => bindExpression(shape, parseExpression(text));
  const bound = (text: string): string => expressionToText(bind(text));

  it.each([
    ['i = 3.5', 'FALSE'],
    ['i != 3.5', 'i IS NOT NULL'],
    ['i < 3.5', 'i <= 3'],
    ['i >= 3.5', 'i > 3'],
    ['i > -3.5', 'i > -4'],
    ['i < 3000000000', 'i IS NOT NULL'],
    ['i > 3000000000', 'FALSE'],
    ['NOT i > 3000000000', 'i IS NOT NULL'],
    ['i IN (1, 3000000000, 2.5)', 'i = 1'],
    ['i NOT IN (3000000000)', 'i IS NOT NULL'],
    ['i IN (2, 1, 2)', 'i IN (1, 2)'],
    ["i = '5'", 'i = 5'],
    ['id >= -9223372036854775809', 'TRUE'],
    ['id IS NULL', 'FALSE'],
    ['id != 1.5', 'TRUE'],
    ['f = 0.1', 'f = 0.10000000149011612'],
    ['f < 1e300', 'f <= 3.4028234663852886e+38'],
    ["d = 'NaN'", 'd IS NAN'],
    ["d < DOUBLE 'NaN'", 'd IS NOT NAN AND d IS NOT NULL'],
    ["d IN (1, 'NaN')", 'd IS NAN OR d = 1'],
    ["d NOT IN (1, 'NaN')", 'd IS NOT NAN AND d IS NOT NULL AND d != 1'],
    ["d <= DOUBLE 'Infinity'", "d <= DOUBLE 'Infinity'"],
    ['dec > 1.005', 'dec > 1.00'],
    ['dec = 1000', 'FALSE'],
    ["day > '2024-01-31T12:00:00'", "day > DATE '2024-01-31'"],
    ["ts >= '2024-01-31'", "ts >= TIMESTAMP '2024-01-31T00:00:00.000000'"],
    ["ts >= '2024-01-31T00:00:00.0000005'", "ts > TIMESTAMP '2024-01-31T00:00:00.000000'"],
    ["tz = '2024-01-31T01:00:00+01:00'", "tz = TIMESTAMPTZ '2024-01-31T00:00:00.000000Z'"],
    ["time < '12:30'", "time < TIME '12:30:00.000000'"],
    ["u = 'F79C3E09-677C-4BBD-A479-3F349CB785E7'", "u = 'f79c3e09-677c-4bbd-a479-3f349cb785e7'"],
    ["bin = X'00FF'", "bin = X'00ff'"],
    ['flag', 'flag = TRUE'],
    ['NOT flag', 'flag != TRUE'],
    ["s LIKE '%'", 's IS NOT NULL'],
    ["s NOT LIKE '%'", 'FALSE'],
    ['un IS NULL', 'TRUE'],
    ["un = 'x' OR i = 1", 'i = 1'],
    ['v IS NULL', 'v IS NULL'],
    ['year(ts) = 2024', "ts >= TIMESTAMP '2024-01-01T00:00:00.000000' AND ts < TIMESTAMP '2025-01-01T00:00:00.000000'"],
    ["month(day) > '1969-12'", "day >= DATE '1970-01-01'"],
    ["hour(tz) <= '1969-12-31-23'", "tz < TIMESTAMPTZ '1970-01-01T00:00:00.000000Z'"],
    [
      "day(ts) != DATE '1970-01-01'",
      "ts < TIMESTAMP '1970-01-01T00:00:00.000000' OR ts >= TIMESTAMP '1970-01-02T00:00:00.000000'",
    ],
    ['truncate(10, i) = 20', 'i >= 20 AND i < 30'],
    ['truncate(10, i) = 25', 'FALSE'],
    ['truncate(10, dec) > 1', 'dec >= 1.10'],
    ["truncate(2, s) = 'ab'", "truncate(2, s) = 'ab'"],
    ['bucket(16, id) = 3', 'bucket(16, id) = 3'],
    ['day(ts) IS NULL', 'day(ts) IS NULL'],
  ])('%s', (text, expected) => {
    expect(bound(text)).toBe(expected);
  });

  it('takes Dates, and bigints as units of timestamps', () => {
    const noon = new Date('2024-01-31T12:00:00Z');
    const text = (expression: Expression): string => expressionToText(bindExpression(shape, expression));
    expect(text(expr.eq('day', noon))).toBe("day = DATE '2024-01-31'");
    expect(text(expr.eq('tz', noon))).toBe("tz = TIMESTAMPTZ '2024-01-31T12:00:00.000000Z'");
    expect(text(expr.eq('ns', 1n))).toBe("ns = TIMESTAMP '1970-01-01T00:00:00.000000001'");
    expect(text(expr.eq('i', 5n))).toBe('i = 5');
    expect(text(expr.eq(expr.month('ts'), 1))).toBe(
      "ts >= TIMESTAMP '1970-02-01T00:00:00.000000' AND ts < TIMESTAMP '1970-03-01T00:00:00.000000'",
    );
  });

  it.each([
    ["i = 'abc'", /'i' is of type int and can't be compared with 'abc'; give a number/],
    ['i = TRUE', /can't be compared with TRUE/],
    ['s = 5', /can't be compared with 5; give a string/],
    ["ts = '2024-01-31T00:00:00+01:00'", /no zone but UTC/],
    ['day = 5', /give a date such as/],
    ["day = 'soon'", /give a date/],
    ["u = 'abc'", /UUID/],
    ["fix = X'00'", /as many bytes/],
    ['v = 1', /can't be compared; only IS NULL/],
    ['i IS NAN', /only a float or double/],
    ["i LIKE 'a%'", /only a string can start/],
    ['nope = 1', /no column 'nope' to filter by; the columns are i, l, f/],
    ['ID = 1', /did you mean 'id'/],
    ["year(ts) = '24'", /write it like '2024'/],
    ["hour(day) = '2024-01-01-00'", /hour of 'day' can't be taken: it is of type date/],
  ])('refuses %s', (text, message) => {
    expect(() => bind(text)).toThrow(message);
  });

  it('finds columns regardless of case when asked to', () => {
    expect(
      expressionToText(bindExpression(shape, parseExpression('ID = 1 AND Day IS NULL'), { caseSensitive: false })),
    ).toBe('id = 1 AND day IS NULL');
  });
});

describe('nested columns', () => {
  const shape = schema({
    s: t.struct({ a: t.int().required(), t: t.struct({ b: t.int() }) }),
    r: t.struct({ a: t.int().required() }).required(),
    l: t.list(t.int()),
    m: t.map(t.string(), t.struct({ a: t.int() })),
  });
  const bind = (text: string): BoundExpression => bindExpression(shape, parseExpression(text));

  it('are reached by dotted names, and null where a struct around them is', () => {
    expect(bind('s.a IS NULL')).toMatchObject({
      op: 'isNull',
      term: { path: ['s', 'a'], nullable: true, field: { name: 'a', required: true } },
    });
    expect(bind('r.a IS NULL')).toEqual({ op: 'false' });
    expect(bind('s.t.b = 1')).toMatchObject({ term: { path: ['s', 't', 'b'] } });
    expect(referencedFieldIds(bind('s.a = 1 OR NOT (s.t.b = 2 AND s.a IS NULL)'))).toEqual(new Set([5, 7]));
  });

  it('are tested for null as a whole', () => {
    expect(bind('l IS NULL AND s IS NOT NULL')).toMatchObject({
      left: { op: 'isNull', term: { path: ['l'], type: { kind: 'list' } } },
    });
    expect(bind('r IS NULL')).toEqual({ op: 'false' });
  });

  it.each([
    ['l.element = 1', /inside a list/],
    ['m.value.a = 1', /inside a map/],
    ['s = 1', /'s' is of type struct<.*>, which can't be compared/],
    ['l IN (1)', /can't be compared/],
    ['bucket(4, l) = 1', /can't be taken: it is of type list/],
  ])('refuses %s', (text, message) => {
    expect(() => bind(text)).toThrow(message);
  });
});

describe('long chains', () => {
  it('bind, print and evaluate without running out of stack', () => {
    const many = expr.or(...Array.from({ length: 50_000 }, (_, i) => expr.eq('c', i)));
    const bound = bindExpression(tableOf({ kind: 'int' }), expr.not(many));
    expect(evaluate(bound, new Map([[1, 49_999]]))).toBe(false);
    expect(evaluate(bound, new Map([[1, 50_000]]))).toBe(true);
    expect(parseExpression(expressionToText(many)).op).toBe('or');
  });
});

describe('timestamps at the ends of their range', () => {
  it('are compared exactly', () => {
    const table = tableOf({ kind: 'timestamp' });
    const far = parseTimestamp('9999-12-31T23:59:59.999999999', 9)!.value;
    const bound = bindExpression(table, expr.lteq('c', nanosText(far)));
    expect(matches(bound, new Map([[1, far / 1000n]]))).toBe(true);
    expect(matches(bound, new Map([[1, far / 1000n + 1n]]))).toBe(false);
  });
});
