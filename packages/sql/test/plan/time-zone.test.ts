import { expect, test } from 'vitest';
import { TimeZone } from '../../src/plan/time-zone.ts';

const HOUR = 3_600_000_000n;

function micros(text: string): bigint {
  return BigInt(Date.parse(text)) * 1000n;
}

test('UTC has no offset', () => {
  for (const name of ['UTC', 'Etc/UTC', 'GMT', 'Zulu']) {
    expect(new TimeZone(name).offsetsAround(micros('2024-06-01T00:00:00Z'))).toEqual({ least: 0n, most: 0n });
  }
});

test('around a change of the clocks both offsets count, and an hour for rules that differ', () => {
  const berlin = new TimeZone('Europe/Berlin');
  expect(berlin.offsetsAround(micros('2024-01-15T00:00:00Z'))).toEqual({ least: 0n, most: 2n * HOUR });
  expect(berlin.offsetsAround(micros('2024-03-31T00:00:00Z'))).toEqual({ least: 0n, most: 3n * HOUR });
});

test('days that a zone has left out are in between', () => {
  const { least, most } = new TimeZone('Pacific/Apia').offsetsAround(micros('2011-12-30T10:00:00Z'));
  expect(least).toBeLessThanOrEqual(-10n * HOUR);
  expect(most).toBeGreaterThanOrEqual(14n * HOUR);
});

test('where nothing is known, all offsets that there are may be', () => {
  const furthest = { least: -16n * HOUR, most: 16n * HOUR };
  expect(new TimeZone('Nowhere/Land').offsetsAround(0n)).toEqual(furthest);
  expect(new TimeZone('Europe/Berlin').offsetsAround(micros('1500-01-01T00:00:00Z'))).toEqual(furthest);
});
