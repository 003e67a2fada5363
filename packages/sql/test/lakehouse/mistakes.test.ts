import { schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

// What people get wrong, and what they are told: where it is in their own text, and what to do.

const { lake, catalog } = await openWarehouse();

beforeAll(async () => {
  const shape = schema({ id: t.long().required(), city: t.string(), amount: t.decimal(10, 2), ts: t.timestamptz() });
  for (const name of ['ns.events', 'ns.orders']) {
    const table = await catalog.createTable(name, { schema: shape });
    await table.append([{ id: 1n, city: 'Seoul', amount: '1.50', ts: '2024-01-01T00:00:00Z' }]);
    await table.createBranch('audit');
  }
  await lake.sql('CREATE VIEW busy AS SELECT * FROM ns.events WHERE id > 0');
});

/** The line with the place, and under it the caret below the word that is meant. */
function pointsAt(sql: string, word: string): RegExp {
  const at = sql.indexOf(word);
  const line = sql.slice(sql.lastIndexOf('\n', at) + 1);
  const column = at - (sql.length - line.length);
  const number = sql.slice(0, at).split('\n').length;
  const label = `LINE ${number}: `;
  return new RegExp(`LINE ${number}: [^\n]*\n {${label.length + column}}\\^$`);
}

test.each<[sql: string, code: string, message: RegExp, word?: string]>([
  // Names of tables
  ['SELECT * FROM ns.event', 'NOT_FOUND', /no table 'ns\.event'\. Did you mean 'ns\.events'/, 'ns.event'],
  ['SELECT * FROM evnts', 'NOT_FOUND', /no table 'evnts'/, 'evnts'],
  ['SELECT * FROM events', 'NOT_FOUND', /Did you mean 'ns\.events'/],
  ['SELECT * FROM nowhere.events', 'NOT_FOUND', /no table 'nowhere\.events'/],
  ['SELECT * FROM ns.events e JOIN ns.order o USING (id)', 'NOT_FOUND', /Did you mean 'ns\.orders'/, 'ns.order o'],
  ['SELECT * FROM ns.events.snapshot', 'NOT_FOUND', /Did you mean 'ns\.events\.snapshots'/],
  ['INSERT INTO ns.event VALUES (1)', 'NOT_FOUND', /ns\.event/],
  ['UPDATE ns.event SET id = 1', 'NOT_FOUND', /ns\.event/],
  ['DELETE FROM ns.event', 'NOT_FOUND', /ns\.event/],
  ['DROP TABLE ns.event', 'NOT_FOUND', /ns\.event/],
  ['TRUNCATE TABLE ns.event', 'NOT_FOUND', /ns\.event/],
  ['ALTER TABLE ns.event ADD COLUMN x INTEGER', 'NOT_FOUND', /ns\.event/],
  ['DESCRIBE ns.event', 'NOT_FOUND', /ns\.event/],
  ['DELETE FROM ns.events WHERE id IN (SELECT id FROM nope)', 'NOT_FOUND', /no table 'nope'/],
  ['INSERT INTO ns.events SELECT * FROM ns.nope', 'NOT_FOUND', /no table 'ns\.nope'/],
  ['CREATE TEMP TABLE x AS SELECT * FROM ns.evens', 'NOT_FOUND', /Did you mean 'ns\.events'/, 'ns.evens'],
  ['EXPLAIN SELECT * FROM ns.evens', 'NOT_FOUND', /Did you mean 'ns\.events'/, 'ns.evens'],
  // Columns and functions
  ['SELECT nope FROM ns.events', 'INVALID_ARGUMENT', /"nope" not found/, 'nope'],
  ['SELECT id,\n  cty FROM ns.events', 'INVALID_ARGUMENT', /"cty" not found[^]*"city"/, 'cty'],
  ['SELECT id FROM ns.events WHERE (SELECT max(nope) FROM ns.orders) > 1', 'INVALID_ARGUMENT', /"nope"/, 'nope'],
  ["SELECT 'é😀', nope FROM ns.events", 'INVALID_ARGUMENT', /"nope" not found/, 'nope'],
  ['WITH x AS (SELECT nope FROM ns.events) SELECT * FROM x', 'INVALID_ARGUMENT', /"nope"/, 'nope'],
  ['SELECT e.id FROM ns.events', 'INVALID_ARGUMENT', /"e" not found/, 'e.id'],
  ['SELECT id FROM ns.events, ns.orders', 'INVALID_ARGUMENT', /Ambiguous reference[^]*"id"/, 'id'],
  ['SELECT id FROM busy WHERE nope', 'INVALID_ARGUMENT', /"nope" not found/, 'nope'],
  ['SELECT uper(city) FROM ns.events', 'NOT_FOUND', /uper[^]*upper/, 'uper'],
  ['SELECT city, count(*) FROM ns.events', 'INVALID_ARGUMENT', /must appear in the GROUP BY/, 'city'],
  ['SELECT id FROM ns.events WHERE count(*) > 1', 'INVALID_ARGUMENT', /aggregates/i, 'count'],
  ['SELECT * EXCLUDE (nope) FROM ns.events', 'INVALID_ARGUMENT', /nope/],
  ['INSERT INTO ns.events (id, nope) VALUES (1, 2)', 'INVALID_ARGUMENT', /nope/],
  ['UPDATE ns.events SET nope = 1', 'INVALID_ARGUMENT', /nope/],
  ['DELETE FROM ns.events WHERE nope = 1', 'INVALID_ARGUMENT', /nope/],
  ['INSERT INTO ns.events SELECT nope FROM ns.orders', 'INVALID_ARGUMENT', /nope/],
  // Types
  ["SELECT * FROM ns.events WHERE id = 'x'", 'INVALID_ARGUMENT', /Could not convert string 'x' to INT64/],
  ["SELECT * FROM ns.events WHERE ts > 'noon'", 'INVALID_ARGUMENT', /timestamp[^]*noon/i],
  ["SELECT id + DATE '2024-01-01' + DATE '2024-01-02' FROM ns.events", 'INVALID_ARGUMENT', /No function matches/],
  ['SELECT CAST(city AS DECIMAL(50, 2)) FROM ns.events', 'INVALID_ARGUMENT', /38|width/i],
  [
    'SELECT id FROM ns.events UNION SELECT id, city FROM ns.events',
    'INVALID_ARGUMENT',
    /same number of (?:result )?columns/,
  ],
  // Versions
  [
    "SELECT * FROM ns.events AT (VERSION => 'adit')",
    'NOT_FOUND',
    /no branch or tag 'adit'\. Did you mean 'audit'/,
    'ns.events',
  ],
  ['SELECT * FROM ns.events AT (VERSION => 12345)', 'NOT_FOUND', /snapshot 12345/],
  ["SELECT * FROM ns.events FOR VERSION AS OF 'adit'", 'NOT_FOUND', /'adit'/],
  ["SELECT * FROM ns.events FOR TIMESTAMP AS OF '1999-01-01'", 'NOT_FOUND', /no snapshot yet/],
  ["SELECT * FROM ns.events AT (TIMESTAMP => 'yesterday')", 'INVALID_ARGUMENT', /not a time/],
  ['SELECT * FROM ns.events AT (VERSION => NULL)', 'INVALID_ARGUMENT', /NULL/],
  ['SELECT * FROM ns.events AT (VERSION => id)', 'INVALID_ARGUMENT', /can't be computed/, 'ns.events'],
  ['SELECT * FROM ns.events.branch_adit', 'NOT_FOUND', /Did you mean 'audit'/],
  // Parameters
  ['SELECT * FROM ns.events WHERE id = $id', 'INVALID_ARGUMENT', /parameter \$id, but nothing was given/],
  ['SELECT * FROM ns.events WHERE id = ?', 'INVALID_ARGUMENT', /parameter \$1/],
  // Syntax
  ['SELEC 1', 'INVALID_ARGUMENT', /syntax error at or near "SELEC"/, 'SELEC'],
  ['SELECT id FROM ns.events WHER id > 1', 'INVALID_ARGUMENT', /syntax error/, 'id > 1'],
  ['SELECT id,, city FROM ns.events', 'INVALID_ARGUMENT', /syntax error/, ', city'],
  ['SELECT (id FROM ns.events', 'INVALID_ARGUMENT', /syntax error/, 'FROM'],
  ['SELECT * FROM ns.events GROUP BY', 'INVALID_ARGUMENT', /syntax error at end of input/],
  ["SELECT 'never ends FROM ns.events", 'INVALID_ARGUMENT', /string that starts here never ends/, "'never"],
  ['SELECT "never ends FROM ns.events', 'INVALID_ARGUMENT', /quoted name that starts here never ends/, '"never'],
  ['SELECT 1 /* never ends', 'INVALID_ARGUMENT', /comment that starts here never ends/, '/*'],
  ['CREATE VIEW AS SELECT * FROM ns.events', 'INVALID_ARGUMENT', /Expected|syntax error/],
  ['CREATE VIEW v SELECT * FROM ns.events', 'INVALID_ARGUMENT', /Expected AS/, 'SELECT'],
  ['CREATE VIEW v (1) AS SELECT * FROM ns.events', 'INVALID_ARGUMENT', /a column's name/, '1'],
  ['INSERT INTO ns.events VALUE (1)', 'INVALID_ARGUMENT', /./],
  ['UPDATE ns.events id = 1', 'INVALID_ARGUMENT', /SET/],
  ['DELETE ns.events', 'INVALID_ARGUMENT', /./],
  ['MERGE INTO ns.events USING ns.orders WHEN MATCHED THEN DELETE', 'INVALID_ARGUMENT', /./],
  ['ALTER TABLE ns.events ADD', 'INVALID_ARGUMENT', /./],
  ['CREATE TABLE ns.new (id BIGNT)', 'INVALID_ARGUMENT', /BIGNT/i],
  ["CALL system.expire(table => 'ns.events')", 'NOT_FOUND', /no procedure 'expire'/],
  ["CALL system.rollback_to_snapshot(table => 'ns.events')", 'INVALID_ARGUMENT', /needs the argument 'snapshot_id'/],
  ["FROM read_csv('/no/such/file.csv')", 'NOT_FOUND', /no\/such\/file/],
  ['EXECUTE nothing(1)', 'NOT_FOUND', /PREPARE makes one/],
  ['DROP VIEW nope', 'NOT_FOUND', /nope/],
  ['SET nope = 1', 'NOT_FOUND', /unrecognized configuration parameter "nope"/],
])('%s', async (sql, code, message, word) => {
  const error = await rejection(lake.sql(sql).then((result) => result.rows()));
  expect(error.name).toBe('LakehouseError');
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
  expect(error.message).not.toMatch(/__lh_|read_parquet\(\[/);
  if (word !== undefined) expect(error.message).toMatch(pointsAt(sql, word));
});

test('in the place where it is, also behind values that are longer than their parameters', async () => {
  const sql = 'SELECT $long, id,\n\tnope FROM ns.events WHERE city = $long';
  const error = await rejection(lake.sql(`SELECT 1; ${sql}`, { long: 'é'.repeat(300) }));
  expect(error.message).toMatch(/LINE 2: {2}nope FROM ns\.events[^\n]*\n {9}\^$/);
});
