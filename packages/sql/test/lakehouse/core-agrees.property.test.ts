import fc from 'fast-check';
import { partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { openWarehouse } from '../support.ts';

// Core's own scan and SQL give the same rows for the same filter, whatever the host's time zone. The suite itself runs
// in the zone of the environment; these change it, as a process started elsewhere would have it.

const { lake, catalog } = await openWarehouse();
let table: Table;

beforeAll(async () => {
  table = await catalog.createTable('ns.rows', {
    schema: schema({
      id: t.long().required(),
      n: t.int(),
      x: t.double(),
      s: t.string(),
      d: t.date(),
      ts: t.timestamp(),
      tz: t.timestamptz(),
      b: t.boolean(),
      dec: t.decimal(10, 2),
      u: t.uuid(),
    }),
    partitionBy: [partitionBy.day('tz'), partitionBy.truncate(2, 's')],
  });
  const cell = (i: number, of: number): boolean => (i * 7919) % 13 === of;
  const rows = Array.from({ length: 160 }, (_, i) => ({
    id: BigInt(i),
    n: cell(i, 0) ? null : (i % 17) - 8,
    x: cell(i, 1) ? null : [Number.NaN, -0, 0, 1.5, Number.POSITIVE_INFINITY, -2.25][i % 6]!,
    s: cell(i, 2) ? null : ['', 'a', 'ab', 'abc', 'b', 'é', '😀x'][i % 7]!,
    d: cell(i, 3) ? null : new Date(Date.UTC(2024, 2, 29 + (i % 5))).toISOString().slice(0, 10),
    ts: cell(i, 4) ? null : new Date(Date.UTC(2024, 2, 30, i % 48, 30)).toISOString().slice(0, 19),
    tz: cell(i, 5) ? null : new Date(Date.UTC(2024, 2, 30, i % 48, 30)).toISOString(),
    b: cell(i, 6) ? null : i % 2 === 0,
    dec: cell(i, 7) ? null : `${(i % 9) - 4}.25`,
    u: cell(i, 8) ? null : `0000000${i % 5}-0000-4000-8000-00000000000${i % 3}`,
  }));
  for (let start = 0; start < rows.length; start += 40) await table.append(rows.slice(start, start + 40));
});

const op = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const compare = (column: string, ...values: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(op, fc.constantFrom(...values)).map(([sign, value]) => `${column} ${sign} ${value}`);
const predicate = fc.oneof(
  compare('n', '-8', '0', '3', '100'),
  compare('x', '0', '1.5', '-2.25', '1e10'),
  compare('s', "''", "'a'", "'abc'", "'é'", "'😀'"),
  compare('d', "'2024-02-29'", "'2024-03-31'", "'2024-04-01'"),
  compare('ts', "'2024-03-30T02:30:00'", "'2024-03-31T03:00:00'", "'2024-03-31'"),
  compare('tz', "'2024-03-30T02:30:00Z'", "'2024-03-31T01:00:00+01:00'", "'2024-03-31T23:30:00Z'"),
  compare('dec', '0.25', '-3.25', '4'),
  compare('u', "'00000001-0000-4000-8000-000000000001'"),
  fc.constantFrom(
    'b = true',
    'b != true',
    'n IS NULL',
    'x IS NOT NULL',
    "s IN ('a', 'é')",
    'n NOT IN (1, 2)',
    "s LIKE 'ab%'",
    "NOT s LIKE 'a%'",
    'tz IS NULL',
  ),
);
const filter: fc.Arbitrary<string> = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    predicate,
    fc.tuple(tie('filter'), fc.constantFrom('AND', 'OR'), tie('filter')).map((parts) => `(${parts.join(' ')})`),
    tie('filter').map((inner) => `NOT (${inner})`),
  ),
})).filter;

describe.each(['America/St_Johns', 'Asia/Kathmandu', 'Pacific/Chatham', 'UTC'])('in %s', (zone) => {
  beforeAll(() => {
    process.env['TZ'] = zone;
    return () => {
      process.env['TZ'] = 'America/St_Johns';
    };
  });

  test('SQL and the scan agree', async () => {
    await fc.assert(
      fc.asyncProperty(filter, async (where) => {
        const result = await lake.sql(`SELECT * FROM ns.rows WHERE ${where} ORDER BY id`);
        const scanned = await table.scan({ filter: where }).toRows();
        scanned.sort((a, b) => Number((a['id'] as bigint) - (b['id'] as bigint)));
        expect(await result.rows(), where).toEqual(scanned);
      }),
      { numRuns: runs(15) },
    );
  });
});
