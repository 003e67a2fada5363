import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, printTable } from '../../src/results/print-table.ts';

const columns = ['id', 'name', 'a longer title', 'n', 'last'].map((name, i) => ({ name, isNumeric: i % 3 === 0 }));
const rows = [
  [1, 'Seoul', null, 2n, [1, 'x']],
  [-20, '서울', { a: 'it is', b: null }, 30_000n, new Map([['k', new Uint8Array([1, 255])]])],
];

test('everything is shown where there is room: numbers to the right, nested values on one line', () => {
  expect(printTable(columns, rows, '2 rows', { width: 100 }).split('\n')).toEqual([
    '┌─────┬───────┬───────────────────────┬───────┬──────────────┐',
    '│ id  │ name  │ a longer title        │ n     │ last         │',
    '├─────┼───────┼───────────────────────┼───────┼──────────────┤',
    "│   1 │ Seoul │ NULL                  │     2 │ [1, 'x']     │",
    "│ -20 │ 서울  │ {a: 'it is', b: NULL} │ 30000 │ {'k'=0x01ff} │",
    '└─────┴───────┴───────────────────────┴───────┴──────────────┘',
    '2 rows',
  ]);
});

test('a table that is too wide shows its first and last columns, and says so', () => {
  const lines = printTable(columns, rows, '2 rows', { width: 40 }).split('\n');
  expect(lines[1]).toMatch(/^│ id {2}│ name {2}│ … │ last {9}│$/);
  expect(lines.at(-1)).toBe('2 rows, 3 of 5 columns shown');
  expect(printTable(columns, rows, '2 rows', { width: 1 }).split('\n')[1]).toBe('│ id  │ … │');
});

test('all lines are of one width, and no wider than wanted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 24, max: 90 }),
      (names, width) => {
        const text = printTable(
          names.map((name) => ({ name, isNumeric: false })),
          [names, names.map((name) => `${name}\n`)],
          'some rows',
          { width, maxWidth: 16 },
        );
        const widths = new Set(text.split('\n').slice(0, -1).map(displayWidth));
        expect(widths.size).toBe(1);
        expect([...widths][0]).toBeLessThanOrEqual(Math.max(width, 24));
      },
    ),
  );
});
