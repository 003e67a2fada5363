import { describe, expect, test } from 'vitest';
import type { FileIO } from '../../src/io/file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import type { Table } from '../../src/table.ts';
import { FORMAT_VERSIONS, newTable, orphans } from './support.ts';

const shape = schema({ id: t.long().required() });

const manifestsOf = (
  table: Pick<Table, 'metadata' | 'currentSnapshot'>,
  io: FileIO,
): Promise<readonly ManifestFile[]> => readManifestList(io, table.currentSnapshot()!, table.metadata);

async function entriesOf(
  table: Pick<Table, 'metadata' | 'schema'>,
  io: FileIO,
  manifest: ManifestFile,
): Promise<readonly ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  const options = { specs: table.metadata.partitionSpecs, schema: table.schema };
  for await (const batch of readManifest(io, manifest, options)) entries.push(...batch);
  return entries;
}

async function mergingTable(formatVersion: FormatVersion, minCount: number) {
  const io = new MemoryFileIO();
  const properties = { 'commit.manifest.min-count-to-merge': String(minCount) };
  return { io, table: await newTable({ schema: shape, formatVersion, properties }, { io }) };
}

describe.each(FORMAT_VERSIONS)('in a v%i table', (formatVersion) => {
  test('manifests are merged when there are enough of them', async () => {
    const { io, table } = await mergingTable(formatVersion, 3);
    const counts: number[] = [];
    for (let i = 0; i < 6; i++) {
      await table.append([{ id: BigInt(i) }]);
      counts.push((await manifestsOf(table, io)).length);
    }
    // The third append merges three into one; from there it takes two more each time.
    expect(counts).toEqual([1, 2, 1, 2, 1, 2]);
    expect((await table.scan().toRows()).map((row) => row.id).toSorted()).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
    expect(await orphans(table, io)).toEqual([]);
    const merging = table.snapshots()[4]!.summary;
    expect([merging['manifests-created'], merging['manifests-kept'], merging['manifests-replaced']]).toEqual([
      '1',
      '0',
      '2',
    ]);
  });

  test('a merged manifest adds what is new and keeps the rest as it was', async () => {
    const { io, table } = await mergingTable(formatVersion, 3);
    for (let i = 0; i < 3; i++) await table.append([{ id: BigInt(i) }, { id: BigInt(i + 10) }]);
    const [manifest] = await manifestsOf(table, io);
    expect(manifest).toMatchObject({
      addedFilesCount: 1,
      existingFilesCount: 2,
      addedRowsCount: 2,
      existingRowsCount: 4,
    });
    const numbered = formatVersion > 1;
    expect([manifest!.sequenceNumber, manifest!.minSequenceNumber]).toEqual(numbered ? [3n, 1n] : [0n, 0n]);
    const entries = await entriesOf(table, io, manifest!);
    const [first, second, third] = table.snapshots().map((snapshot) => snapshot.snapshotId);
    expect(
      entries.map((entry) => [entry.status, entry.snapshotId, entry.sequenceNumber, entry.file.firstRowId]),
    ).toEqual([
      ['added', third, numbered ? 3n : 0n, formatVersion === 3 ? 4n : null],
      ['existing', second, numbered ? 2n : 0n, formatVersion === 3 ? 2n : null],
      ['existing', first, numbered ? 1n : 0n, formatVersion === 3 ? 0n : null],
    ]);
  });
});

test('nothing is merged when it is turned off', async () => {
  const io = new MemoryFileIO();
  const properties = { 'commit.manifest.min-count-to-merge': '2', 'commit.manifest-merge.enabled': 'false' };
  const table = await newTable({ schema: shape, properties }, { io });
  for (let i = 0; i < 4; i++) await table.append([{ id: BigInt(i) }]);
  expect(await manifestsOf(table, io)).toHaveLength(4);
});

test('manifests of an older spec are left alone', async () => {
  const { io, table } = await mergingTable(2, 2);
  await table.append([{ id: 1n }]);
  await table.updateSpec((p) => p.add(partitionBy.bucket(2, 'id')));
  for (let i = 2; i < 5; i++) await table.append([{ id: BigInt(i) }]);
  expect((await manifestsOf(table, io)).map((manifest) => manifest.partitionSpecId)).toEqual([1, 0]);
  expect(await table.scan().count()).toBe(4);
});
