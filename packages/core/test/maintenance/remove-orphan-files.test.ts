import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { comparableLocation, pathInStore } from '../../src/io/locations.ts';
import { LocationSet } from '../../src/maintenance/location-set.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { Table } from '../../src/table.ts';
import { expectError, listFiles, newTable } from '../table/support.ts';

const shape = schema({ id: t.long().required(), day: t.date() });
const DAY_MS = 24 * 60 * 60 * 1000;

/** A table with a few commits, and its clock four days later. */
async function oldTable(options: { readonly properties?: Record<string, string> } = {}) {
  const runtime = new SeededRuntime(5);
  const io = new MemoryFileIO({ runtime });
  const table = await newTable(
    { schema: shape, partitionBy: [partitionBy.identity('day')], ...options },
    { io, runtime },
  );
  await table.append([{ id: 1n, day: '2024-01-01' }]);
  await table.append([{ id: 2n, day: '2024-01-02' }]);
  await table.delete("day = '2024-01-01'");
  await table.createTag('old', { snapshotId: table.snapshots()[0]!.snapshotId });
  runtime.advance(4 * DAY_MS);
  return { io, runtime, table };
}

describe('removeOrphanFiles', () => {
  test('finds nothing in a table that nothing went wrong with', async () => {
    const { io, table } = await oldTable();
    const before = await listFiles(io, `${table.location}/`);
    const report = await table.removeOrphanFiles();
    expect(report).toMatchObject({ orphanFiles: [], filesDeleted: 0, failed: [], dryRun: false });
    expect(report.filesListed).toBe(before.length);
    expect(await listFiles(io, `${table.location}/`)).toEqual(before);
  });

  test('deletes what no snapshot reaches, once it is old enough', async () => {
    const { io, runtime, table } = await oldTable();
    const live = await listFiles(io, `${table.location}/`);
    const strays = [`${table.location}/data/day=2024-01-01/lost.parquet`, `${table.location}/metadata/lost-m0.avro`];
    for (const stray of strays) await io.write(stray, Uint8Array.of(1, 2, 3));
    expect((await table.removeOrphanFiles()).orphanFiles).toEqual([]);

    runtime.advance(2 * DAY_MS);
    const named = await table.removeOrphanFiles({ olderThan: runtime.now(), dryRun: true });
    expect(named).toMatchObject({ orphanFiles: strays, orphanBytes: 6, filesDeleted: 0, dryRun: true });
    expect(await listFiles(io, `${table.location}/`)).toHaveLength(live.length + 2);

    runtime.advance(2 * DAY_MS);
    const progress: number[] = [];
    const removed = await table.removeOrphanFiles({ onProgress: ({ filesDeleted }) => progress.push(filesDeleted) });
    expect(removed).toMatchObject({ orphanFiles: strays, filesDeleted: 2, failed: [] });
    expect(progress).toEqual([2]);
    expect(await listFiles(io, `${table.location}/`)).toEqual(live);
    expect(await table.scan({ ref: 'old' }).toRows()).toEqual([{ id: 1n, day: '2024-01-01' }]);
  });

  test('leaves what is not Iceberg’s, and the versions of the metadata', async () => {
    const { io, runtime, table } = await oldTable();
    const others = ['_delta_log/0.json', '.hidden', 'data/_SUCCESS', 'metadata/v99.metadata.json'];
    for (const name of others) await io.write(`${table.location}/${name}`, Uint8Array.of(1));
    const before = await listFiles(io, `${table.location}/`);
    runtime.advance(9 * DAY_MS);
    expect((await table.removeOrphanFiles()).orphanFiles).toEqual([]);
    expect(await listFiles(io, `${table.location}/`)).toEqual(before);
  });

  test('keeps what is committed while it lists', async () => {
    const { io, runtime, table } = await oldTable();
    const writer = await Table.load(table.location, { io, runtime });
    const slow = new FaultInjectingFileIO(io);
    const cleaner = await Table.load(table.location, { io: slow, runtime });
    const list = slow.list.bind(slow);
    slow.list = async function* (prefix, options) {
      if (prefix === `${table.location}/`) await writer.append([{ id: 3n, day: '2024-01-03' }]);
      yield* list(prefix, options);
    };
    const report = await cleaner.removeOrphanFiles({ olderThan: runtime.now() + DAY_MS });
    expect(report.orphanFiles).toEqual([]);
    expect(await writer.scan().count()).toBe(2);
  });

  test('goes on with what is left when snapshots expire while it reads them', async () => {
    const { io, runtime, table } = await oldTable();
    await io.write(`${table.location}/data/lost.parquet`, Uint8Array.of(1));
    const writer = await Table.load(table.location, { io, runtime });
    const slow = new FaultInjectingFileIO(io);
    const cleaner = await Table.load(table.location, { io: slow, runtime });
    const read = slow.read.bind(slow);
    let expired: Promise<unknown> | null = null;
    slow.read = async (location, options) => {
      if (location.includes('/snap-')) await (expired ??= writer.expireSnapshots({ olderThan: runtime.now() }));
      return read(location, options);
    };
    const report = await cleaner.removeOrphanFiles({ olderThan: runtime.now() + DAY_MS });
    expect(writer.snapshots().length).toBeLessThan(table.snapshots().length);
    expect(report.orphanFiles).toEqual([`${table.location}/data/lost.parquet`]);
    expect(await writer.scan().count()).toBe(1);
  });

  test('deletes nothing if something reachable can’t be read', async () => {
    const { io, table } = await oldTable();
    await io.write(`${table.location}/data/lost.parquet`, Uint8Array.of(1));
    const broken = new FaultInjectingFileIO(io, {
      rules: [{ fault: 'fail-before', operations: ['read'], when: ({ location }) => location.endsWith('-m0.avro') }],
    });
    const cleaner = await Table.load(table.location, { io: broken });
    const before = await listFiles(io, `${table.location}/`);
    await expectError(cleaner.removeOrphanFiles({ olderThan: Date.now() }), 'UNAVAILABLE');
    expect(await listFiles(io, `${table.location}/`)).toEqual(before);
  });

  test('refuses locations of others', async () => {
    const { io, runtime, table } = await oldTable();
    await expectError(table.removeOrphanFiles({ location: 'memory:/wh' }), 'INVALID_ARGUMENT');
    await expectError(table.removeOrphanFiles({ location: `${table.location}/../other` }), 'INVALID_ARGUMENT');
    await io.write(`${table.location}/nested/metadata/v1.metadata.json`, Uint8Array.of(1));
    await expectError(table.removeOrphanFiles({ olderThan: runtime.now() + 1 }), 'UNSUPPORTED');
    await table.setProperties({ 'gc.enabled': 'false' });
    await expectError(table.removeOrphanFiles(), 'UNSUPPORTED');
  });

  test('deletes copies that were staged, once they are old enough', async () => {
    const { io, runtime, table } = await oldTable();
    const before = await listFiles(io, `${table.location}/`);
    await table.rewriteTablePath({ sourcePrefix: table.location, targetPrefix: 's3://other/copy' });
    const staged = (await listFiles(io, `${table.location}/`)).filter((file) => !before.includes(file));
    expect(await table.removeOrphanFiles()).toMatchObject({ orphanFiles: [] });
    runtime.advance(4 * DAY_MS);
    expect([...(await table.removeOrphanFiles()).orphanFiles].toSorted()).toEqual(staged.toSorted());
    expect(await listFiles(io, `${table.location}/`)).toEqual(before);
  });

  test('refuses a directory of metadata that two tables share', async () => {
    const { io, runtime, table } = await oldTable();
    const other = await newTable({ schema: shape }, { io: new MemoryFileIO(), runtime });
    const text = new TextDecoder().decode(await other.io.read(other.metadataLocation));
    const path = `${table.location}/metadata/00001-5e0e8a2e-0000-4000-8000-000000000000.metadata.json`;
    await io.write(path, new TextEncoder().encode(text));
    await expectError(table.removeOrphanFiles(), 'UNSUPPORTED', /another table/);
    // One of its own, which a commit that failed has left, is an orphan.
    await io.write(path, new TextEncoder().encode(text.replace(other.uuid, table.uuid)));
    expect((await table.removeOrphanFiles({ olderThan: runtime.now() + 1 })).orphanFiles).toEqual([path]);
  });

  test('refuses a location within another table', async () => {
    const { io, table } = await oldTable();
    await io.write(`${table.location}/nested/metadata/v1.metadata.json`, Uint8Array.of(1));
    await expectError(table.removeOrphanFiles({ location: `${table.location}/nested/data` }), 'UNSUPPORTED');
    expect((await table.removeOrphanFiles({ location: `${table.location}/data` })).orphanFiles).toEqual([]);
  });

  test('removes versions that have left the log, oldest first, and nobody else’s', async () => {
    const { io, runtime, table } = await oldTable({ properties: { 'write.metadata.previous-versions-max': '2' } });
    for (const key of ['a', 'b', 'c']) await table.setProperties({ [key]: '1' });
    runtime.advance(4 * DAY_MS);
    const versions = async () =>
      (await listFiles(io, `${table.location}/metadata/v`)).filter((file) => file.endsWith('.json'));
    const before = await versions();
    // An earlier table of this name, which was dropped.
    const dropped = new TextDecoder()
      .decode(await io.read(before[1]!))
      .replace(table.uuid, 'ffffffff-0000-4000-8000-000000000000');
    await io.write(before[1]!, new TextEncoder().encode(dropped));
    const old = before.filter((_, i) => i !== 1).slice(0, -3);
    expect(old.length).toBeGreaterThan(0);
    const young = await table.removeOrphanFiles({ olderThan: runtime.now() + 1 });
    expect(young.orphanFiles).toEqual(old.slice(0, 1));

    runtime.advance(20 * 60_000);
    const rules = [{ fault: 'fail-before', operations: ['delete'], when: () => true }] as const;
    const broken = await Table.load(table.location, { io: new FaultInjectingFileIO(io, { rules }), runtime });
    await expectError(broken.removeOrphanFiles({ olderThan: runtime.now() + 1 }), 'UNAVAILABLE');
    const report = await table.removeOrphanFiles({ olderThan: runtime.now() + 1 });
    expect(report.orphanFiles).toEqual(old.slice(1));
    expect(await versions()).toEqual(before.filter((file) => !old.includes(file)));
    await table.append([{ id: 8n, day: null }]);
    expect(await (await Table.load(table.location, { io, runtime })).scan().count()).toBe(2);
  });

  test('lists once more where there are many orphans', async () => {
    const { io, runtime, table } = await oldTable();
    const many = 20_500;
    for (let i = 0; i < many; i++) await io.write(`${table.location}/data/lost-${i}.parquet`, Uint8Array.of(1));
    const live = (await listFiles(io, `${table.location}/`)).length - many;
    const report = await table.removeOrphanFiles({ olderThan: runtime.now() + 1 });
    expect(report).toMatchObject({ orphanFilesCount: many, filesDeleted: many, orphanBytes: many, failed: [] });
    expect(new Set(report.orphanFiles).size).toBe(many);
    expect(await listFiles(io, `${table.location}/`)).toHaveLength(live);
  });

  test('stops when it is told to', async () => {
    const { table } = await oldTable();
    await expectError(table.removeOrphanFiles({ signal: AbortSignal.abort() }), 'ABORTED');
  });
});

