import { describe, expect, test } from 'vitest';
import type { TableOperations } from '../../src/catalog/catalog.ts';
import { fileSystemTableOperations } from '../../src/catalog/file-system/table-operations.ts';
import { LakehouseError } from '../../src/errors.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { Runtime } from '../../src/runtime.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { tableFromOperations } from '../../src/table.ts';
import type { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { CATALOGS, expectError, listFiles, newTable, openCatalog, orphans } from './support.ts';

const shape = schema({ id: t.long().required(), note: t.string() });
const LOCATION = 'memory:/wh/db/t';

/** A runtime that doesn't wait, but tells how long it was asked to. */
function impatient(seed: number): Runtime & { readonly waits: number[] } {
  const seeded = new SeededRuntime(seed);
  const waits: number[] = [];
  return {
    waits,
    concurrency: 4,
    now: () => seeded.now(),
    randomBytes: (length) => seeded.randomBytes(length),
    async sleep(milliseconds) {
      waits.push(milliseconds);
      seeded.advance(milliseconds);
    },
  };
}

/** The table behind operations whose commits go through `intercept`. */
async function intercepted(
  io: MemoryFileIO | FaultInjectingFileIO,
  runtime: Runtime,
  intercept: (
    commit: () => ReturnType<TableOperations['commit']>,
    attempt: number,
  ) => ReturnType<TableOperations['commit']>,
): Promise<Table> {
  const inner = fileSystemTableOperations(LOCATION, io, { runtime, name: 'db.t' });
  let attempt = 0;
  const operations: TableOperations = {
    name: 'db.t',
    io,
    readOnly: null,
    load: () => inner.load(),
    commit: (...commit) => intercept(() => inner.commit(...commit), ++attempt),
    newMetadataFileLocation: (metadata, fileName) => inner.newMetadataFileLocation(metadata, fileName),
  };
  return tableFromOperations(operations, await operations.load(), { runtime });
}

describe('a commit that loses its race', () => {
  test('is made again from the same files, and leaves nothing of the lost attempts', async () => {
    const memory = new MemoryFileIO();
    const setup = await newTable({ schema: shape, formatVersion: 3 }, { io: memory });
    const io = new FaultInjectingFileIO(memory);
    const runtime = impatient(7);
    const other = await (
      await openCatalog('file-system', { io: memory, runtime: new SeededRuntime(3) })
    ).loadTable('db.t');
    const table = await intercepted(io, runtime, async (commit, attempt) => {
      if (attempt <= 3) await other.append([{ id: BigInt(100 + attempt) }]);
      return commit();
    });

    const commit = await table.append([{ id: 1n, note: 'mine' }]);

    expect(commit.attempts).toBe(4);
    const writes = io.calls.filter((call) => call.operation === 'write').map((call) => call.location);
    expect(writes.filter((path) => path.endsWith('.parquet'))).toHaveLength(1);
    expect(writes.filter((path) => /-m\d+\.avro$/.test(path))).toHaveLength(1);
    const lists = writes.filter((path) => /\/snap-/.test(path));
    expect(lists).toHaveLength(4);
    const files = await listFiles(memory, LOCATION);
    expect(lists.filter((path) => files.includes(path))).toEqual([table.currentSnapshot()!.manifestList]);

    expect(runtime.waits).toEqual([]);
    expect(new Set((await table.scan().toRows()).map((row) => row['id']))).toEqual(new Set([1n, 101n, 102n, 103n]));
    // Row ids and sequence numbers are those of the attempt that won.
    const mine = table.currentSnapshot()!;
    expect([mine.sequenceNumber, mine.firstRowId, mine.addedRows]).toEqual([4n, 3n, 1n]);
    expect(table.metadata.nextRowId).toBe(4n);
    expect(mine.summary['total-records']).toBe('4');
    expect(setup.snapshots()).toHaveLength(0);
  });

  test('gives up after commit.retry.num-retries, and deletes what it staged', async () => {
    const io = new MemoryFileIO();
    const made = await newTable({ schema: shape, properties: { 'commit.retry.num-retries': '2' } }, { io });
    await made.append([{ id: 5n }]);
    const before = await listFiles(io, LOCATION);
    let attempts = 0;
    const table = await intercepted(io, impatient(1), () => {
      attempts++;
      return Promise.reject(new LakehouseError('COMMIT_CONFLICT', 'Another writer won.', { retryable: true }));
    });
    const failed = table.append([{ id: 1n }]);
    await expectError(failed, 'COMMIT_CONFLICT', /30 times in a row/);
    await expect(failed).rejects.toMatchObject({ retryable: true });
    expect(attempts).toBe(30);
    expect(await listFiles(io, LOCATION)).toEqual(before);
  });

  test('waits longer from round to round, and not at all after the last one', async () => {
    const properties = { 'commit.retry.max-wait-ms': '300' };
    const io = new MemoryFileIO();
    await newTable({ schema: shape, properties }, { io });
    const runtime = impatient(1);
    const table = await intercepted(io, runtime, () =>
      Promise.reject(new LakehouseError('COMMIT_CONFLICT', 'Another writer won.')),
    );
    await expectError(table.append([{ id: 1n }]), 'COMMIT_CONFLICT', /50 times in a row/);
    const most = [100, 200, 300, 300];
    expect(runtime.waits).toHaveLength(4);
    runtime.waits.forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(most[i]! / 2);
      expect(wait).toBeLessThanOrEqual(most[i]!);
    });
  });

  test('is not made again with commit.retry.num-retries = 0', async () => {
    const io = new MemoryFileIO();
    await newTable({ schema: shape, properties: { 'commit.retry.num-retries': '0' } }, { io });
    let attempts = 0;
    const table = await intercepted(io, impatient(1), () => {
      attempts++;
      return Promise.reject(new LakehouseError('COMMIT_CONFLICT', 'Another writer won.'));
    });
    await expectError(table.append([{ id: 1n }]), 'COMMIT_CONFLICT');
    expect(attempts).toBe(1);
  });

  test('gives up when commit.retry.total-timeout-ms is over', async () => {
    const properties = { 'commit.retry.num-retries': '1000', 'commit.retry.total-timeout-ms': '5000' };
    const io = new MemoryFileIO();
    await newTable({ schema: shape, properties }, { io });
    const runtime = impatient(1);
    const table = await intercepted(io, runtime, () =>
      Promise.reject(new LakehouseError('COMMIT_CONFLICT', 'Another writer won.')),
    );
    await expectError(table.append([{ id: 1n }]), 'COMMIT_CONFLICT');
    expect(runtime.waits.length).toBeLessThan(12);
  });

  test('is not made again when a signal is aborted', async () => {
    const io = new MemoryFileIO();
    await newTable({ schema: shape }, { io });
    const before = await listFiles(io, LOCATION);
    const controller = new AbortController();
    const table = await intercepted(io, impatient(1), () => {
      controller.abort();
      return Promise.reject(new LakehouseError('COMMIT_CONFLICT', 'Another writer won.'));
    });
    await expectError(table.append([{ id: 1n }], { signal: controller.signal }), 'ABORTED');
    expect(await listFiles(io, LOCATION)).toEqual(before);
  });

  test('is found to have won when the conflict was with itself', async () => {
    const io = new MemoryFileIO();
    await newTable({ schema: shape }, { io });
    const table = await intercepted(io, impatient(1), async (commit) => {
      await commit();
      throw new LakehouseError('COMMIT_CONFLICT', 'The second delivery of the request.');
    });
    const commit = await table.append([{ id: 1n }]);
    expect(commit).toMatchObject({ changed: true, attempts: 1 });
    expect(await table.scan().toRows()).toEqual([{ id: 1n, note: null }]);
    expect(table.snapshots()).toHaveLength(1);
  });

  test('keeps its files when it is aborted after a conflict with itself', async () => {
    const io = new MemoryFileIO();
    await newTable({ schema: shape, properties: { 'commit.retry.min-wait-ms': '0' } }, { io });
    const controller = new AbortController();
    const table = await intercepted(io, impatient(1), async (commit) => {
      await commit();
      controller.abort();
      throw new LakehouseError('COMMIT_CONFLICT', 'The second delivery of the request.');
    });
    const commit = await table.append([{ id: 1n }], { signal: controller.signal });
    expect(commit).toMatchObject({ changed: true, attempts: 1 });
    expect(await table.scan().toRows()).toEqual([{ id: 1n, note: null }]);
  });
});

