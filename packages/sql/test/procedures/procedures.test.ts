import { partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog, path } = await openWarehouse();
let tables = 0;

/** `ns.t<N>` with so many commits of one row. */
async function newTable(commits: number): Promise<Table> {
  const table = (await catalog.createTable(`ns.t${++tables}`, {
    schema: schema({ id: t.long().required(), city: t.string() }),
    partitionBy: [partitionBy.identity('city')],
  })) as unknown as Table;
  for (let id = 1; id <= commits; id++) await table.append([{ id: BigInt(id), city: id % 2 === 0 ? 'a' : 'b' }]);
  return table;
}

const name = (): string => `ns.t${tables}`;
const call = async (sql: string): Promise<unknown[]> => (await lake.sql(`CALL ${sql}`)).rows();
const count = async (): Promise<unknown> =>
  (await (await lake.sql(`SELECT count(*)::INT AS n FROM ${name()}`)).rows())[0];

describe('procedures of history', () => {
  test('move main, and tell where it was', async () => {
    const table = await newTable(3);
    const [first, second, third] = table.snapshots().map(({ snapshotId }) => snapshotId);
    expect(await call(`system.rollback_to_snapshot('${name()}', ${first})`)).toEqual([
      { previous_snapshot_id: third, current_snapshot_id: first },
    ]);
    expect(await count()).toEqual({ n: 1 });
    expect(await call(`system.set_current_snapshot(table => '${name()}', snapshot_id => ${third})`)).toEqual([
      { previous_snapshot_id: first, current_snapshot_id: third },
    ]);
    await table.refresh();
    await table.createTag('two', { snapshotId: second! });
    expect(await call(`system.set_current_snapshot(table => '${name()}', ref => 'two')`)).toEqual([
      { previous_snapshot_id: third, current_snapshot_id: second },
    ]);
    expect(await call(`system.ancestors_of('${name()}')`)).toMatchObject([
      { snapshot_id: second },
      { snapshot_id: first },
    ]);
    const time = new Date(table.snapshots()[0]!.timestampMs + 1).toISOString();
    expect(await call(`system.rollback_to_timestamp('${name()}', TIMESTAMP '${time.replace('Z', '')}')`)).toMatchObject(
      [{ previous_snapshot_id: second }],
    );
  });

  test('publish what was staged, and move branches', async () => {
    const table = await newTable(1);
    await table.setProperties({ 'write.wap.enabled': 'true' });
    await table.append([{ id: 10n, city: 'a' }], { wapId: 'job-1' });
    const staged = table.snapshots().at(-1)!.snapshotId;
    expect(await call(`system.publish_changes('${name()}', 'job-1')`)).toMatchObject([{ source_snapshot_id: staged }]);
    expect(await count()).toEqual({ n: 2 });
    await table.refresh();
    await table.createBranch('audit');
    await table.append([{ id: 11n, city: 'a' }], { branch: 'audit' });
    const before = table.currentSnapshot()!.snapshotId;
    expect(await call(`system.fast_forward('${name()}', 'main', 'audit')`)).toMatchObject([
      { branch_updated: 'main', previous_ref: before },
    ]);
    expect(await count()).toEqual({ n: 3 });
  });
});

