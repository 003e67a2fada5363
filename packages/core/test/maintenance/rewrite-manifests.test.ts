import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import type { ManifestEntry } from '../../src/spec/manifest.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { fileKey } from '../../src/transaction/file-key.ts';
import { rowText } from '../changes/multiset.ts';
import { entriesOf } from '../changes/random-table.ts';
import { expectError, listFiles, newTable, orphans } from '../table/support.ts';
import { randomHistory } from './random-history.ts';

const shape = schema({ id: t.long().required(), day: t.date() });

async function manyAppends(count: number, options: { readonly formatVersion?: FormatVersion } = {}) {
  const [io, runtime] = [new MemoryFileIO(), new SeededRuntime(3)];
  const spec = [partitionBy.identity('day')];
  const table = await newTable({ schema: shape, partitionBy: spec, ...options }, { io, runtime });
  for (let i = 0; i < count; i++) await table.append([{ id: BigInt(i), day: `2024-01-0${1 + (i % 3)}` }]);
  return { io, runtime, table };
}

async function manifestsOf({ io, metadata }: Table) {
  return readManifestList(io, metadata.snapshots.at(-1)!, metadata);
}

function described(entries: readonly ManifestEntry[]): readonly (readonly [string, unknown])[] {
  return entries
    .map(({ status: _status, ...entry }) => [fileKey(entry.file), entry] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe('rewriteManifests', () => {
  test('makes one of many, with the summary of Iceberg Java', async () => {
    const { table, io } = await manyAppends(6);
    const planned = await table.rewriteManifests({ dryRun: true });
    const report = await table.rewriteManifests();
    expect(report).toMatchObject({ rewrittenManifestsCount: 6, addedManifestsCount: 1, entriesProcessedCount: 6 });
    expect({ ...planned, dryRun: false, snapshotId: report.snapshotId }).toEqual(report);
    const { operation, summary } = table.currentSnapshot()!;
    expect(operation).toBe('replace');
    expect(summary).toMatchObject({
      'manifests-created': '1',
      'manifests-kept': '0',
      'manifests-replaced': '6',
      'entries-processed': '6',
      'changed-partition-count': '0',
      'total-data-files': '6',
      'total-records': '6',
    });
    expect(await table.scan().count()).toBe(6);
    expect(await orphans(table, io)).toEqual([]);
    // There is nothing left to do.
    expect(await table.rewriteManifests()).toMatchObject({ rewrittenManifestsCount: 0, snapshotId: null });
  });

  test('brings the files of a partition together', async () => {
    const { table } = await manyAppends(12);
    const bytes = (await manifestsOf(table)).reduce((sum, { length }) => sum + length, 0);
    const report = await table.rewriteManifests({ targetSizeBytes: Math.ceil(bytes / 3) });
    expect(report.addedManifestsCount).toBe(3);
    for (const { partitions } of await manifestsOf(table)) {
      expect(partitions![0]!.lowerBound).toEqual(partitions![0]!.upperBound);
    }
    const { metrics } = await table.scan({ filter: "day = '2024-01-02'" }).plan();
    expect(metrics).toMatchObject({ manifestsTotal: 3, manifestsScanned: 1 });
  });

  test('brings together what it is asked to', async () => {
    const table = await newTable({
      schema: schema({ id: t.long(), a: t.int(), b: t.int() }),
      partitionBy: [partitionBy.identity('a'), partitionBy.identity('b')],
    });
    for (let i = 0; i < 16; i++) await table.append([{ id: BigInt(i), a: i % 4, b: Math.floor(i / 4) }]);
    const read = async (filter: string): Promise<number> =>
      (await table.scan({ filter }).plan()).metrics.manifestsScanned;
    for (const [sortBy, first, other] of [
      [undefined, 'a = 2', 'b = 2'],
      [['b'], 'b = 2', 'a = 2'],
      [['a', 'b'], 'a = 2', 'b = 2'],
    ] as const) {
      const bytes = (await manifestsOf(table as Table)).reduce((sum, { length }) => sum + length, 0);
      await table.rewriteManifests({ targetSizeBytes: Math.ceil(bytes / 4), ...(sortBy && { sortBy }) });
      expect([await read(first), await read(other)]).toEqual([1, 4]);
    }
    await expectError(table.rewriteManifests({ sortBy: ['c'] }), 'INVALID_ARGUMENT', /'c', .*; it has a, b\./);
    expect(await table.scan().count()).toBe(16);
  });

  test('takes what it is told to', async () => {
    const { table } = await manyAppends(4);
    const [first, second] = await manifestsOf(table);
    const paths = [first!.path, second!.path];
    const report = await table.rewriteManifests({ where: ({ path }) => paths.includes(path) });
    expect(report.rewrittenManifestsCount).toBe(2);
    expect(await manifestsOf(table)).toHaveLength(3);
    await expectError(table.rewriteManifests({ specId: 7 }), 'INVALID_ARGUMENT');
    await expectError(table.rewriteManifests({ targetSizeBytes: 0 }), 'INVALID_ARGUMENT');
    await expectError(table.rewriteManifests({ signal: AbortSignal.abort() }), 'ABORTED');
  });

  test('keeps what others append meanwhile, and is not done twice for it', async () => {
    const { io, runtime, table } = await manyAppends(5);
    const slow = new FaultInjectingFileIO(io);
    const cleaner = await Table.load(table.location, { io: slow, runtime });
    const write = slow.write.bind(slow);
    let raced = false;
    slow.write = async (location, data, options) => {
      if (/snap-\d+-1-/.test(location) && !raced) {
        raced = true;
        await table.append([{ id: 9n, day: '2024-01-01' }]);
      }
      return write(location, data, options);
    };
    const report = await cleaner.rewriteManifests();
    expect(report).toMatchObject({ rewrittenManifestsCount: 5, addedManifestsCount: 1 });
    expect(await manifestsOf(cleaner)).toHaveLength(2);
    expect(await cleaner.scan().count()).toBe(6);
    expect(await orphans(cleaner, io)).toEqual([]);
  });

  test('changes nothing if it fails', async () => {
    const { io, runtime, table } = await manyAppends(4);
    const rules = [{ fault: 'fail-before', operations: ['write'] }] as const;
    const broken = new FaultInjectingFileIO(io, { rules });
    const before = await listFiles(io, `${table.location}/`);
    await expectError((await Table.load(table.location, { io: broken, runtime })).rewriteManifests(), 'UNAVAILABLE');
    expect(await listFiles(io, `${table.location}/`)).toEqual(before);
  });
});

const histories = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  formatVersion: fc.constantFrom<FormatVersion>(1, 2, 2, 3, 3),
  partitioned: fc.boolean(),
  sharedDeletes: fc.boolean(),
});

