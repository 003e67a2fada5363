import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { t } from '@lh/core';
import { tableFromArrays } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../support.ts';
import { lake, path, people, values } from './people.ts';

describe('other tables', () => {
  test('may be Iceberg tables, older versions, files, Arrow data and tables of the session', async () => {
    const table = await people();
    const first = table.snapshots()[0]!.snapshotId;
    const csv = join(path, 'names.csv');
    await writeFile(csv, 'id,name\n1,csv\n');
    await lake.sql('CREATE OR REPLACE TEMP TABLE local AS SELECT 2::BIGINT AS id, $$local$$ AS name');
    lake.register('arrow_names', tableFromArrays({ id: BigInt64Array.of(3n), name: ['arrow'] }));
    await lake.sql(`UPDATE ${table.name} AS t SET name = s.name FROM read_csv('${csv}') AS s WHERE s.id = t.id`);
    await lake.sql(`UPDATE ${table.name} AS t SET name = s.name FROM local s WHERE s.id = t.id`);
    await lake.sql(
      `UPDATE ${table.name} AS t SET name = arrow_names.name FROM arrow_names WHERE arrow_names.id = t.id`,
    );
    await lake.sql(
      `DELETE FROM ${table.name} AS t WHERE t.id NOT IN (SELECT id FROM ${table.name} AT (VERSION => ${first}))`,
    );
    expect(await values(`SELECT id, name FROM ${table.name} ORDER BY id`)).toEqual([
      [1n, 'csv'],
      [2n, 'local'],
      [3n, 'arrow'],
    ]);
  });

  test('that give a row one value are no problem, those that give it several are', async () => {
    const table = await people();
    const twice = '(VALUES (1, 5), (1, 5), (2, 6)) AS s(id, n)';
    expect((await lake.sql(`UPDATE ${table.name} AS t SET n = s.n FROM ${twice} WHERE s.id = t.id`)).rowCount).toBe(2);
    const before = table.snapshots().length;
    const several = '(VALUES (1, 5), (1, 7)) AS s(id, n)';
    const update = await rejection(lake.sql(`UPDATE ${table.name} AS t SET n = s.n FROM ${several} WHERE s.id = t.id`));
    expect(update).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(update.message).toMatch(/Several rows of FROM match one row of ns\.people/);
    const merge = (when: string): string => `MERGE INTO ${table.name} AS t USING ${several} ON s.id = t.id ${when}`;
    const changed = await rejection(lake.sql(merge('WHEN MATCHED THEN UPDATE SET n = s.n')));
    expect(changed.message).toMatch(/Several rows of the source match one row/);
    await expect(lake.sql(merge('WHEN MATCHED THEN DELETE'))).rejects.toThrow('Several rows of the source');
    // One of them changes nothing.
    const one = await lake.sql(merge('WHEN MATCHED AND s.n = 7 THEN UPDATE SET n = s.n'));
    expect(one.rowCount).toBe(1);
    expect((await table.refresh()).snapshots()).toHaveLength(before + 2);
  });

  test('are named in WITH', async () => {
    const table = await people();
    await lake.sql(
      `WITH old AS (SELECT max(id) AS id FROM ${table.name}) DELETE FROM ${table.name} WHERE id IN (FROM old)`,
    );
    await lake.sql(`WITH s AS (SELECT 1 AS id) UPDATE ${table.name} AS t SET n = 0 FROM s WHERE s.id = t.id`);
    await lake.sql(
      `WITH s AS (SELECT 5 AS id) MERGE INTO ${table.name} AS t USING s ON t.id = s.id WHEN MATCHED THEN DELETE`,
    );
    expect(await values(`SELECT id, n FROM ${table.name} ORDER BY id`)).toEqual([
      [1n, 0],
      [2n, 2],
      [3n, 3],
      [4n, 4],
    ]);
  });
});

describe('columns of a MERGE', () => {
  test('go by name, in any case', async () => {
    const table = await people();
    const source = `(SELECT 1 AS ID, 'one' AS Name, 11 AS n, NULL AS place, true AS extra
      UNION ALL SELECT 8, 'eight', 18, struct_pack(zip := 8, city := 'x'), false) AS s`;
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING ${source} ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
    );
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (2, 'two'), (9, 'nine')) AS s(id, name) USING (id)
       WHEN MATCHED THEN UPDATE BY NAME WHEN NOT MATCHED THEN INSERT BY NAME`,
    );
    expect(await values(`SELECT * FROM ${table.name} WHERE id IN (1, 2, 8, 9) ORDER BY id`)).toEqual([
      [1n, 'one', 11, null],
      [2n, 'two', 2, { city: 'Seoul', zip: 2 }],
      [8n, 'eight', 18, { city: 'x', zip: 8 }],
      [9n, 'nine', null, null],
    ]);
    const lacks = await rejection(
      lake.sql(
        `MERGE INTO ${table.name} AS t USING (SELECT 1 AS id) AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET *`,
      ),
    );
    expect(lacks.message).toMatch(
      /^The source has no column 'name'; name the columns, or go BY NAME\.\nLINE 1: .*\n +\^$/,
    );
  });

  test('that source and table share are the source in clauses about rows that the table has not', async () => {
    const table = await people();
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (9, 'x', 1), (10, 'y', 2)) AS s(id, name, n) ON t.id = s.id
       WHEN NOT MATCHED AND n > 1 AND name IN (SELECT name FROM (VALUES ('y')) AS o(name))
       THEN INSERT (id, name, n) VALUES (id + 1, list_transform([name], lambda id: id || '!')[1], s.n)`,
    );
    expect(await values(`SELECT id, name, n FROM ${table.name} WHERE id > 6`)).toEqual([[11n, 'y!', 2]]);
  });

  test('may have defaults', async () => {
    const table = await people({ formatVersion: 3 });
    await table.updateSchema((s) => s.addColumn('level', t.int().default(7)));
    await lake.sql(`UPDATE ${table.name} SET level = 1`);
    await lake.sql(`UPDATE ${table.name} SET level = DEFAULT, n = DEFAULT WHERE id = 1`);
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (8), (9)) AS s(id) ON t.id = s.id
       WHEN NOT MATCHED AND s.id = 8 THEN INSERT (id) VALUES (s.id) WHEN NOT MATCHED THEN INSERT (id, level) VALUES (s.id, DEFAULT)`,
    );
    expect(await values(`SELECT id, n, level FROM ${table.name} WHERE id NOT BETWEEN 3 AND 6 ORDER BY id`)).toEqual([
      [1n, null, 7],
      [2n, 2, 1],
      [8n, null, 7],
      [9n, null, 7],
    ]);
  });
});