describe('procedures of maintenance', () => {
  test('rewrite_data_files joins files', async () => {
    await newTable(12);
    const [report] = await call(
      `system.rewrite_data_files(table => '${name()}', options => map('min-input-files', '2', 'rewrite-all', 'true'), where => 'city = ''a''')`,
    );
    expect(report).toMatchObject({
      rewritten_data_files_count: 6,
      added_data_files_count: 1,
      failed_data_files_count: 0,
    });
    expect(
      await call(`system.rewrite_data_files('${name()}', 'sort', 'id DESC', map('rewrite-all', 'true'))`),
    ).toMatchObject([{ rewritten_data_files_count: 7, added_data_files_count: 2 }]);
    expect(
      await call(
        `system.rewrite_data_files(table => '${name()}', sort_order => 'zorder(id, city)', options => map('rewrite-all', 'true'))`,
      ),
    ).toMatchObject([{ rewritten_data_files_count: 2, added_data_files_count: 2 }]);
    expect(await count()).toEqual({ n: 12 });
  });

  test('rewrite_position_delete_files combines deletes', async () => {
    const table = await newTable(1);
    await table.setProperties({ 'write.delete.granularity': 'partition' });
    await table.append([2n, 4n, 6n].map((id) => ({ id, city: 'a' })));
    await table.delete('id = 2', { mode: 'merge-on-read' });
    await table.append([12n, 14n, 16n].map((id) => ({ id, city: 'a' })));
    await table.delete('id = 12', { mode: 'merge-on-read' });
    expect(
      await call(`system.rewrite_position_delete_files(table => '${name()}', options => map('rewrite-all', 'true'))`),
    ).toMatchObject([{ rewritten_delete_files_count: 2, added_delete_files_count: 1 }]);
    expect(await count()).toEqual({ n: 5 });
  });

  test('expire_snapshots, rewrite_manifests, remove_orphan_files', async () => {
    const table = await newTable(4);
    expect(await call(`system.rewrite_manifests('${name()}')`)).toEqual([
      { rewritten_manifests_count: 4, added_manifests_count: 1 },
    ]);
    await call(`system.rewrite_data_files(table => '${name()}', options => map('rewrite-all', 'true'))`);
    expect(
      await call(
        `system.expire_snapshots(table => '${name()}', older_than => now() + INTERVAL 1 DAY, retain_last => 1)`,
      ),
    ).toMatchObject([{ deleted_data_files_count: 4n, deleted_manifest_lists_count: 5n }]);
    await table.refresh();
    const [id] = table.snapshots().map(({ snapshotId }) => snapshotId);
    const error = await rejection(
      lake.sql(`CALL system.expire_snapshots(table => '${name()}', snapshot_ids => array(${id}))`),
    );
    expect(error.code).toBe('INVALID_ARGUMENT');
    await table.io.write(`${table.location}/data/lost.parquet`, Uint8Array.of(1));
    const orphans = `system.remove_orphan_files(table => '${name()}', older_than => now() + INTERVAL 1 DAY`;
    expect(await call(`${orphans}, dry_run => true)`)).toEqual([
      { orphan_file_location: `${table.location}/data/lost.parquet` },
    ]);
    expect(await call(`${orphans})`)).toHaveLength(1);
    expect(await call(`${orphans})`)).toEqual([]);
    expect(await count()).toEqual({ n: 4 });
  });

  test('statistics, and paths for a copy', async () => {
    await newTable(3);
    expect(await call(`system.compute_table_stats('${name()}', columns => array('id'))`)).toMatchObject([
      { statistics_file: expect.stringMatching(/\.stats$/) as string },
    ]);
    expect(await call(`system.compute_partition_stats('${name()}')`)).toMatchObject([
      { partition_statistics_file: expect.stringMatching(/\.parquet$/) as string },
    ]);
    expect(
      await call(
        `system.rewrite_table_path(table => '${name()}', source_prefix => '${path}', target_prefix => 's3://b/wh')`,
      ),
    ).toMatchObject([{ rewritten_manifest_file_paths_count: 3, rewritten_delete_file_paths_count: 0 }]);
    expect(
      await call(
        `system.rewrite_table_path(table => '${name()}', source_prefix => '${path}', target_prefix => '/x', create_file_list => false)`,
      ),
    ).toMatchObject([{ file_list_location: 'N/A' }]);
  });
});

describe('procedures of files', () => {
  test('add_files, migrate, register_table', async () => {
    const files = `${path}/files/`;
    await lake.connection.run(`COPY (SELECT 7::BIGINT AS id, 'a' AS city) TO '${path}/one.parquet'`);
    const { mkdir } = await import('node:fs/promises');
    await mkdir(files);
    await lake.connection.run(`COPY (SELECT range AS id FROM range(5)) TO '${files}x.parquet'`);
    const table = await newTable(1);
    expect(await call(`system.add_files('${name()}', '\`parquet\`.\`${path}/one.parquet\`')`)).toEqual([
      { added_files_count: 1n, changed_partition_count: 1n },
    ]);
    expect(await count()).toEqual({ n: 2 });
    expect(await call(`system.migrate(table => 'ns.migrated', source_table => '\`parquet\`.\`${files}\`')`)).toEqual([
      { migrated_files_count: 1n },
    ]);
    await mkdir(`${path}/parts/city=a`, { recursive: true });
    await lake.connection.run(`COPY (SELECT 8::BIGINT AS id) TO '${path}/parts/city=a/x.parquet'`);
    const parts = `system.add_files('${name()}', '\`parquet\`.\`${path}/parts\`', map('city',`;
    expect(await rejection(lake.sql(`CALL ${parts} 'b'))`))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await call(`${parts} 'a'))`)).toMatchObject([{ added_files_count: 1n }]);
    await table.refresh();
    const snapshotId = table.currentSnapshot()!.snapshotId;
    expect(await call(`system.register_table('ns.again', '${table.metadataLocation}')`)).toEqual([
      { current_snapshot_id: snapshotId, total_records_count: 3n, total_data_files_count: 3n },
    ]);
    expect(await (await lake.sql('SELECT count(*)::INT AS n FROM ns.again')).rows()).toEqual([{ n: 3 }]);
  });
});

