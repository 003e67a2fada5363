import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AvroContainerWriter, readAvroContainer } from '../../src/formats/avro/container.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from '../../src/manifest/manifest-file.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { writeManifestList } from '../../src/manifest/write-manifest-list.ts';
import type { ManifestFile } from '../../src/spec/manifest.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { readWithAvsc } from '../formats/avro/avsc.ts';
import { untypedError } from '../formats/avro/untyped-error.ts';
import { manifestFile } from './arbitraries.ts';
import { added, BY_CITY, fileOf, Manifests } from './support.ts';

const LOCATION = 's3://b/t/metadata/snap-7-1-x.avro';

const snapshot = (over: Partial<Snapshot> = {}): Snapshot => ({
  snapshotId: 7n,
  parentSnapshotId: null,
  sequenceNumber: 3n,
  timestampMs: 0,
  manifestList: LOCATION,
  manifests: null,
  operation: 'append',
  summary: {},
  schemaId: 0,
  firstRowId: null,
  addedRows: null,
  keyId: null,
  unknownFields: {},
  ...over,
});

/** Of all the metadata, reading a manifest list looks at the specs. */
const METADATA = {
  partitionSpecs: Array.from({ length: 10 }, (_, specId) => ({ specId, fields: [] })),
} as unknown as TableMetadata;

function write(io: MemoryFileIO, version: FormatVersion, manifests: readonly ManifestFile[], firstRowId = 500n) {
  const options = {
    io,
    location: LOCATION,
    formatVersion: version,
    snapshotId: 7n,
    parentSnapshotId: 6n,
    sequenceNumber: 3n,
  };
  return writeManifestList({ ...options, ...(version === 3 && { firstRowId }) }, manifests);
}

const counts = {
  addedFilesCount: 1,
  existingFilesCount: 2,
  deletedFilesCount: 3,
  addedRowsCount: 10,
  existingRowsCount: 20,
  deletedRowsCount: 30,
};

function lineOf(over: Partial<ManifestFile> = {}): ManifestFile {
  return {
    path: 's3://b/t/metadata/m.avro',
    length: 100,
    partitionSpecId: 1,
    content: 'data',
    sequenceNumber: 2n,
    minSequenceNumber: 1n,
    addedSnapshotId: 6n,
    ...counts,
    partitions: null,
    keyMetadata: null,
    firstRowId: null,
    ...over,
  };
}

