import fc from 'fast-check';
import { partitionBy, schema, t } from '@lh/core';
import type { FormatVersion, PartitionFieldInput, RowLevelMode, Table } from '@lh/core';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { openWarehouse } from '../../support.ts';

// Random UPDATE, DELETE and MERGE INTO do to an Iceberg table what they do to a table of DuckDB's own.

const { lake, catalog } = await openWarehouse();
const ICEBERG = 'ns.t';
const PLAIN = 'plain';

const shape = schema({
  id: t.long().required(),
  n: t.int(),
  x: t.double(),
  s: t.string(),
  d: t.date(),
  money: t.decimal(9, 2),
  st: t.struct({ a: t.int(), b: t.string() }),
  tags: t.list(t.string()),
});
const DUCKDB =
  'id BIGINT, n INTEGER, x DOUBLE, s VARCHAR, d DATE, money DECIMAL(9, 2), st STRUCT(a INTEGER, b VARCHAR), tags VARCHAR[]';

interface RowValues {
  readonly n: number | null;
  readonly x: number | null;
  readonly s: string | null;
  readonly d: string | null;
  readonly money: string | null;
  readonly st: { readonly a: number | null; readonly b: string | null } | null;
  readonly tags: readonly (string | null)[] | null;
}

const text = fc.constantFrom('', 'a', 'b', "it's", 'é"x');
const values: fc.Arbitrary<RowValues> = fc.record({
  n: fc.option(fc.integer({ min: -3, max: 3 })),
  x: fc.option(fc.constantFrom(0, 1.5, -2, Number.NaN, Number.POSITIVE_INFINITY)),
  s: fc.option(text),
  d: fc.option(fc.constantFrom('2024-02-29', '2024-03-01', '1969-12-31')),
  money: fc.option(fc.constantFrom('0.01', '-12.50', '9999999.99')),
  st: fc.option(fc.record({ a: fc.option(fc.integer({ min: 0, max: 2 })), b: fc.option(text) })),
  tags: fc.option(fc.array(fc.option(text), { maxLength: 2 })),
});

const partitionFields: readonly PartitionFieldInput[] = [
  partitionBy.bucket(2, 'id'),
  partitionBy.truncate(1, 's'),
  partitionBy.month('d'),
  partitionBy.identity('n'),
];
const partitioning = fc.subarray([...partitionFields], { maxLength: 2 });

/** Of a table called `t` in the statement. */
const condition: fc.Arbitrary<string> = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(
      't.id < 3',
      't.id % 2 = 0',
      't.n = 1',
      't.n IS NULL',
      't.x > 0',
      "t.s LIKE 'a%'",
      "t.s <> 'b'",
      "t.d >= DATE '2024-03-01'",
      'month(t.d) = 2',
      't.money < 1',
      't.st.a = 1',
      't.st IS NULL',
      "list_contains(t.tags, 'a')",
      't.n IN (SELECT m FROM src)',
      't.id = (SELECT max(id) FROM TARGET)',
      'EXISTS (SELECT 1 FROM src WHERE src.k = t.id AND src.m IS NOT NULL)',
      't.n IS DISTINCT FROM 2',
      "CASE WHEN t.n > 0 THEN t.s = 'a' ELSE t.id > 2 END",
      'true',
      'false',
    ),
    fc.tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition')).map((parts) => `(${parts.join(' ')})`),
    tie('condition').map((inner) => `NOT (${inner})`),
  ),
})).condition;

const assignment = fc.oneof(
  fc.constantFrom('n = coalesce(t.n, 0) + 1', 'n = NULL', 'n = DEFAULT', 'n = (SELECT min(m) FROM src)'),
  fc.constantFrom("s = upper(t.s) || 'z'", 's = CASE WHEN t.n > 0 THEN t.s END', "s = concat(t.st.b, ',')"),
  fc.constantFrom('d = t.d + 40', "d = '2024-05-05'"),
  fc.constantFrom('money = t.money / 3', 'money = 7'),
  fc.constantFrom('x = t.x * 2', "x = 'NaN'"),
  fc.constantFrom('st = struct_pack(a := t.n, b := t.s)', 'st = NULL'),
  fc.constantFrom("tags = list_append(t.tags, 'q')", 'tags = []'),
  fc.constantFrom('id = t.id + 100'),
);
const set = fc
  .array(assignment, { minLength: 1, maxLength: 3 })
  .map((all) => [...new Map(all.map((one) => [one.split(' ')[0]!, one])).values()].join(', '));