test('what only tunes how Spark works is taken, and changes nothing', async () => {
  const table = await newTable(2);
  const none = { rewritten_data_files_count: 0, added_data_files_count: 0 };
  const sort = `map('compression-factor', '1.5', 'shuffle-partitions-per-file', '2', 'max-output-size', '100')`;
  expect(await call(`system.rewrite_data_files('${name()}', 'sort', 'id', ${sort})`)).toMatchObject([none]);
  const deletes = `map('max-concurrent-file-group-rewrites', '2', 'partial-progress.enabled', 'true', 'rewrite-job-order', 'bytes-asc')`;
  expect(await call(`system.rewrite_position_delete_files('${name()}', ${deletes})`)).toMatchObject([
    { rewritten_delete_files_count: 0 },
  ]);
  const orphans = `max_concurrent_deletes => 4, prefix_listing => true, stream_results => true, prefix_mismatch_mode => 'ERROR'`;
  expect(await call(`system.remove_orphan_files(table => '${name()}', ${orphans})`)).toEqual([]);
  expect(await call(`system.rewrite_manifests('${name()}', true, 0, array('city'))`)).toEqual([
    { rewritten_manifests_count: 2, added_manifests_count: 1 },
  ]);
  expect(await call(`system.expire_snapshots('${name()}', now() - INTERVAL 1 DAY, 1, 4, true, array())`)).toMatchObject(
    [{ deleted_data_files_count: 0n }],
  );
  await table.refresh();
  expect(table.snapshots()).toHaveLength(3);
});

test('procedures of a table without snapshots', async () => {
  await newTable(0);
  expect(await call(`system.rewrite_data_files('${name()}')`)).toMatchObject([{ rewritten_data_files_count: 0 }]);
  expect(await call(`system.rewrite_manifests('${name()}')`)).toMatchObject([{ rewritten_manifests_count: 0 }]);
  expect(await call(`system.rewrite_position_delete_files('${name()}')`)).toMatchObject([{ added_bytes_count: 0n }]);
  expect(await call(`system.expire_snapshots('${name()}')`)).toMatchObject([{ deleted_manifest_lists_count: 0n }]);
  for (const empty of ['remove_orphan_files', 'compute_table_stats', 'compute_partition_stats', 'ancestors_of']) {
    expect(await call(`system.${empty}('${name()}')`)).toEqual([]);
  }
  for (const [procedure, code] of [
    ["rollback_to_snapshot('T', 1)", 'NOT_FOUND'],
    ["rollback_to_timestamp('T', now())", 'INVALID_ARGUMENT'],
    ["set_current_snapshot('T', 1)", 'NOT_FOUND'],
    ["set_current_snapshot(table => 'T', ref => 'main')", 'NOT_FOUND'],
    ["cherrypick_snapshot('T', 1)", 'NOT_FOUND'],
    ["publish_changes('T', 'x')", 'NOT_FOUND'],
    ["fast_forward('T', 'main', 'audit')", 'NOT_FOUND'],
    ["ancestors_of('T', 1)", 'NOT_FOUND'],
  ] as const) {
    const error = await rejection(lake.sql(`CALL system.${procedure.replace('T', name())}`));
    expect(error, procedure).toMatchObject({ code });
  }
});

