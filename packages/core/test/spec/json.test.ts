import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonNumber, parseJson, stringifyJson } from '../../src/spec/json.ts';
import type { JsonValue } from '../../src/spec/json.ts';

describe('parseJson', () => {
  it('agrees with JSON.parse on what a double can hold', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(toPlain(parseJson(spaced))).toEqual(JSON.parse(spaced));
      }),
    );
  });

  it('agrees with JSON.parse on what is not JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ unit: 'grapheme', maxLength: 2 }), (json, at, noise) => {
        const position = at % (json.length + 1);
        const text = json.slice(0, position) + noise + json.slice(position + 1);
        expect(outcome(() => parseJson(text))).toBe(outcome(() => JSON.parse(text) as JsonValue));
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, JsonValue]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['123456789012345', 123456789012345],
    ['0.1', 0.1],
    ['1.50', 1.5],
    ['0.30000000000000004', 0.30000000000000004],
    ['1e3', 1000],
    ['0', 0],
    ['-0', -0],
    ['-0.0', -0],
    ['0e5', 0],
    ['5e-324', 5e-324],
  ])('reads %s exactly', (text, value) => {
    expect(parseJson(text)).toBe(value);
  });

  it.each(['0.1234567890123456789', '1e400', '123456789012345678.5', '1e-400', '0.30000000000000001'])(
    'keeps the text of %s, which no double holds',
    (text) => {
      expect(parseJson(text)).toEqual(new JsonNumber(text));
      expect(stringifyJson(parseJson(`[${text}]`))).toBe(`[${text}]`);
    },
  );

  it('treats __proto__ as a name like any other', () => {
    const object = parseJson('{"__proto__": {"x": 1}, "a": 2}') as Record<string, unknown>;
    expect(Object.keys(object)).toEqual(['__proto__', 'a']);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(stringifyJson(object)).toBe('{"__proto__":{"x":1},"a":2}');
  });

  it('takes the last of equal keys', () => {
    expect(parseJson('{"a": 1, "a": 2}')).toEqual({ a: 2 });
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,',
    '[1,]',
    '{"a" 1}',
    '{a:1}',
    '01',
    '-',
    '1.',
    '.5',
    '+1',
    'tru',
    '"\\x"',
    '"\\u12"',
    '"\n"',
    '1 2',
    'NaN',
    "'a'",
  ])('refuses %j with the position', (text) => {
    expect(() => parseJson(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA', message: expect.stringMatching(/character \d+/) }),
    );
  });

  it.each(['[', '{"a":'])('refuses endless depth of %s', (open) => {
    expect(() => parseJson(open.repeat(300_000))).toThrow(/levels deep/);
  });
});

describe('stringifyJson', () => {
  it('is the inverse of parseJson', () => {
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.bigInt().map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(value, (given) => {
        const text = stringifyJson(given);
        expect(stringifyJson(parseJson(text))).toBe(text);
        expect(parseJson(text)).toEqual(asParsed(given));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out undefined and refuses what JSON lacks', () => {
    expect(stringifyJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
    for (const value of [Number.NaN, Infinity, Symbol('x'), () => 1]) {
      expect(() => stringifyJson([value])).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
    }
    const deep = Array.from({ length: 1000 }).reduce((inner: unknown) => [inner], 1);
    expect(() => stringifyJson(deep)).toThrow(/levels deep/);
  });
});

/** Whole numbers beyond 2^53 come back as bigint where they are written without an exponent. */
function asParsed(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value) && !String(value).includes('e')
      ? BigInt(value)
      : value;
  }
  if (Array.isArray(value)) return value.map(asParsed);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asParsed(item)]));
  }
  return value;
}

function toPlain(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
  }
  return value;
}

function outcome(parse: () => JsonValue): string {
  try {
    return JSON.stringify(toPlain(parse()));
  } catch {
    return 'refused';
  }
}