describe('merged manifests over retries', () => {
  const ids = async (table: Table): Promise<bigint[]> =>
    (await table.scan().toRows()).map((row) => row['id'] as bigint).toSorted();

  async function racing(theirs: (other: Table) => Promise<unknown>) {
    const memory = new MemoryFileIO();
    const properties = { 'commit.manifest.min-count-to-merge': '4' };
    const setup = await newTable({ schema: shape, formatVersion: 3, properties }, { io: memory });
    for (let i = 0n; i < 3n; i++) await setup.append([{ id: i }]);
    const io = new FaultInjectingFileIO(memory);
    const table = await intercepted(io, impatient(7), async (commit, attempt) => {
      if (attempt === 1) await theirs(setup);
      return commit();
    });
    const commit = await table.append([{ id: 10n }]);
    expect(commit.attempts).toBe(2);
    expect(await orphans(table, memory)).toEqual([]);
    const manifests = io.calls.filter((call) => call.operation === 'write' && /-m\d+\.avro$/.test(call.location));
    return { table, commit, manifestWrites: manifests.length };
  }

  test('stay when their inputs do', async () => {
    // A branch moves the table on without touching the manifests of main.
    const { table, commit, manifestWrites } = await racing(async (other) => {
      await other.createBranch('audit');
      await other.append([{ id: 11n }], { branch: 'audit' });
      await other.setProperties({ a: 'b' });
      await other.updateSchema((s) => s.addColumn('extra', t.int()));
    });
    expect(manifestWrites).toBe(2);
    expect(commit.summary).toMatchObject({
      'manifests-created': '1',
      'manifests-kept': '0',
      'manifests-replaced': '3',
    });
    expect(await ids(table)).toEqual([0n, 1n, 10n, 2n].toSorted());
  });

  test('are dropped when another writer has merged the same ones', async () => {
    const { table, commit, manifestWrites } = await racing((other) => other.append([{ id: 11n }]));
    expect(manifestWrites).toBe(2);
    expect(commit.summary).toMatchObject({
      'manifests-created': '1',
      'manifests-kept': '1',
      'manifests-replaced': '0',
    });
    expect(await ids(table)).toEqual([0n, 1n, 2n, 10n, 11n].toSorted());
    const rows = await table.scan({ select: ['id', '_row_id'] }).toRows();
    // The merged manifest reserves ids for the rows that have theirs, too (spec: "First Row ID Assignment").
    expect(new Set(rows.map((row) => row['_row_id']))).toEqual(new Set([0n, 1n, 2n, 3n, 7n]));
  });
});

