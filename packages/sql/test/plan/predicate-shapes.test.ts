import { readFile, writeFile } from 'node:fs/promises';
import { partitionBy, schema, t } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';
import type { Warehouse } from '../support.ts';
import { SHAPES } from './predicate-shapes.ts';
import type { PredicateShape } from './predicate-shapes.ts';

// The catalogue of docs/pruning.md: for each shape of a query the right rows, from the fewest files that have them, or
// from more for a reason that is given. With LH_WRITE_DOCS=1 the tables of the page are written anew.

const FILES = 24;
const ROWS = 10;
const DOCS = new URL('../../../../docs/pruning.md', import.meta.url);

let warehouse: Warehouse;
/** Lines of the tables, by the titles of groups. */
const lines = new Map<string, string[]>();

const shape = schema({
  id: t.long().required(),
  n: t.int(),
  d: t.date(),
  ts: t.timestamp(),
  tz: t.timestamptz(),
  amount: t.decimal(9, 2),
  x: t.double(),
  f: t.float(),
  city: t.string(),
  flag: t.boolean(),
  u: t.uuid(),
  bin: t.binary(),
  st: t.struct({ a: t.int(), s: t.string() }),
});

/** Each file has the rows of ten hours of one day: four days in each of six months. */
function rowsOf(file: number): readonly object[] {
  const two = (value: number): string => String(value).padStart(2, '0');
  const [month, day] = [Math.floor(file / 4), 3 + (file % 4) * 7];
  return Array.from({ length: ROWS }, (_, row) => {
    const id = file * ROWS + row;
    const time = new Date(Date.UTC(2023, 9 + month, day, row + 6)).toISOString();
    return {
      id: BigInt(id),
      n: file === 5 || (file === 6 && row < 5) ? null : file,
      d: time.slice(0, 10),
      ts: time.slice(0, -1),
      tz: time,
      amount: `${id / 10 + file * 9}`,
      x: file === 20 && row === 3 ? Number.NaN : file + row / 10,
      f: Math.fround(file + row / 10),
      city: `${String.fromCharCode(97 + file)}${two(file)}-${row}`,
      flag: file >= 12,
      u: `${file.toString(16).padStart(2, '0')}000000-0000-4000-8000-${String(row).padStart(12, '0')}`,
      bin: Uint8Array.of(file, row),
      st: { a: file, s: `s${two(file)}` },
    };
  });
}

beforeAll(async () => {
  warehouse = await openWarehouse();
  const { catalog, lake } = warehouse;
  const events = await catalog.createTable('ns.events', { schema: shape, partitionBy: [partitionBy.month('ts')] });
  for (let file = 0; file < FILES; file++) await events.append(rowsOf(file));
  const days = await catalog.createTable('ns.days', {
    schema: schema({ day: t.date(), name: t.string(), holiday: t.boolean() }),
  });
  const all = Array.from({ length: FILES }, (_, file) => (rowsOf(file)[0] as { d: string }).d);
  await days.append(all.map((day, i) => ({ day, name: `Day ${i}`, holiday: i % 10 === 3 })));
  await lake.sql('CREATE TEMP TABLE events AS SELECT *, _file AS file FROM ns.events');
  await lake.sql('CREATE TEMP TABLE days AS SELECT * FROM ns.days');
}, 120_000);

function isQuery({ sql }: PredicateShape): boolean {
  return /^(?:SELECT|WITH)\b/.test(sql);
}

function queryOver(one: PredicateShape, events: string, days: string): string {
  if (!isQuery(one)) return `SELECT id FROM ${events} WHERE ${one.sql}`;
  return one.sql.replaceAll('{events}', events).replaceAll('{days}', days);
}

function sorted(rows: readonly unknown[]): readonly string[] {
  return rows
    .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))
    .toSorted();
}

async function fewest(one: PredicateShape): Promise<number> {
  if (typeof one.about === 'number') return one.about;
  const where = one.about ?? one.sql;
  const result = await warehouse.lake.sql(`SELECT count(DISTINCT file) AS files FROM events WHERE ${where}`);
  return Number((await result.rows())[0]!['files']);
}

function shown({ sql, timeZone, parameters }: PredicateShape): string {
  const text = sql.replaceAll(/[{}]/g, '').replaceAll('|', '\\|');
  const more = [...(timeZone ? [`in ${timeZone}`] : []), ...(parameters ? [`with ${parameters.join(', ')}`] : [])];
  return `\`${text}\`${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
}

describe.each(SHAPES)('$title', ({ title, shapes }) => {
  test.each(shapes)('$sql $timeZone', async (one) => {
    const { lake } = warehouse;
    await lake.sql(`SET TimeZone = '${one.timeZone ?? 'UTC'}'`);
    const parameters = one.parameters?.map(Number);
    const result = await lake.sql(queryOver(one, 'ns.events', 'ns.days'), parameters);
    const rows = await result.rows();
    const expected = await lake.sql(queryOver(one, 'events', 'days'), parameters);
    expect(sorted(rows)).toEqual(sorted(await expected.rows()));
    const scanned = result.scans
      .filter(({ table }) => table === 'ns.events')
      .reduce((sum, { filesScanned }) => sum + filesScanned, 0);
    const least = await fewest(one);
    lines.set(title, [...(lines.get(title) ?? []), `| ${shown(one)} | ${scanned} | ${least} | ${one.because ?? ''} |`]);
    if (one.because === undefined) expect(scanned).toBe(least);
    else expect(scanned).toBeGreaterThan(least);
  });
});

const [BEGIN, END] = ['<!-- catalogue -->', '<!-- end of the catalogue -->'];

test('docs/pruning.md has the catalogue', async () => {
  const tables = SHAPES.map(({ title }) =>
    [
      `### ${title}`,
      '',
      '| query | files read | fewest | why more |',
      '| --- | --- | --- | --- |',
      ...(lines.get(title) ?? []),
    ].join('\n'),
  );
  const page = await readFile(DOCS, 'utf8');
  const [before, , after] = page.split(/<!-- catalogue -->|<!-- end of the catalogue -->/);
  const expected = `${before}${BEGIN}\n\n${tables.join('\n\n')}\n\n${END}${after}`;
  if (process.env['LH_WRITE_DOCS'] === '1') await writeFile(DOCS, expected);
  else expect(page).toBe(expected);
});
