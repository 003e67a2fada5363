import { describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import type { MaintenanceOutcome, MaintenanceReport } from '../../../src/maintenance/maintain/report.ts';
import type { RewriteDataFilesOptions } from '../../../src/maintenance/rewrite-data-files/options.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { expectError, listFiles, newTable } from '../../table/support.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const shape = schema({ id: t.long().required() });

async function untidyTable(commits = 12, formatVersion: 2 | 3 = 2) {
  const runtime = new SeededRuntime(3);
  const io = new MemoryFileIO({ runtime });
  const table = (await newTable(
    { schema: shape, formatVersion, properties: { 'commit.manifest-merge.enabled': 'false' } },
    { io, runtime },
  )) as unknown as Table;
  for (let id = 0; id < commits; id++) await table.append([{ id: BigInt(id) }, { id: BigInt(100 + id) }]);
  await table.delete('id IN (1, 2, 103)', { mode: 'merge-on-read' });
  runtime.advance(10 * DAY_MS);
  await io.write(`${table.location}/data/lost.parquet`, Uint8Array.of(1));
  runtime.advance(10 * DAY_MS);
  return { io, runtime, table };
}

const outcomes = ({ steps }: MaintenanceReport): Readonly<Record<string, MaintenanceOutcome>> =>
  Object.fromEntries(steps.map(({ task, outcome }) => [task, outcome]));

async function settled<T>(runtime: SeededRuntime, tasks: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results = await runtime.run(tasks);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function ids(table: Table): Promise<readonly bigint[]> {
  const rows = (await table.scan().toRows()) as { id: bigint }[];
  return rows.map(({ id }) => id).toSorted((a, b) => Number(a - b));
}

describe('maintain', () => {
  test('tells what it would do, and changes nothing', async () => {
    const { io, table } = await untidyTable();
    const before = await listFiles(io, 'memory:/');
    const report = await table.maintain({ dryRun: true });
    expect(outcomes(report)).toEqual({
      rewriteDataFiles: 'planned',
      rewritePositionDeletes: 'not needed',
      rewriteManifests: 'planned',
      expireSnapshots: 'planned',
      removeOrphanFiles: 'planned',
    });
    expect(String(report)).toMatch(/^rewriteDataFiles {8}planned +12 files of .* in 1 groups$/m);
    expect(String(report)).toMatch(/^expireSnapshots {9}planned +12 snapshots and 0 refs$/m);
    expect(await listFiles(io, 'memory:/')).toEqual(before);
  });

  test.each([2, 3] as const)('does what is worth it, once (format version %i)', async (formatVersion) => {
    const { io, runtime, table } = await untidyTable(12, formatVersion);
    const rows = await ids(table);
    const seen: string[] = [];
    const report = await table.maintain({ onProgress: ({ task, state }) => seen.push(`${task} ${state}`) });
    expect(outcomes(report)).toMatchObject({
      rewriteDataFiles: 'done',
      expireSnapshots: 'done',
      removeOrphanFiles: 'done',
    });
    expect(seen.slice(0, 2)).toEqual(['rewriteDataFiles started', 'rewriteDataFiles ended']);
    expect(await ids(table)).toEqual(rows);
    expect((await table.scan().plan()).tasks.map(({ deletes }) => deletes.length)).toEqual([0]);
    expect(table.snapshots()).toHaveLength(1);
    expect((await listFiles(io, `${table.location}/data/`)).filter((file) => file.endsWith('.parquet'))).toHaveLength(
      1,
    );

    const again = await table.maintain();
    expect(new Set(Object.values(outcomes(again)))).toEqual(new Set(['not needed']));
    runtime.advance(8 * DAY_MS);
    expect(outcomes(await table.maintain({ dryRun: true }))).toMatchObject({ removeOrphanFiles: 'planned' });
  });

  test('keeps to the policy and its budget', async () => {
    const { table } = await untidyTable();
    const off = await table.maintain({ dataFiles: false, snapshots: false, orphanFiles: false, dryRun: true });
    expect(outcomes(off)).toMatchObject({
      rewriteDataFiles: 'turned off',
      rewriteManifests: 'planned',
      expireSnapshots: 'turned off',
      removeOrphanFiles: 'turned off',
    });
    const files = (await table.scan().plan()).tasks.map(({ file }) => file.fileSizeInBytes);
    const bytes = 6 * Math.max(...files);
    const some = await table.maintain({ budget: { bytes, memoryBytes: 1 }, snapshots: false, orphanFiles: false });
    expect(outcomes(some)['rewriteDataFiles']).toBe('done');
    const left = (await table.scan().plan()).tasks.length;
    expect(left).toBeGreaterThan(1);
    expect(left).toBeLessThan(12);
    const none = await table.maintain({ budget: { bytes: 1 }, dryRun: true });
    expect(['no budget', 'not needed']).toContain(outcomes(none)['rewriteDataFiles']);
  });

  test('ends when the time is over, and leaves a good table', async () => {
    const { io, runtime, table } = await untidyTable();
    const rows = await ids(table);
    const slow = new FaultInjectingFileIO(io, { runtime, latencyMs: 50 });
    const [report] = await settled(runtime, [
      async () => {
        const handle = await Table.load(table.location, { io: slow, runtime });
        return handle.maintain({ budget: { timeMs: 400 } });
      },
    ]);
    expect(Object.values(outcomes(report!))).toContain('out of time');
    await table.refresh();
    expect(await ids(table)).toEqual(rows);
    await table.removeOrphanFiles({ olderThan: runtime.now() + DAY_MS });
    expect(await ids(table)).toEqual(rows);
  });

  test('rewrites little at a time where the time may end it', async () => {
    const { table } = await untidyTable();
    const asked: RewriteDataFilesOptions[] = [];
    const rewriteDataFiles = table.rewriteDataFiles.bind(table);
    table.rewriteDataFiles = (options: RewriteDataFilesOptions) => (asked.push(options), rewriteDataFiles(options));
    const only = { positionDeletes: false, manifests: false, snapshots: false, orphanFiles: false };
    const budget = { timeMs: 60_000 };
    await table.maintain({ ...only, budget, dryRun: true });
    await table.maintain({ ...only, dryRun: true });
    await table.maintain({ ...only, budget, dataFiles: { maxFileGroupSizeBytes: 5 }, dryRun: true });
    await table.maintain({ ...only, budget: { ...budget, bytes: 3000.5 } });
    expect(asked.map(({ maxFileGroupSizeBytes }) => maxFileGroupSizeBytes)).toEqual([
      2 ** 31,
      undefined,
      5,
      3000,
      3000,
    ]);
    expect(asked.at(-1)!.partialProgress).toMatchObject({ maxCommits: 1 });
  });

  test('goes on when a task fails, and says why', async () => {
    const { table } = await untidyTable();
    await table.setProperties({ 'gc.enabled': 'false' });
    const report = await table.maintain();
    expect(outcomes(report)).toMatchObject({
      rewriteDataFiles: 'done',
      expireSnapshots: 'failed',
      removeOrphanFiles: 'failed',
    });
    expect(report.steps[3]!.error).toMatchObject({ code: 'UNSUPPORTED' });
    expect(String(report)).toContain('gc.enabled');
  });

  test('may be called by several at once', async () => {
    const { io, runtime, table } = await untidyTable();
    const rows = await ids(table);
    const slow = new FaultInjectingFileIO(io, { runtime, latencyMs: 20 });
    const load = (): Promise<Table> => Table.load(table.location, { io: slow, runtime });
    const maintain = async (): Promise<MaintenanceReport> =>
      (await load()).maintain({ snapshots: { olderThan: runtime.now() - DAY_MS } });
    const append = async (): Promise<null> => {
      await (await load()).append([{ id: 999n }]);
      return null;
    };
    const reports = await settled<MaintenanceReport | null>(runtime, [maintain, maintain, append, maintain]);
    for (const report of reports) expect(Object.values(report ? outcomes(report) : {})).not.toContain('failed');
    await table.refresh();
    expect(await ids(table)).toEqual([...rows, 999n]);
    expect(await table.removeOrphanFiles({ olderThan: runtime.now() + DAY_MS, dryRun: true })).toMatchObject({
      failed: [],
    });
  });

  test('refuses what it does not know, and stops when told to', async () => {
    const { table } = await untidyTable(1);
    await expectError(table.maintain({ datafiles: false } as object), 'INVALID_ARGUMENT', /datafiles/);
    await expectError(table.maintain({ budget: { bytes: 0 } }), 'INVALID_ARGUMENT', /budget.bytes/);
    await expectError(table.maintain({ signal: AbortSignal.abort() }), 'ABORTED');
  });
});