test('entries stay what they are, whatever the history', { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.integer({ min: 1, max: 6 }), async (options, parts) => {
      const random = await randomHistory(options, 10);
      const { table } = random;
      const head = table.currentSnapshot()!;
      const before = described(await entriesOf(random, table.metadata, head));
      const rows = (await table.scan().toRows()).map(rowText).toSorted();
      const manifests = await readManifestList(random.io, head, table.metadata);
      const bytes = manifests.reduce((sum, { length }) => sum + length, 0);
      for (const { specId } of table.metadata.partitionSpecs) {
        await table.rewriteManifests({ specId, targetSizeBytes: Math.ceil(bytes / parts) });
      }
      const after = described(await entriesOf(random, table.metadata, table.currentSnapshot()!));
      const idsAreNew = table.currentSnapshot()!.firstRowId !== null && head.firstRowId === null;
      expect(idsAreNew ? after.map(([, entry]) => withoutRowIds(entry)) : after).toEqual(
        idsAreNew ? before.map(([, entry]) => withoutRowIds(entry)) : before,
      );
      expect((await table.scan().toRows()).map(rowText).toSorted()).toEqual(rows);
    }),
    { numRuns: runs(12), endOnFailure: true },
  );
});

function withoutRowIds(entry: unknown): unknown {
  const { file, ...rest } = entry as ManifestEntry;
  return { ...rest, file: { ...file, firstRowId: null } };
}