/** A value that MERGE takes of its source, too. */
const mergedSet = fc.oneof(set, fc.constantFrom('s = src.v', 'n = src.m, s = t.s || src.v', '(n, s) = (src.m, src.v)'));
const insert = fc.constantFrom(
  '(id, n, s) VALUES (src.k, src.m, src.v)',
  '(s, id) VALUES (v, k)',
  "(id, money, d) VALUES (k + 50, DEFAULT, DATE '2024-02-01')",
);
const sourceCondition = fc.option(fc.constantFrom('src.m > 0', 'k < 4', "v = 'a'"));
const and = (one: string | null): string => (one === null ? '' : ` AND ${one}`);
const clause = fc.oneof(
  fc
    .tuple(
      fc.option(condition),
      fc.oneof(
        mergedSet.map((one) => `UPDATE SET ${one}`),
        fc.constantFrom('DELETE', 'DO NOTHING'),
      ),
    )
    .map(([own, action]) => `WHEN MATCHED${and(own)} THEN ${action}`),
  fc.tuple(sourceCondition, insert).map(([own, row]) => `WHEN NOT MATCHED${and(own)} THEN INSERT ${row}`),
  fc
    .tuple(
      fc.option(condition),
      fc.oneof(
        set.map((one) => `UPDATE SET ${one}`),
        fc.constant('DELETE'),
      ),
    )
    .map(([own, action]) => `WHEN NOT MATCHED BY SOURCE${and(own)} THEN ${action}`),
);

/** Conditions that core understands as well, which may show that files are deleted as a whole. */
const plainCondition = fc
  .array(
    fc.constantFrom(
      'id < 3',
      'id IN (0, 2, 4)',
      'n = 1',
      'n IS NULL',
      'n <> 2',
      'n NOT IN (0, 1)',
      "s LIKE 'a%'",
      "s < 'b'",
      "NOT s = 'a'",
      "d < '2024-03-01'",
      'd IS NOT NULL',
      '(n > 0 OR d IS NULL)',
    ),
    { minLength: 1, maxLength: 2 },
  )
  .map((all) => all.join(' AND '));

/** No clause follows one of its kind that has no condition. */
function reachable(clauses: readonly string[]): readonly string[] {
  const kindOf = (one: string): string => /^WHEN (.*?)(?: AND| THEN)/.exec(one)![1]!;
  const isLast = (one: string): boolean => !one.startsWith(`WHEN ${kindOf(one)} AND`);
  return clauses.filter(
    (one, i) => !clauses.slice(0, i).some((other) => kindOf(other) === kindOf(one) && isLast(other)),
  );
}

const statement = fc.oneof(
  plainCondition.map((own) => `DELETE FROM TARGET WHERE ${own}`),
  fc.option(condition).map((own) => `DELETE FROM TARGET AS t${own === null ? '' : ` WHERE ${own}`}`),
  condition.map((own) => `DELETE FROM TARGET t USING src WHERE src.k = t.id AND ${own}`),
  fc
    .tuple(set, fc.option(condition))
    .map(([all, own]) => `UPDATE TARGET AS t SET ${all}${own === null ? '' : ` WHERE ${own}`}`),
  condition.map((own) => `UPDATE TARGET AS t SET n = src.m, s = t.s || src.v FROM src WHERE src.k = t.id AND ${own}`),
  fc
    .tuple(
      fc.constantFrom('t.id = src.k', 't.id = src.k AND t.n IS NOT NULL', 'src.k = t.id + 1'),
      fc.array(clause, { minLength: 1, maxLength: 3 }),
    )
    .map(([on, clauses]) => `MERGE INTO TARGET AS t USING src ON ${on} ${reachable(clauses).join(' ')}`),
);

