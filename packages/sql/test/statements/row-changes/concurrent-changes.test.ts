import { partitionBy, schema, t } from '@lh/core';
import type { FormatVersion, RowLevelMode, Table } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { Lakehouse } from '../../../src/index.ts';
import { openWarehouse } from '../../support.ts';

// Statements of several sessions on one table, beside writers and compaction: no change is lost, and none done twice.

const { lake, catalog } = await openWarehouse();

const layouts: readonly (readonly [FormatVersion, RowLevelMode])[] = [
  [1, 'copy-on-write'],
  [2, 'merge-on-read'],
  [3, 'copy-on-write'],
  [3, 'merge-on-read'],
];

async function counters(name: string, formatVersion: FormatVersion, mode: RowLevelMode): Promise<Table> {
  const table = await catalog.createTable(name, {
    schema: schema({ id: t.long(), n: t.int(), kind: t.string() }),
    formatVersion,
    partitionBy: [partitionBy.identity('kind')],
    properties: {
      'write.update.mode': mode,
      'write.delete.mode': mode,
      'write.merge.mode': mode,
      'commit.retry.num-retries': '100',
      'commit.retry.min-wait-ms': '1',
    },
  });
  await table.append([1, 2, 3, 4].map((id) => ({ id: BigInt(id), n: 0, kind: 'counter' })));
  return table;
}

/** Runs a statement again when others were faster too often. */
async function until(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'COMMIT_CONFLICT') throw error;
    }
  }
}

async function rows(sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await (await lake.sql(sql)).rows()).map((row) => Object.values(row));
}

describe.each(layouts)('format version %s, %s', (formatVersion, mode) => {
  test('updates of several sessions all count', { timeout: 240_000 }, async () => {
    const name = `ns.counted_${formatVersion}_${mode.slice(0, 1)}`;
    const table = await counters(name, formatVersion, mode);
    await using other = await Lakehouse.open({ catalog });
    const sessions = [lake, other];
    const add = async (session: Lakehouse): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await until(() => session.sql(`UPDATE ${name} SET n = n + 1 WHERE id % 2 = ${i % 2} AND kind = 'counter'`));
        await until(() =>
          session.sql(`MERGE INTO ${name} AS t USING (VALUES (2), (9)) AS s(id) ON t.id = s.id AND t.kind = 'counter'
            WHEN MATCHED THEN UPDATE SET n = t.n + 10
            WHEN NOT MATCHED THEN INSERT (id, n, kind) VALUES (s.id, 10, 'counter')`),
        );
      }
    };
    const append = async (): Promise<void> => {
      const own = await catalog.loadTable(name);
      for (let i = 0; i < 4; i++) await own.append([{ id: BigInt(100 + i), n: 0, kind: i % 2 ? 'counter' : 'other' }]);
      await until(() => own.rewriteDataFiles({ rewriteAll: true, minInputFiles: 1 }));
      if (formatVersion > 1)
        await own.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 3n, kind: 'counter' }] } });
      await own.append([{ id: 104n, n: 0, kind: 'other' }]);
    };
    await Promise.all([...sessions.map(add), append()]);
    // Each session adds one to odd ids once, to even ids twice, and ten to 2 and 9 three times; 9 may be odd when it comes.
    const found = new Map((await rows(`SELECT id, n FROM ${name} WHERE id < 9 ORDER BY id`)) as [bigint, number][]);
    expect(found.get(1n)).toBe(2);
    expect(found.get(2n)).toBe(4 + 60);
    expect(found.get(4n)).toBe(4);
    expect(found.has(3n)).toBe(formatVersion === 1);
    const nine = await rows(`SELECT n FROM ${name} WHERE id = 9`);
    expect(nine).toHaveLength(1);
    expect(Math.floor(Number(nine[0]![0]) / 10)).toBe(6);
    expect(await rows(`SELECT count(*) FROM ${name} WHERE id >= 100`)).toEqual([[5n]]);
    await table.refresh();
    if (formatVersion === 3) {
      expect(await rows(`SELECT count(DISTINCT _row_id) = count(*) FROM ${name}`)).toEqual([[true]]);
    }
    const orphans = await table.removeOrphanFiles({ olderThan: new Date(Date.now() + 60_000), dryRun: true });
    expect(orphans.orphanFiles.filter((file) => file.endsWith('.parquet'))).toEqual([]);
  });

  test('a row that another session adds meanwhile is not missed', { timeout: 240_000 }, async () => {
    const name = `ns.missed_${formatVersion}_${mode.slice(0, 1)}`;
    const table = await counters(name, formatVersion, mode);
    const own = await catalog.loadTable(name);
    const commits = 3;
    let left = commits;
    const meanwhile = (async () => {
      while (left-- > 0) await own.append([{ id: BigInt(50 + left), n: 0, kind: 'counter' }]);
    })();
    await until(() => lake.sql(`UPDATE ${name} SET n = n + 1 WHERE kind = 'counter'`));
    await meanwhile;
    await until(() => lake.sql(`DELETE FROM ${name} WHERE n = 0`));
    // As if one came after the other: what came before the update is there with its change.
    const [[count]] = (await rows(`SELECT count(*)::INT FROM ${name} WHERE n = 1`)) as [[number]];
    const [[others]] = (await rows(`SELECT count(*)::INT FROM ${name} WHERE n <> 1`)) as [[number]];
    expect(others).toBe(0);
    expect(count).toBeGreaterThanOrEqual(4);
    expect((await table.refresh()).snapshots().length).toBeGreaterThanOrEqual(commits + 2);
  });
});
