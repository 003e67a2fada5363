import { expect, test } from 'vitest';
import { toEpochMs } from '../../src/transaction/time-input.ts';

test('dates, milliseconds and ISO text mean the same, in UTC unless they have a zone', () => {
  const expected = Date.UTC(2024, 1, 29, 12, 30, 0, 250);
  expect(toEpochMs(new Date(expected), 'asOf')).toBe(expected);
  expect(toEpochMs(expected, 'asOf')).toBe(expected);
  expect(toEpochMs('2024-02-29T12:30:00.250', 'asOf')).toBe(expected);
  expect(toEpochMs('2024-02-29 12:30:00.250999Z', 'asOf')).toBe(expected);
  expect(toEpochMs('2024-02-29T14:30:00.25+02:00', 'asOf')).toBe(expected);
  expect(toEpochMs('2024-02-29', 'asOf')).toBe(Date.UTC(2024, 1, 29));
  expect(toEpochMs('1969-12-31T23:59:59.9995', 'asOf')).toBe(-1);
});

test('what is not a time is refused by name', () => {
  for (const input of ['yesterday', '2024-02-30', Number.NaN, new Date(Number.NaN), 1e300]) {
    expect(() => toEpochMs(input, 'asOf')).toThrowError(/^asOf must be/);
  }
});