/** What is done to the table before, or beside: all of it changes how files look, and not what is in them. */
const step = fc.oneof(
  { weight: 4, arbitrary: statement.map((sql) => ({ kind: 'sql' as const, sql })) },
  { weight: 1, arbitrary: partitioning.map((fields) => ({ kind: 'spec' as const, fields })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
  {
    weight: 1,
    arbitrary: fc.array(values, { minLength: 1, maxLength: 4 }).map((rows) => ({ kind: 'append' as const, rows })),
  },
);

const layout = fc.constantFrom<readonly [FormatVersion, RowLevelMode]>(
  [1, 'copy-on-write'],
  [2, 'copy-on-write'],
  [2, 'merge-on-read'],
  [3, 'copy-on-write'],
  [3, 'merge-on-read'],
);
const sourceRows = fc.uniqueArray(
  fc.record({ k: fc.integer({ min: 0, max: 8 }), m: fc.option(fc.integer({ min: -1, max: 2 })), v: fc.option(text) }),
  { selector: ({ k }) => k, maxLength: 5 },
);

async function write(table: Table, first: number, rows: readonly RowValues[]): Promise<number> {
  const numbered = rows.map((row, i) => ({ id: BigInt(first + i), ...row }));
  await table.append(numbered);
  await lake.connection.run(`INSERT INTO ${PLAIN} ${rowsSql(numbered)}`);
  return first + rows.length;
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return `'${Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : 'inf'}'`;
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  const { a, b } = value as { a: unknown; b: unknown };
  return `struct_pack(a := CAST(${literal(a)} AS INTEGER), b := CAST(${literal(b)} AS VARCHAR))`;
}

const TYPES = [
  'BIGINT',
  'INTEGER',
  'DOUBLE',
  'VARCHAR',
  'DATE',
  'DECIMAL(9, 2)',
  'STRUCT(a INTEGER, b VARCHAR)',
  'VARCHAR[]',
];

function rowsSql(rows: readonly (RowValues & { readonly id: bigint })[]): string {
  const select = rows.map(
    ({ id, n, x, s, d, money, st, tags }) =>
      `SELECT ${[id, n, x, s, d, money, st, tags].map((value, i) => `CAST(${literal(value)} AS ${TYPES[i]!})`).join(', ')}`,
  );
  return select.join(' UNION ALL ');
}

async function contents(name: string): Promise<readonly string[]> {
  // NaN and the order of rows say nothing.
  const rows = await (await lake.sql(`SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ${name}`)).rows();
  return rows.map((row) => JSON.stringify(row)).toSorted();
}

test('random changes of rows are those that DuckDB makes', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      layout,
      partitioning,
      fc.array(fc.array(values, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
      sourceRows,
      fc.array(step, { minLength: 2, maxLength: 6 }),
      async ([formatVersion, mode], fields, batches, source, steps) => {
        await catalog.dropTable(ICEBERG, { purge: true }).catch(() => undefined);
        const table = await catalog.createTable(ICEBERG, {
          schema: shape,
          formatVersion,
          partitionBy: fields,
          properties: { 'write.update.mode': mode, 'write.delete.mode': mode, 'write.merge.mode': mode },
        });
        await lake.connection.run(`CREATE OR REPLACE TEMP TABLE ${PLAIN} (${DUCKDB})`);
        await lake.connection.run(`CREATE OR REPLACE TEMP TABLE src (k BIGINT, m INTEGER, v VARCHAR)`);
        for (const { k, m, v } of source)
          await lake.connection.run(`INSERT INTO src VALUES (${k}, ${literal(m)}, ${literal(v)})`);
        let next = 0;
        for (const batch of batches) next = await write(table, next, batch);
        for (const one of steps) {
          await table.refresh();
          if (one.kind === 'append') next = await write(table, next, one.rows);
          else if (one.kind === 'compact') await table.rewriteDataFiles({ minInputFiles: 1, rewriteAll: true });
          else if (one.kind === 'spec')
            await table.updateSpec((spec) => {
              for (const field of table.spec.fields) if (field.transform.kind !== 'void') spec.remove(field.name);
              for (const field of one.fields) spec.add(field);
            });
          else await same(one.sql);
          expect(await contents(ICEBERG)).toEqual(await contents(PLAIN));
        }
      },
    ),
    { numRuns: runs(15) },
  );
});

/** Runs a statement on both; what DuckDB refuses must be refused. */
async function same(sql: string): Promise<void> {
  const plain = await lake.connection
    .runAndReadAll(sql.replaceAll('TARGET', PLAIN))
    .then((reader) => reader.rowsChanged)
    .catch((error: unknown) => error as Error);
  const before = (await catalog.loadTable(ICEBERG)).currentSnapshot()?.snapshotId;
  const result = await lake.sql(sql.replaceAll('TARGET', ICEBERG)).catch((error: unknown) => error as Error);
  if (plain instanceof Error || result instanceof Error) {
    expect(result, `${sql}: DuckDB says ${String(plain)}`).toBeInstanceOf(Error);
    expect(plain, `${sql}: ${String(result)}`).toBeInstanceOf(Error);
    return;
  }
  expect(result.rowCount, sql).toBe(plain);
  const after = (await catalog.loadTable(ICEBERG)).currentSnapshot()?.snapshotId;
  expect(result.snapshotId === null ? before : result.snapshotId, sql).toBe(after);
}