test('names of one file are one', () => {
  const same = [
    ['s3a://b/x', 's3://b/x'],
    ['s3n://b/x', 's3://b/x'],
    ['file:///a/b', '/a/b'],
    ['file:/a/b', '/a/b'],
    ['file://localhost/a', '/a'],
  ];
  for (const [a, b] of same) expect(comparableLocation(a!)).toBe(comparableLocation(b!));
  expect(comparableLocation('s3://b/x')).not.toBe(comparableLocation('s3://c/x'));
  expect(comparableLocation('/a//b')).not.toBe(comparableLocation('/a/b'));
  expect(pathInStore('s3://b/x/y')).toBe(pathInStore('gs://c/x/y'));
});

test('a set of locations has what was added, and next to nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 50 }), fc.nat(50), (texts, cut) => {
      const set = new LocationSet();
      for (const text of texts.slice(0, cut)) set.add(text);
      texts.forEach((text, i) => expect(set.has(text)).toBe(i < cut));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(3000)), { maxLength: 9000 }), (steps) => {
      const [set, model] = [new LocationSet(), new Set<string>()];
      let same = true;
      for (const [adds, n] of steps) {
        const text = `file-${n}`;
        if (!adds) same &&= set.delete(text) === model.delete(text);
        else {
          set.add(text);
          model.add(text);
        }
      }
      expect(same).toBe(true);
      expect(set.size).toBe(model.size);
      const wrong = Array.from({ length: 3001 }, (_, n) => `file-${n}`).filter(
        (text) => set.has(text) !== model.has(text),
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: 20 },
  );
  const set = new LocationSet();
  for (let i = 0; i < 200_000; i++) set.add(`s3://bucket/wh/t/data/00000-${i}-0f3c.parquet`);
  expect(set.size).toBe(200_000);
});
