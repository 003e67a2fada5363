import { isLakehouseError } from '@lh/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { parseCopy, copyTarget } from '../../../src/statements/copy/copy-syntax.ts';
import { insertTarget, parseInsert } from '../../../src/statements/insert/insert-syntax.ts';
import { prepareText } from '../../../src/statements/statement-text.ts';
import type { StatementText } from '../../../src/statements/statement-text.ts';
import { transactionControl } from '../../../src/statements/transaction/transaction-statement.ts';
import { splitStatements } from '../../../src/text/statements.ts';
import { tokenize } from '../../../src/text/tokens.ts';

function textOf(source: string): StatementText {
  const [statement] = splitStatements(tokenize(source));
  return prepareText({ source, statement: statement!, parameters: undefined, isOnly: true, signal: undefined });
}

describe('INSERT', () => {
  test.each<[string, object]>([
    [
      'INSERT INTO a.b SELECT 1',
      { target: ['a', 'b'], overwrites: false, columns: null, byName: false, partition: [] },
    ],
    [
      'INSERT INTO TABLE "a.b".c (x, "y z") VALUES (1, DEFAULT)',
      { target: ['a.b', 'c'], columns: [{ name: 'x' }, { name: 'y z' }] },
    ],
    ['INSERT OVERWRITE a.b.c.d.e TABLE other', { target: ['a', 'b', 'c', 'd', 'e'], overwrites: true }],
    [
      'INSERT OVERWRITE TABLE t PARTITION (k = f(1, 2), j) SELECT 1',
      {
        partition: [
          { name: 'k', value: 'f(1, 2)' },
          { name: 'j', value: null },
        ],
      },
    ],
    ["INSERT INTO t FOR VERSION AS OF 'it''s' BY NAME FROM x", { branch: "it's", byName: true }],
    ['WITH x AS (SELECT 1) INSERT INTO t FROM x', { target: ['t'], source: { kind: 'query', verb: 7, first: 10 } }],
    ['INSERT INTO t DEFAULT VALUES', { source: { kind: 'defaults' } }],
    [
      "INSERT INTO t VALUES (DEFAULT, (DEFAULT), [default]), ('x', f(DEFAULT, 1), DEFAULT) ORDER BY 1",
      {
        source: {
          values: [
            { first: 5, next: 6, column: 0 },
            { first: 7, next: 10, column: 1 },
            { first: 11, next: 14, column: 2 },
            { first: 17, next: 18, column: 0 },
            { first: 19, next: 25, column: 1 },
            { first: 26, next: 27, column: 2 },
          ],
        },
      },
    ],
  ])('%s', (sql, statement) => {
    expect(parseInsert(textOf(sql))).toMatchObject(statement);
  });
});

describe('COPY', () => {
  test.each<[string, object]>([
    ["COPY a.b FROM 'x.csv'", { kind: 'from', target: ['a', 'b'], columns: null, file: 'x.csv', options: [] }],
    [
      "COPY t (x, y) FROM $$it's$$ WITH (FORMAT CSV, HEADER, DELIM = ';', SKIP 2, FORCE_NOT_NULL (x, \"y\"), PARALLEL off)",
      {
        columns: [{ name: 'x' }, { name: 'y' }],
        file: "it's",
        options: [
          { name: 'format', value: "'CSV'" },
          { name: 'header', value: 'true' },
          { name: 'delim', value: "';'" },
          { name: 'skip', value: '2' },
          { name: 'force_not_null', value: "['x', 'y']" },
          { name: 'parallel', value: 'false' },
        ],
      },
    ],
    ["COPY t TO 'x' (FORMAT parquet)", { kind: 'to', rest: "'x' (FORMAT parquet)" }],
  ])('%s', (sql, statement) => {
    expect(parseCopy(textOf(sql))).toMatchObject(statement);
  });

  test.each(["COPY (SELECT 1) TO 'x'", 'COPY FROM DATABASE a TO b', 'SELECT 1'])('%s is another statement', (sql) => {
    expect(copyTarget(textOf(sql))).toBeNull();
  });
});

const token = fc.constantFrom(
  ...'insert overwrite into table t a.b "q""x" partition ( ) = , values default select 1 by name position with as x on conflict returning'.split(
    ' ',
  ),
  ..."copy from to 'f' header format begin commit rollback transaction read only at version of for => . [ ] { } $1 E'\\'' -5 ; -- /**/".split(
    ' ',
  ),
);

test('random words are read, or refused with their place; and none but their own are taken', () => {
  fc.assert(
    fc.property(
      fc.array(token, { minLength: 1, maxLength: 12 }),
      fc.constantFrom('', 'insert', 'insert into t', 'copy t', 'begin'),
      (words, start) => {
        const text = statementOf(`${start} ${words.join(' ')}`);
        if (text === null) return;
        for (const read of [insertTarget, copyTarget, transactionControl]) expectOnlyRefusals(() => read(text));
        if (insertTarget(text) !== null) expectOnlyRefusals(() => parseInsert(text));
        if (start === 'copy t') expectOnlyRefusals(() => parseCopy(text));
      },
    ),
    { numRuns: runs(2000) },
  );
});

/** Null for what has no statement, or a parameter without a value. */
function statementOf(source: string): StatementText | null {
  try {
    return splitStatements(tokenize(source)).length === 0 ? null : textOf(source);
  } catch (error) {
    if (isLakehouseError(error, 'INVALID_ARGUMENT')) return null;
    throw error;
  }
}

function expectOnlyRefusals(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    expect(['INVALID_ARGUMENT', 'UNSUPPORTED']).toContain(error.code);
    expect(error.message).toMatch(/\nLINE \d+: /);
  }
}