describe('a commit whose answer is lost', () => {
  test('raises COMMIT_STATE_UNKNOWN and deletes nothing', async () => {
    const io = new MemoryFileIO();
    await newTable({ schema: shape }, { io });
    const table = await intercepted(io, impatient(1), async (commit) => {
      await commit();
      throw new LakehouseError('COMMIT_STATE_UNKNOWN', 'The answer was lost.');
    });
    await expectError(table.append([{ id: 1n }]), 'COMMIT_STATE_UNKNOWN');
    expect(await (await table.refresh()).scan().toRows()).toEqual([{ id: 1n, note: null }]);
  });

  test('also when the error is none of ours', async () => {
    const io = new MemoryFileIO();
    await newTable({ schema: shape }, { io });
    const table = await intercepted(io, impatient(1), async (commit) => {
      await commit();
      throw new TypeError('fetch failed');
    });
    await expect(table.append([{ id: 1n }])).rejects.toThrow('fetch failed');
    expect(await (await table.refresh()).scan().count()).toBe(1);
  });
});

describe('what others did meanwhile', () => {
  async function race(
    mine: (table: Table) => Promise<unknown>,
    theirs: (table: Table) => Promise<unknown>,
  ): Promise<Table> {
    const io = new MemoryFileIO();
    const catalog = await openCatalog('file-system', { io, runtime: impatient(11) });
    const other = await catalog.createTable('db.t', { schema: shape, formatVersion: 2 });
    const table = await intercepted(io, impatient(5), async (commit, attempt) => {
      if (attempt === 1) await theirs(other);
      return commit();
    });
    await mine(table);
    return table.refresh();
  }
  const append = (table: Table): Promise<unknown> => table.append([{ id: 1n, note: 'mine' }]);

  test('new, renamed and dropped columns are fine', async () => {
    const table = await race(append, (other) =>
      other.updateSchema((s) => s.addColumn('extra', t.int()).renameColumn('note', 'remark')),
    );
    expect(await table.scan().toRows()).toEqual([{ id: 1n, remark: 'mine', extra: null }]);
    const without = await race(append, (other) => other.updateSchema((s) => s.deleteColumn('note')));
    expect(await without.scan().toRows()).toEqual([{ id: 1n }]);
  });

  test('a format upgrade is followed', async () => {
    const table = await race(append, (other) => other.upgradeFormatVersion(3));
    expect(table.currentSnapshot()).toMatchObject({ firstRowId: 0n, addedRows: 1n });
    expect(await table.scan().toRows()).toEqual([{ id: 1n, note: 'mine' }]);
  });

  test('another partitioning does not matter to files that are written', async () => {
    const { partitionBy } = await import('../../src/spec/partition-by.ts');
    const table = await race(append, (other) => other.updateSpec((p) => p.add(partitionBy.bucket(4, 'id'))));
    expect(await table.scan().toRows()).toEqual([{ id: 1n, note: 'mine' }]);
  });

  test('the same column added by both goes through once', async () => {
    const table = await race(
      (mine) => mine.append([{ id: 1n, extra: 5 }], { mergeSchema: true }),
      (other) => other.append([{ id: 2n, extra: 6 }], { mergeSchema: true }),
    );
    expect(table.schema.fields.map((field) => field.name)).toEqual(['id', 'note', 'extra']);
    expect(await table.scan({ filter: 'id = 1' }).toRows()).toEqual([{ id: 1n, note: null, extra: 5 }]);
  });

  test('another column under the id of one that was merged in is a conflict', async () => {
    const raced = race(
      (mine) => mine.append([{ id: 1n, extra: 5 }], { mergeSchema: true }),
      (other) => other.updateSchema((s) => s.addColumn('other', t.string())),
    );
    await expectError(raced, 'COMMIT_CONFLICT', /another id/);
  });

  test.each(CATALOGS)('a table of a %s catalog that was dropped and made again is not written to', async (kind) => {
    const catalog = await openCatalog(kind, { runtime: impatient(11) });
    const table = await catalog.createTable('db.t', { schema: shape });
    await catalog.dropTable('db.t');
    await expectError(table.append([{ id: 1n }]), 'NOT_FOUND');
    await catalog.createTable('db.t', { schema: shape });
    await expectError(table.append([{ id: 1n }]), 'NOT_FOUND');
    await expectError(table.refresh(), 'NOT_FOUND');
    expect(await (await catalog.loadTable('db.t')).scan().count()).toBe(0);
  });
});
