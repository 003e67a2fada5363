import { describe, expect, test } from 'vitest';
import { Lakehouse } from '../../../src/index.ts';
import { rejection } from '../../support.ts';
import { catalog, dataFiles, lake, path, people, values } from './people.ts';

describe('a statement that fails', () => {
  test.each([
    ['a value', 'UPDATE t SET n = CAST(name AS INTEGER)', /Could not convert string 'n\d' to INT32/],
    ['a null where one is required', 'UPDATE t SET id = NULL WHERE id = 5', /'id' is required/],
    [
      'a column',
      'UPDATE t SET nme = 1',
      /^The table has no column 'nme'\. Did you mean 'name' or 'n'\?\nLINE 1: .*\n +\^$/,
    ],
    ['a field', 'UPDATE t SET place.town = 1', /no column 'place\.town'/],
    ['no struct', 'UPDATE t SET n.x = 1', /'n' is no struct/],
    ['twice', 'UPDATE t SET place.zip = 1, place = NULL', /'place' is assigned twice/],
    [
      'an unknown column',
      'DELETE FROM t WHERE  town = 1',
      /Referenced column "town" not found[^]*\nLINE 1: .*WHERE  town = 1\n +\^$/,
    ],
    ['a syntax error', 'DELETE FROM t WHERE id = = 1', /syntax error.*\nLINE 1: .*id = = 1\n +\^$/],
    ['RETURNING', 'DELETE FROM t WHERE id = 1 RETURNING id', /RETURNING isn't supported/],
    [
      'an error of a clause',
      "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN ERROR 'no ' || s.id",
      /no 1/,
    ],
    [
      'an unknown column of INSERT',
      'MERGE INTO t USING (SELECT 9 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (idd) VALUES (1)',
      /no column 'idd'/,
    ],
    [
      'too few values',
      'MERGE INTO t USING (SELECT 9 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (1)',
      /has 4 columns, and there are 1 values/,
    ],
  ])('%s: leaves nothing behind', async (_, statement, message) => {
    const table = await people({ formatVersion: 3, mode: 'merge-on-read' });
    const files = await dataFiles(table);
    const sql = statement.replace(/(?<=UPDATE |FROM |INTO )t\b/, `${table.name} AS t`);
    const error = await rejection(lake.sql(sql));
    expect(error).toMatchObject({ code: expect.stringMatching(/INVALID_ARGUMENT|UNSUPPORTED/) });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('__lh');
    expect(await dataFiles(table)).toEqual(files);
    expect((await table.refresh()).snapshots()).toHaveLength(2);
    expect(await values("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '%lh_changes%'")).toEqual([[0n]]);
  });

  test('because it was aborted leaves nothing behind', async () => {
    const table = await people();
    const files = await dataFiles(table);
    const abort = new AbortController();
    const running = rejection(
      lake.sql(
        `UPDATE ${table.name} SET n = (SELECT count(*) FROM range(3000000) a, range(100000) b WHERE hash(a.range + b.range) = 1)`,
        undefined,
        {
          signal: abort.signal,
        },
      ),
    );
    setTimeout(() => abort.abort(), 300);
    expect(await running).toMatchObject({ code: 'ABORTED' });
    expect(await dataFiles(table)).toEqual(files);
    expect((await table.refresh()).snapshots()).toHaveLength(2);
  });

  test('as the target can only be read, or is none', async () => {
    await expect(lake.sql('DELETE FROM ns.nothing')).rejects.toThrow("There is no table 'ns.nothing'");
    const table = await people();
    await expect(lake.sql(`DELETE FROM ${table.name}.files`)).rejects.toThrow('can only be read');
    await expect(lake.sql(`DELETE FROM ${table.name}.branch_x WHERE id = 1`)).rejects.toThrow(/branch/);
  });
});

test.each(['copy-on-write', 'merge-on-read'] as const)(
  'a session with allowedPaths changes its tables: %s',
  async (mode) => {
    const table = await people({ mode });
    await using fenced = await Lakehouse.open({ catalog, allowedPaths: [path] });
    expect((await fenced.sql(`UPDATE ${table.name} SET n = 0 WHERE id > 4`)).rowCount).toBe(2);
    expect((await fenced.sql(`DELETE FROM ${table.name} WHERE n = 0 AND id = 5`)).rowCount).toBe(1);
    const outside = `UPDATE ${table.name} SET n = 1 FROM read_csv('/etc/passwd') AS s WHERE true`;
    await expect(fenced.sql(outside)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await values(`SELECT count(*), sum(n)::INT FROM ${table.name}`)).toEqual([[5n, 10]]);
  },
);
