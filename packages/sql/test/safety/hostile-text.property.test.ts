import { partitionBy, schema, t } from '@lh/core';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { openWarehouse } from '../support.ts';

// Whatever a text holds, it is a value or a name, and never SQL.

const { lake, catalog } = await openWarehouse();

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    "'",
    "''",
    '"',
    '""',
    '\\',
    "\\'",
    ';',
    '--',
    '/*',
    '*/',
    '$$',
    '$1',
    '?',
    '%',
    '_',
    'NULL',
    'select',
    '\u0000',
    '\n',
    '\r\n',
    "'; DROP TABLE ns.t; --",
    '"; DROP TABLE ns.t; --',
    "x' OR '1'='1",
    '$tag$',
    "E'\\x'",
    'é😀',
    '\u202e',
    'a.b',
    '{}',
    '\u001f',
    '..',
    '/',
    '\uFEFF',
  ),
  fc
    .array(fc.constantFrom("'", '"', '\\', '\u0000', ';', '-', '/', '*', '$', 'a', ' ', '\n', '.'), { maxLength: 8 })
    .map((all) => all.join('')),
);

/** Lone surrogates are no text to anyone. */
const text = hostile.filter((value) => !/\p{Cs}/u.test(value));

async function rows(
  sql: string,
  parameters?: readonly unknown[] | Record<string, unknown>,
): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

test('any text is itself as a parameter, in every place for one', async () => {
  await fc.assert(
    fc.asyncProperty(text, text, async (a, b) => {
      expect(
        await rows('SELECT $a AS a, $b AS b, $list AS list, $s.x AS x, $a /* $b */ = $a AS same -- ?', {
          a,
          b,
          list: [a, b],
          s: { x: b },
        }),
      ).toEqual([{ a, b, list: [a, b], x: b, same: true }]);
      expect(await rows('SELECT ? AS a, ? AS m', [a, new Map([[a, b]])])).toEqual([{ a, m: new Map([[a, b]]) }]);
    }),
    { numRuns: runs(40) },
  );
});

test('any text is itself as a value of a table and of its partitions, and finds its rows', async () => {
  const table = await catalog.createTable('ns.t', {
    schema: schema({ id: t.long().required(), s: t.string() }),
    partitionBy: [partitionBy.identity('s')],
  });
  let id = 0n;
  await fc.assert(
    fc.asyncProperty(text, async (s) => {
      id++;
      await lake.sql('INSERT INTO ns.t VALUES ($id, $s)', { id, s });
      const result = await lake.sql('SELECT id, s FROM ns.t WHERE s = $s AND id = $id', { s, id });
      expect(await result.rows()).toEqual([{ id, s }]);
      expect(result.scans[0]!.filesScanned).toBe(1);
    }),
    { numRuns: runs(12) },
  );
  await table.refresh();
  expect(await rows('SELECT count(*) AS n FROM ns.t')).toEqual([{ n: id }]);
});

/** Names that catalogs take: some stores and DuckDB have no room for NUL, and a path none for what separates. */
const name = text.filter((value) => value.trim() !== '' && !/[\p{Cc}/\\]/u.test(value) && !/^\.+$/.test(value));

test('any text is itself as a column, alias or view', async () => {
  await fc.assert(
    fc.asyncProperty(name, name, async (column, alias) => {
      await catalog.dropTable('ns.names').catch(() => undefined);
      const table = await catalog.createTable('ns.names', { schema: schema({ [column]: t.int() }) });
      await table.append([{ [column]: 7 }]);
      expect(
        await rows(
          `SELECT ${quoted(column)} AS v FROM ns.names AS ${quoted(alias)} WHERE ${quoted(alias)}.${quoted(column)} > 6`,
        ),
      ).toEqual([{ v: 7 }]);
      expect(await rows(`SELECT ${quoted(column)} FROM ns.names`)).toEqual([{ [column]: 7 }]);
      await lake.sql(`CREATE OR REPLACE VIEW ${quoted(`v ${alias}`)} (${quoted(alias)}) AS FROM ns.names`);
      expect(await rows(`FROM ${quoted(`v ${alias}`)}`)).toEqual([{ [alias]: 7 }]);
      await lake.sql(`DROP VIEW ${quoted(`v ${alias}`)}`);
    }),
    { numRuns: runs(15) },
  );
});