describe.each([1, 2, 3] as const)('manifest lists of version %i', (version) => {
  it('come back as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(manifestFile(version), { maxLength: 10 }), async (manifests) => {
        const io = new MemoryFileIO();
        const written = await write(io, version, manifests);
        expect(written.manifests).toEqual(manifests);
        expect(written.nextRowId).toBe(version === 3 ? 500n : null);
        expect(await readManifestList(io, snapshot(), METADATA)).toEqual(manifests);
      }),
      { numRuns: 50 },
    );
  });

  it('are read by avsc, header included', async () => {
    const io = new MemoryFileIO();
    await write(io, version, [lineOf({ firstRowId: version === 3 ? 9n : null })]);
    const file = await io.read(LOCATION);
    expect(await readWithAvsc(file)).toMatchObject([
      { manifest_path: 's3://b/t/metadata/m.avro', partition_spec_id: 1 },
    ]);
    expect(Object.fromEntries(readAvroContainer(file, LOCATION).metadata)).toEqual({
      'snapshot-id': '7',
      'parent-snapshot-id': '6',
      'format-version': String(version),
      ...(version > 1 && { 'sequence-number': '3' }),
      ...(version > 2 && { 'first-row-id': '500' }),
    });
  });

  it('give nothing but typed errors, wherever they are cut or changed', async () => {
    const io = new MemoryFileIO();
    await write(io, version, fc.sample(manifestFile(version), { numRuns: 4, seed: 5 }));
    const whole = await io.read(LOCATION);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.option(fc.integer({ min: 1, max: 255 })), async (at, flip) => {
        const changed = flip === null ? whole.slice(0, at % whole.length) : whole.slice();
        if (flip !== null) changed[at % whole.length]! ^= flip;
        await io.write(LOCATION, changed);
        expect(await untypedError(() => readManifestList(io, snapshot(), METADATA))).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});

describe('what a commit assigns', () => {
  const unassigned = { sequenceNumber: UNASSIGNED_SEQUENCE_NUMBER, addedSnapshotId: 7n } as const;

  it('is its sequence number, to manifests that are new with it', async () => {
    const kept = lineOf();
    const fresh = lineOf({ ...unassigned, minSequenceNumber: UNASSIGNED_SEQUENCE_NUMBER });
    const merged = lineOf({ ...unassigned, minSequenceNumber: 1n });
    const { manifests } = await write(new MemoryFileIO(), 2, [fresh, merged, kept]);
    expect(manifests.map(({ sequenceNumber, minSequenceNumber }) => [sequenceNumber, minSequenceNumber])).toEqual([
      [3n, 3n],
      [3n, 1n],
      [2n, 1n],
    ]);
    await expect(write(new MemoryFileIO(), 2, [{ ...fresh, addedSnapshotId: 6n }])).rejects.toThrow(
      /has no sequence number/,
    );
  });

  it('are row ids, to data manifests without, for their added and existing rows', async () => {
    const given = [
      lineOf({ firstRowId: 40n }),
      lineOf(),
      lineOf({ content: 'deletes' }),
      lineOf({ addedRowsCount: 1 }),
    ];
    const { manifests, nextRowId } = await write(new MemoryFileIO(), 3, given);
    expect(manifests.map(({ firstRowId }) => firstRowId)).toEqual([40n, 500n, null, 530n]);
    expect(nextRowId).toBe(551n);
    const again = await write(new MemoryFileIO(), 3, given, 900n);
    expect(again.manifests.map(({ firstRowId }) => firstRowId)).toEqual([40n, 900n, null, 930n]);
  });

  it('needs the row id of the snapshot in version 3', async () => {
    const options = {
      io: new MemoryFileIO(),
      location: LOCATION,
      snapshotId: 7n,
      parentSnapshotId: null,
      sequenceNumber: 3n,
    };
    await expect(writeManifestList({ ...options, formatVersion: 3 }, [])).rejects.toThrow(/first row id/);
  });

  it('are no deletes in version 1', async () => {
    await expect(write(new MemoryFileIO(), 1, [lineOf({ content: 'deletes' })])).rejects.toThrow(/version 1/);
  });
});

describe('old manifest lists', () => {
  it('leave out counts, which stay unknown and are counted when a newer version needs them', async () => {
    const manifests = new Manifests();
    const existing = { ...added(fileOf({ recordCount: 7 })), status: 'existing', snapshotId: 1n } as const;
    const deleted = { ...added(fileOf({ recordCount: 4 })), status: 'deleted' } as const;
    const written = await manifests.write([added(fileOf()), added(fileOf()), existing, deleted], { formatVersion: 1 });
    const nulls = Object.fromEntries(Object.keys(counts).map((key) => [key, null]));
    const bare = { ...written, ...nulls } as ManifestFile;

    await write(manifests.io, 1, [bare]);
    const [read] = await readManifestList(manifests.io, snapshot(), METADATA);
    expect(read).toMatchObject({ ...nulls, content: 'data', sequenceNumber: 0n, minSequenceNumber: 0n });

    const { manifests: upgraded } = await write(manifests.io, 2, [bare]);
    expect(upgraded[0]).toMatchObject({
      addedFilesCount: 2,
      existingFilesCount: 1,
      deletedFilesCount: 1,
      addedRowsCount: 20,
      existingRowsCount: 7,
      deletedRowsCount: 4,
    });
  });

  it('may lack fields that are required today', async () => {
    const io = new MemoryFileIO();
    const fields = [
      { name: 'manifest_path', type: 'string', 'field-id': 500 },
      { name: 'manifest_length', type: 'long', 'field-id': 501 },
      { name: 'partition_spec_id', type: 'int', 'field-id': 502 },
    ];
    const schema = { type: 'record', name: 'manifest_file', fields };
    const container = new AvroContainerWriter({ schema, metadata: {}, codec: 'deflate', name: LOCATION });
    container.append((block) => {
      block.writeString('s3://b/m.avro');
      block.writeInteger(5);
      block.writeInteger(0);
    });
    await io.write(LOCATION, container.finish());
    const [read] = await readManifestList(io, snapshot(), METADATA);
    expect(read).toMatchObject({ path: 's3://b/m.avro', addedSnapshotId: 7n, addedFilesCount: null, partitions: null });
  });

  it('are not there at all in snapshots that name their manifests', async () => {
    const manifests = new Manifests();
    const { path, length } = await manifests.write([added(fileOf())], { formatVersion: 1 });
    const embedded = snapshot({ manifestList: null, manifests: [path] });
    const [read] = await readManifestList(manifests.io, embedded, METADATA);
    expect(read).toMatchObject({
      path,
      length,
      partitionSpecId: 1,
      sequenceNumber: 0n,
      addedSnapshotId: 7n,
      addedFilesCount: null,
    });
    expect(await manifests.read(read!, { specs: [BY_CITY] })).toHaveLength(1);
  });
});

describe('what can not be read', () => {
  it('is a list that names a spec the table lacks', async () => {
    const io = new MemoryFileIO();
    await write(io, 2, [lineOf({ partitionSpecId: 44 })]);
    await expect(readManifestList(io, snapshot(), METADATA)).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  it('is a file that is no manifest list', async () => {
    const manifests = new Manifests();
    const { path } = await manifests.write([added(fileOf())]);
    const wrong = snapshot({ manifestList: path });
    await expect(readManifestList(manifests.io, wrong, METADATA)).rejects.toThrow(/no manifest list/);
  });

  it('is encrypted', async () => {
    const encrypted = snapshot({ keyId: 'k1' });
    await expect(readManifestList(new MemoryFileIO(), encrypted, METADATA)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});
