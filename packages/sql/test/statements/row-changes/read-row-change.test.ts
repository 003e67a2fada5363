import { describe, expect, test } from 'vitest';
import { readRowChange, verbIndex } from '../../../src/statements/row-changes/read-row-change.ts';
import type { RowChangeStatement } from '../../../src/statements/row-changes/read-row-change.ts';
import type { StatementText } from '../../../src/statements/statement-text.ts';
import { tokenize } from '../../../src/text/tokens.ts';

function textOf(sql: string): StatementText {
  return { sql, tokens: tokenize(sql), source: sql, toSource: (offset) => offset };
}

function read(sql: string): RowChangeStatement {
  const text = textOf(sql);
  return readRowChange(text, verbIndex(text.tokens)!);
}

const value = (sql: string): unknown => ({ kind: 'expression', sql });

test('a DELETE has a table, others, and a condition', () => {
  expect(read('DELETE FROM web.t')).toEqual({
    kind: 'delete',
    with: '',
    target: { parts: ['web', 't'], sql: 'web.t', qualifier: 'web.t' },
    using: null,
    where: null,
  });
  expect(read('delete from "a b".t AS x USING s, (SELECT 1 WHERE true) q WHERE x.id = s.id AND (q.z)')).toMatchObject({
    target: { parts: ['a b', 't'], sql: '"a b".t AS "x"', qualifier: '"x"' },
    using: 's, (SELECT 1 WHERE true) q',
    where: 'x.id = s.id AND (q.z)',
  });
});

test('an UPDATE ends its values where its own words begin, and not inside an expression', () => {
  expect(
    read(
      'UPDATE t x SET a = b IS DISTINCT FROM c, s.f = DEFAULT, d = CASE WHEN 1 = 1 THEN x."from" END FROM o WHERE true',
    ),
  ).toMatchObject({
    target: { sql: 't AS "x"' },
    set: [
      { path: ['a'], value: value('b IS DISTINCT FROM c') },
      { path: ['s', 'f'], value: { kind: 'default' } },
      { path: ['d'], value: value('CASE WHEN 1 = 1 THEN x."from" END') },
    ],
    from: 'o',
    where: 'true',
  });
  expect(read("UPDATE t SET a = 'x, y FROM z' -- FROM o\n, b = f(1, 2)")).toMatchObject({
    set: [{ value: value("'x, y FROM z'") }, { value: value('f(1, 2)') }],
    from: null,
  });
});

test('several columns take the values of a list, of a row, or of a query', () => {
  expect(read('UPDATE t SET (a, b) = (1, DEFAULT), c = 2')).toMatchObject({
    set: [
      { path: ['a'], value: value('1') },
      { path: ['b'], value: { kind: 'default' } },
      { path: ['c'], value: value('2') },
    ],
  });
  expect(read('UPDATE t SET (a, b) = (SELECT x, y FROM s WHERE s.id = t.id) WHERE a > 1')).toMatchObject({
    set: [
      { path: ['a'], value: { kind: 'part', isQuery: true, index: 0, of: 2 } },
      { path: ['b'], value: { kind: 'part', row: '(SELECT x, y FROM s WHERE s.id = t.id)', index: 1 } },
    ],
    where: 'a > 1',
  });
});

