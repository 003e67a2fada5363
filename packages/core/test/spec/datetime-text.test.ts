import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  civilFromDays,
  daysFromCivil,
  formatDate,
  formatTime,
  formatTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
} from '../../src/spec/datetime-text.ts';
import { formatDecimal, parseDecimal } from '../../src/spec/decimal-text.ts';
import { int, long } from './arbitraries.ts';

const digits = fc.constantFrom<6 | 9>(6, 9);

describe('dates and times', () => {
  it('agree with the calendar of the language where that reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_528, max: 2_932_896 }), (days) => {
        expect(formatDate(days)).toBe(new Date(days * 86_400_000).toISOString().slice(0, 10));
      }),
    );
  });

  it('survive their text over the whole range of their types', () => {
    fc.assert(
      fc.property(int, long, digits, (days, value, unit) => {
        expect(daysFromCivil(civilFromDays(days))).toBe(days);
        expect(parseDate(formatDate(days))).toBe(days);
        expect(parseTimestamp(formatTimestamp(value, unit), unit)).toEqual({ value, offsetSeconds: null });
        expect(parseTimestamp(`${formatTimestamp(value, unit)}Z`, unit)).toEqual({ value, offsetSeconds: 0 });
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 86_399_999_999n }), (time) => {
        expect(parseTime(formatTime(time))).toBe(time);
      }),
    );
  });

  it('follow each other day by day', () => {
    let previous = civilFromDays(-1_000_000);
    for (let days = -999_999; days < -900_000; days++) {
      const next = civilFromDays(days);
      const isNext =
        next.day === previous.day + 1 ||
        (next.day === 1 && (next.month === previous.month + 1 || next.year === previous.year + 1));
      if (!isNext) throw new Error(`${formatDate(days)} after ${formatDate(days - 1)}`);
      previous = next;
    }
    expect(previous.year).toBe(-495);
  });

  it('take offsets off', () => {
    expect(parseTimestamp('1970-01-01T01:30:00+01:30', 6)).toEqual({ value: 0n, offsetSeconds: 5400 });
    expect(parseTimestamp('1969-12-31 16:00-08', 6)).toEqual({ value: 0n, offsetSeconds: -28800 });
    expect(parseTimestamp('1970-01-01T00:00:00 Z', 6)).toEqual({ value: 0n, offsetSeconds: 0 });
  });

  it.each([
    '',
    'x',
    '2020-00-01',
    '2020-01-32',
    '2020-1-1',
    '20200101',
    '2020-01-01T',
    '2020-01-01T1:00',
    '2020-01-01T00:00:60',
    '2020-01-01T00:00:00+1:00',
    '2020-01-01T00:00:00+25',
    '2020-01-01Z',
  ])('refuse %j', (text) => {
    expect(parseTimestamp(text, 6)).toBeUndefined();
  });
});

describe('decimals', () => {
  it('survive their text at every scale', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), fc.nat(38), (unscaled, scale) => {
        const text = formatDecimal(unscaled, scale);
        expect(parseDecimal(text, scale)).toBe(unscaled);
        expect(text.split('.')[1]?.length ?? 0).toBe(scale);
        // The same number in scientific notation.
        expect(parseDecimal(`${unscaled}e-${scale}`, scale)).toBe(unscaled);
      }),
    );
  });

  it.each(['', '-', '.', 'e5', '1e', '1,5', ' 1', '1_0', '0x10', 'NaN', `1e1001`, '1'.repeat(2000)])(
    'refuse %j',
    (text) => {
      expect(parseDecimal(text, 2)).toBeUndefined();
    },
  );
});
