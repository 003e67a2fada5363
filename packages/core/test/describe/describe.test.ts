import { describe, expect, test } from 'vitest';
import { bytesText, countText, percentText } from '../../src/describe/quantity-text.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { newTable } from '../table/support.ts';

const shape = schema(
  {
    id: t.long().required(),
    ts: t.timestamptz().required(),
    city: t.string().doc('where it was'),
    tags: t.list(t.string()),
  },
  { identifier: ['id'] },
);

const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: BigInt(from + i),
    ts: `2024-01-0${(i % 2) + 1}T00:00:00Z`,
    city: 'Oslo',
    tags: [],
  }));

async function eventsTable(io = new MemoryFileIO()) {
  const table = await newTable(
    {
      schema: shape,
      partitionBy: [partitionBy.day('ts'), partitionBy.bucket(4, 'id')],
      sortBy: ['ts', { field: 'city', direction: 'desc', nulls: 'last' }],
      properties: { 'write.target-file-size-bytes': '10000' },
    },
    { io, runtime: new SeededRuntime(7) },
  );
  await table.append(rows(0, 4));
  await table.append(rows(4, 10));
  await table.createTag('first', { snapshotId: table.snapshots()[0]!.snapshotId });
  return table;
}

test('counts are those of the plan, from the manifest list alone', async () => {
  const io = new MemoryFileIO();
  const table = await eventsTable(io);
  const { metrics } = await table.scan().plan();
  const { contents, health, snapshot, snapshots, refs } = await table.describe();
  expect(contents).toMatchObject({
    rows: 14,
    dataFiles: metrics.filesTotal,
    bytes: metrics.bytesScanned,
    deleteFiles: 0,
    deletes: 0,
    files: null,
  });
  expect(health).toMatchObject({
    targetFileBytes: 10_000,
    averageFileBytes: Math.round(metrics.bytesScanned / metrics.filesTotal),
    deleteRatio: 0,
  });
  expect(health.findings).toHaveLength(1);
  expect([snapshot, snapshots, refs]).toEqual([table.currentSnapshot(), 2, table.refs()]);
});

test('files are looked at when asked for', async () => {
  const table = await eventsTable();
  const { tasks } = await table.scan().plan();
  const sizes = tasks.map(({ file }) => file.fileSizeInBytes);
  const { contents } = await table.describe({ files: true });
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(contents.files).toEqual({
    dataBytes: total,
    smallestBytes: Math.min(...sizes),
    largestBytes: Math.max(...sizes),
    smallFiles: sizes.length,
    smallFileBytes: total,
    positionDeleteFiles: 0,
    deletionVectors: 0,
    equalityDeleteFiles: 0,
    deleteBytes: 0,
  });
  await table.setProperties({ 'write.target-file-size-bytes': '100' });
  const { contents: later, health } = await table.describe({ files: true });
  expect(later.files?.smallFiles).toBe(0);
  expect(health.findings).toEqual([]);
});

test('it is of any snapshot, with its columns', async () => {
  const table = await eventsTable();
  await table.updateSchema((s) => s.deleteColumn('tags').renameColumn('city', 'town'));
  const old = await table.describe({ ref: 'first' });
  expect(old.contents.rows).toBe(4);
  expect(old.columns.map(({ name }) => name)).toEqual(['id', 'ts', 'city', 'tags']);
  expect(old.sortedBy).toEqual(['ts asc nulls first', 'city desc nulls last']);
  expect((await table.describe()).columns).toEqual([
    { name: 'id', type: 'long', required: true, isKey: true, writeDefault: null, doc: null },
    { name: 'ts', type: 'timestamptz', required: true, isKey: false, writeDefault: null, doc: null },
    { name: 'town', type: 'string', required: false, isKey: false, writeDefault: null, doc: 'where it was' },
  ]);
});

test('it prints neatly', async () => {
  const table = await eventsTable();
  const text = String(await table.describe({ files: true }));
  const { snapshotId, timestampMs } = table.currentSnapshot()!;
  const first = table.snapshots()[0]!.snapshotId;
  const masked = text
    .replaceAll(String(snapshotId), '<current>')
    .replaceAll(String(first), '<first>')
    .replaceAll(new Date(timestampMs).toISOString(), '<time>')
    .replaceAll(table.uuid, '<uuid>')
    .replaceAll(/[\d.]+ KiB/g, '<size>');
  expect(masked).toBe(`db.t
  location        memory:/wh/db/t
  format          v2
  uuid            <uuid>
  updated         <time>
  partitioned by  day(ts), bucket(4, id)
  sorted by       ts asc nulls first, city desc nulls last
  metadata        memory:/wh/db/t/metadata/v4.metadata.json, <size>
  snapshots       2
  tag             first → <first>
  branch          main → <current>

Columns
  id    long          key
  ts    timestamptz   required
  city  string                  where it was
  tags  list<string>

Snapshot
  id               <current>
  operation        append
  committed        <time>
  sequence number  2

Files
  rows          14
  data files    9
  size          <size>
  file size     <size> on average, the target is <size> (<size> to <size>)
  small files   9, <size>
  delete files  0
  deletes       0
  manifests     2 of data, 0 of deletes, <size>

Health
  slow  9 of 9 data files are smaller than 75 % of the target size (<size>): compaction would join them.

Properties
  write.target-file-size-bytes  10000`);
});

test('a table that nothing was written to, with odd names and a bad property', async () => {
  const table = await newTable({ schema: schema({ 'a\u001b[31m\n': t.int() }), formatVersion: 3 });
  const description = await table.describe({ files: true });
  expect(description.contents).toMatchObject({ rows: 0, dataFiles: 0, files: null });
  expect(description.snapshot).toBeNull();
  const text = description.toString();
  expect(text).toContain('none  nothing has been written');
  expect(text).toContain('  a [31m   int');
  expect(description.lines()[0]).toEqual({ section: 'Table', name: 'location', value: table.location });
  expect(Object.keys(description)).not.toContain('toString');
});

test('an aborted signal stops it', async () => {
  const table = await eventsTable();
  await expect(table.describe({ files: true, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
});

describe('quantities', () => {
  test.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1_048_575, '1,024 KiB'],
    [5 * 1024 ** 6, '5,120 PiB'],
  ])('%s bytes', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  test('counts and shares', () => {
    expect([0, 999, 1000, 1234567].map(countText)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 0.0001, 0.0005, 0.123, 1, 2.5].map(percentText)).toEqual([
      '0 %',
      '< 0.1 %',
      '0.1 %',
      '12.3 %',
      '100 %',
      '250 %',
    ]);
  });
});