describe('MERGE INTO', () => {
  test('takes the forms of the standard, of Spark and of DuckDB', () => {
    const merge = read(`WITH q AS (SELECT 1 AS id)
      MERGE INTO t USING q AS s ON t.id = s.id
      WHEN MATCHED AND CASE WHEN s.gone THEN true END THEN DELETE
      WHEN MATCHED THEN UPDATE SET v = CASE WHEN s.v THEN 1 ELSE 2 END, w = s.w
      WHEN NOT MATCHED BY TARGET AND s.id > 0 THEN INSERT (id, v) VALUES (s.id, DEFAULT)
      WHEN NOT MATCHED THEN INSERT *
      WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = NULL`);
    expect(merge).toMatchObject({
      with: 'WITH q AS (SELECT 1 AS id)\n      ',
      source: { sql: 'q AS s', qualifier: '"s"' },
      on: 't.id = s.id',
      clauses: [
        { when: 'matched', condition: 'CASE WHEN s.gone THEN true END', action: { kind: 'delete' } },
        { when: 'matched', condition: null, action: { kind: 'update', set: [{ path: ['v'] }, { path: ['w'] }] } },
        {
          when: 'not matched',
          condition: 's.id > 0',
          action: { kind: 'insert', columns: ['id', 'v'], values: [value('s.id'), { kind: 'default' }] },
        },
        { when: 'not matched', action: { kind: 'insert by name', all: true } },
        { when: 'not matched by source', action: { kind: 'update', set: [{ value: value('NULL') }] } },
      ],
    });
  });

  test.each([
    ['web.s', 'web.s', 'web.s'],
    ['web.s x', 'web.s x', '"x"'],
    ['web.s AT (VERSION => 3) AS x', 'web.s AT (VERSION => 3) AS x', '"x"'],
    ['(SELECT 1) AS x(id)', '(SELECT 1) AS x(id)', '"x"'],
    ["read_csv('a.csv') AS x", "read_csv('a.csv') AS x", '"x"'],
    ['(SELECT 1)', '(SELECT 1)', null],
  ])('has the source %s', (source, sql, qualifier) => {
    expect(read(`MERGE INTO t USING ${source} ON true WHEN MATCHED THEN DELETE`)).toMatchObject({
      source: { sql, qualifier },
      on: 'true',
    });
  });

  test.each([
    ['MATCHED THEN UPDATE', { kind: 'update by name', all: true }],
    ['MATCHED THEN UPDATE SET *', { kind: 'update by name', all: true }],
    ['MATCHED THEN UPDATE BY NAME', { kind: 'update by name', all: false }],
    ['MATCHED THEN DO NOTHING', { kind: 'nothing' }],
    ["MATCHED THEN ERROR 'no'", { kind: 'error', message: "'no'" }],
    ['NOT MATCHED THEN INSERT', { kind: 'insert by name', all: true }],
    ['NOT MATCHED THEN INSERT BY NAME', { kind: 'insert by name', all: false }],
    ['NOT MATCHED THEN INSERT DEFAULT VALUES', { kind: 'insert', columns: [], values: [] }],
    ['NOT MATCHED THEN INSERT VALUES (1)', { kind: 'insert', columns: null, values: [value('1')] }],
  ])('WHEN %s', (clause, action) => {
    expect(read(`MERGE INTO t USING s ON true WHEN ${clause}`)).toMatchObject({ clauses: [{ action }] });
    expect(read(`MERGE INTO t USING s USING (id, "b c") WHEN MATCHED AND a THEN DELETE WHEN ${clause}`)).toMatchObject({
      on: ['id', 'b c'],
      clauses: [{ action: { kind: 'delete' } }, { action }],
    });
  });
});

test.each([
  ['DELETE FROM t WHERE', 'Expected a condition, and found the end.'],
  ['DELETE FROM t WHERE a RETURNING a', "RETURNING isn't supported"],
  ['UPDATE t SET a', "Expected '=', and found the end."],
  ['UPDATE t SET a = 1, WHERE b', "Expected '=', and found 'b'."],
  ['UPDATE t SET (a, b) = (1)', 'There are 2 columns and 1 values.'],
  ['UPDATE t SET a = FROM b', "Expected a value, and found 'FROM'."],
  ['MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE WHEN MATCHED AND a THEN DO NOTHING', 'never reached'],
  ['MERGE INTO t USING s ON true', 'Expected WHEN, and found the end.'],
  ['MERGE INTO t USING s ON true WHEN MATCHED THEN INSERT *', 'Expected UPDATE, DELETE or DO NOTHING'],
  ['MERGE INTO t USING s ON true WHEN NOT MATCHED THEN DELETE', 'Expected INSERT or DO NOTHING'],
  ['MERGE INTO t USING s ON true WHEN NOT MATCHED BY SOURCE THEN UPDATE SET *', "Expected a column, and found '*'."],
  ['MERGE INTO t USING s ON true WHEN NOT MATCHED THEN INSERT (a) VALUES (1, 2)', 'There are 1 columns and 2 values.'],
])('%s', (sql, message) => {
  expect(() => read(sql)).toThrow(message);
});

test('statements of other kinds are no change of rows', () => {
  for (const sql of ['SELECT 1', 'WITH delete AS (SELECT 1) SELECT 2', 'INSERT INTO t SELECT 1', 'VACUUM', '']) {
    expect(verbIndex(tokenize(sql))).toBe(null);
  }
});
