import { partitionBy, schema, t } from '@lh/core';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { openWarehouse } from '../support.ts';

const { lake, catalog } = await openWarehouse();

beforeAll(async () => {
  const table = await catalog.createTable('ns.t', {
    schema: schema({ id: t.long(), day: t.date(), v: t.double(), s: t.struct({ a: t.int(), A: t.string() }) }),
    partitionBy: [partitionBy.identity('day')],
    properties: { 'write.metadata.metrics.default': 'full' },
  });
  for (let n = 0; n < 4; n++) {
    const added = [0, 1, 2].map((i) => ({
      id: BigInt(n * 10 + i),
      day: i === 2 ? null : `2024-01-0${n + 1}`,
      v: i === 1 ? Number.NaN : n,
      s: { a: n, A: `text ${i}` },
    }));
    await table.append(added);
  }
  await table.updateSpec((spec) => spec.add(partitionBy.truncate(5, 's.A')));
  await table.append([{ id: 99n, day: '2024-02-01', v: -0, s: null }]);
  for (const name of ['files', 'entries']) await lake.sql(`CREATE TEMP TABLE ${name} AS FROM ns.t.${name}`);
});

const files = {
  table: 'files',
  scalars: [
    'x.content',
    'x.file_path',
    'x.record_count',
    'x.spec_id',
    'x.partition.day',
    'x.partition',
    'x.readable_metrics.id.lower_bound',
    'x.readable_metrics.v.upper_bound',
    'x.readable_metrics."s.A".lower_bound',
    'x.readable_metrics.id',
    'len(map_keys(x.value_counts))',
    'x.lower_bounds',
    "struct_extract(x.partition, 'day') IS NULL",
  ],
  conditions: [
    "x.partition.day = DATE '2024-01-02'",
    'x.partition.day IS NULL',
    "x.partition.day BETWEEN DATE '2024-01-02' AND DATE '2024-01-03'",
    'x.record_count = 1 AND x.content = 0',
    'x.readable_metrics.id.lower_bound > 10',
    'x.readable_metrics.v.upper_bound >= 1.0',
    'x.readable_metrics.v.nan_value_count = 1',
    // Names that differ in case only are told apart by a number.
    `x.readable_metrics."s.A".lower_bound = 'text 0'`,
    'x.readable_metrics."s.a_1".upper_bound >= 2',
    "x.file_path LIKE '%day=2024-01%'",
    'x.spec_id IN (0, 1)',
    'x.equality_ids IS NULL',
    'x.partition IS NOT NULL',
    'x.readable_metrics.id.lower_bound = x.readable_metrics.id.upper_bound',
  ],
};

const entries = {
  table: 'entries',
  scalars: [
    'x.status',
    'x.snapshot_id',
    'x.data_file.file_path',
    'x.data_file.partition.day',
    'x.data_file.record_count + x.sequence_number',
    'x.data_file',
    'x.readable_metrics.id.value_count',
  ],
  conditions: [
    'x.status < 2',
    "x.data_file.partition.day > DATE '2024-01-02'",
    'x.data_file.record_count = 1',
    'x.sequence_number BETWEEN 2 AND 4',
    'x.data_file.spec_id = 0 OR x.status = 0',
  ],
};

/** Queries over `$x`, which stands for the metadata table or for a copy of it. */
const query = fc.constantFrom(files, entries).chain(({ table, scalars, conditions }) =>
  fc
    .record({
      columns: fc.subarray(scalars, { minLength: 1, maxLength: 3 }),
      where: fc.subarray(conditions, { maxLength: 2 }),
      or: fc.boolean(),
      shape: fc.constantFrom<(list: string, where: string, first: string) => string>(
        (list, where) => `SELECT ${list} FROM $x AS x ${where}`,
        (list, where) => `SELECT DISTINCT ${list} FROM $x AS x ${where}`,
        (list, where) => `SELECT ${list}, count(*) FROM $x AS x ${where} GROUP BY ALL`,
        (list, where) => `SELECT count(*), max(content) FROM (SELECT ${list}, 1 AS content FROM $x AS x ${where})`,
        (list, where) => `SELECT ${list} FROM (SELECT * FROM $x AS x ${where}) AS x`,
        (list, where) => `SELECT ${list} FROM $x AS x JOIN (SELECT 1 AS one) ON one = 1 ${where}`,
        (list, where) => `SELECT ${list}, s.operation FROM ns.t.snapshots AS s JOIN $x AS x ON true ${where}`,
        (list, where, first) =>
          `SELECT ${list} FROM ns.t.snapshots AS s LEFT JOIN $x AS x ON hash(${first}) % 7 < s.snapshot_id % 7 ${where}`,
        (list, where, first) =>
          `SELECT ${list} FROM $x AS x JOIN (SELECT * FROM $x AS x) AS y ON (${first}) = (${first.replaceAll('x.', 'y.')}) ${where}`,
        (list, where) =>
          `SELECT ${list} FROM $x AS x ${where === '' ? 'WHERE' : `${where} AND`} EXISTS (FROM ns.t.refs)`,
        (list, where) => `WITH x AS (FROM $x AS x ${where}) SELECT ${list} FROM x UNION ALL SELECT ${list} FROM x`,
        (list, where) => `SELECT ${list} FROM $x AS x ${where} ORDER BY ALL`,
      ),
    })
    .map(({ columns, where, or, shape }) => {
      const condition = where.map((one) => `(${one})`).join(or ? ' OR ' : ' AND ');
      return { table, sql: shape(columns.join(', '), condition === '' ? '' : `WHERE ${condition}`, columns[0]!) };
    }),
);

async function rows(sql: string): Promise<readonly string[]> {
  const found = await (await lake.sql(sql)).rows();
  return found.map((row) => JSON.stringify(row, (_, value: unknown) => shown(value))).toSorted();
}

function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value instanceof Map ? [...value] : value;
}

test('a query gives the same of a metadata table as of a copy of all of it', async () => {
  await fc.assert(
    fc.asyncProperty(query, async ({ table, sql }) => {
      const expected = await rows(sql.replaceAll('$x', table));
      expect(await rows(sql.replaceAll('$x', `ns.t.${table}`))).toEqual(expected);
    }),
    { numRuns: runs(60) },
  );
});