describe('what is wrong with a call', () => {
  test.each([
    ['system.rewrite_datafiles()', 'NOT_FOUND', /Did you mean rewrite_data_files/],
    ['system.rewrite_data_files()', 'INVALID_ARGUMENT', /needs the argument 'table'/],
    ["system.rewrite_data_files('ns.nothing')", 'NOT_FOUND', /ns.nothing/],
    ["system.rewrite_data_files('ns.t1', option => map('a', 'b'))", 'INVALID_ARGUMENT', /no argument 'option'/],
    ["system.rewrite_data_files('ns.t1', options => map('a', 'b'))", 'INVALID_ARGUMENT', /no option 'a'/],
    ["system.rewrite_data_files('ns.t1', options => map('rewrite-all', 'maybe'))", 'INVALID_ARGUMENT', /true or false/],
    ["system.rewrite_data_files('ns.t1', table => 'ns.t1')", 'INVALID_ARGUMENT', /twice/],
    ["system.rollback_to_snapshot('ns.t1', 'x')", 'INVALID_ARGUMENT', /whole number/],
    ["system.expire_snapshots('ns.t1', 'soon')", 'INVALID_ARGUMENT', /timestamp/],
    ["system.set_current_snapshot('ns.t1')", 'INVALID_ARGUMENT', /either snapshot_id or ref/],
    ["system.set_current_snapshot('ns.t1', 1, 'main')", 'INVALID_ARGUMENT', /either snapshot_id or ref/],
    [
      "system.expire_snapshots(table => 'ns.t1', retain_last => 0)",
      'INVALID_ARGUMENT',
      /retainLast must be positive|positive whole/,
    ],
    ["system.expire_snapshots(table => 'ns.t1', retain_last => -1)", 'INVALID_ARGUMENT', /positive whole/],
    [
      "system.expire_snapshots(table => 'ns.t1', snapshot_ids => array('a'))",
      'INVALID_ARGUMENT',
      /array of whole numbers/,
    ],
    ["system.rewrite_data_files('ns.t1', 'shuffle')", 'INVALID_ARGUMENT', /'binpack' or 'sort'/],
    ["system.rewrite_data_files('ns.t1', 'binpack', 'id')", 'INVALID_ARGUMENT', /goes with the strategy 'sort'/],
    ["system.rewrite_data_files('ns.t1', 'sort', 'id,')", 'INVALID_ARGUMENT', /no sort order/],
    ["system.rewrite_data_files('ns.t1', 'sort')", 'INVALID_ARGUMENT', /has no sort order/],
    ["system.rewrite_data_files('ns.t1', where => 'nope = 1')", 'INVALID_ARGUMENT', /no column 'nope'/],
    ["system.rewrite_data_files('ns.t1', branch => 'nope')", 'NOT_FOUND', /no branch 'nope'/],
    ["system.rewrite_data_files('ns.t1', options => map('min-input-files', '-1'))", 'INVALID_ARGUMENT', /whole number/],
    [
      "system.rewrite_data_files('ns.t1', options => map('target-file-size-bytes', '0'))",
      'INVALID_ARGUMENT',
      /1 or more/,
    ],
    [
      "system.rewrite_data_files('ns.t1', options => map('output-spec-id', '9'))",
      'INVALID_ARGUMENT',
      /no partition spec 9/,
    ],
    [
      "system.rewrite_data_files('ns.t1', options => map('partial-progress.max-commits', '0'))",
      'INVALID_ARGUMENT',
      /1 or more/,
    ],
    [
      "system.rewrite_position_delete_files('ns.t1', map('max-files-to-rewrite', '1'))",
      'INVALID_ARGUMENT',
      /no option/,
    ],
    ["system.rewrite_manifests('ns.t1', spec_id => 9)", 'INVALID_ARGUMENT', /no partition spec 9/],
    ["system.rewrite_manifests('ns.t1', sort_by => array('id'))", 'INVALID_ARGUMENT', /no partition field/],
    ["system.remove_orphan_files('ns.t1', prefix_mismatch_mode => 'DELETE')", 'UNSUPPORTED', /prefix_mismatch_mode/],
    ["system.remove_orphan_files('ns.t1', file_list_view => 'v')", 'UNSUPPORTED', /file_list_view/],
    ["system.compute_table_stats('ns.t1', columns => array('nope'))", 'INVALID_ARGUMENT', /no column 'nope'/],
    ["system.compute_table_stats('ns.t1', snapshot_id => 5)", 'NOT_FOUND', /no snapshot 5/],
    ["system.add_files('ns.t1', 'ns.t2')", 'INVALID_ARGUMENT', /source_table/],
    ["nowhere.system.register_table('ns.t1', 'x')", 'NOT_FOUND', /no catalog 'nowhere'/],
  ])('%s', async (sql, code, message) => {
    const error = await rejection(lake.sql(`CALL ${sql}`));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test('parameters are arguments like any other', async () => {
    const table = await newTable(2);
    const [first] = table.snapshots().map(({ snapshotId }) => snapshotId);
    await lake.sql('CALL system.rollback_to_snapshot($table, $id)', { table: name(), id: first! });
    expect(await count()).toEqual({ n: 1 });
  });
});
