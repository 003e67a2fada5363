import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAvroContainer } from '../../src/formats/avro/container.ts';
import type { NewManifestEntry } from '../../src/manifest/write-manifest.ts';
import type { ManifestContent, ManifestEntry } from '../../src/spec/manifest.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { readWithAvsc } from '../formats/avro/avsc.ts';
import { untypedError } from '../formats/avro/untyped-error.ts';
import { ALL_SCHEMA, ALL_SPEC, newEntries, SNAPSHOT_ID } from './arbitraries.ts';
import { added, committed, fileOf, Manifests } from './support.ts';

const LAYOUTS: readonly [FormatVersion, ManifestContent][] = [
  [1, 'data'],
  [2, 'data'],
  [2, 'deletes'],
  [3, 'data'],
  [3, 'deletes'],
];

const SEQUENCE_NUMBER = 2n ** 61n;
const FIRST_ROW_ID = 1000n;

function writeAll(
  manifests: Manifests,
  version: FormatVersion,
  content: ManifestContent,
  given: readonly NewManifestEntry[],
) {
  const options = { formatVersion: version, content, schema: ALL_SCHEMA, spec: ALL_SPEC, snapshotId: SNAPSHOT_ID };
  return manifests.write(given, options);
}

/** What reading gives, by the rules of inheritance. */
function expected(
  version: FormatVersion,
  content: ManifestContent,
  given: readonly NewManifestEntry[],
): ManifestEntry[] {
  let nextRowId = FIRST_ROW_ID;
  return given.map((entry) => {
    const isNew = entry.status === 'added';
    let firstRowId = isNew ? null : entry.file.firstRowId;
    if (version === 3 && content === 'data' && firstRowId === null && entry.status !== 'deleted') {
      firstRowId = nextRowId;
      nextRowId += BigInt(entry.file.recordCount);
    }
    const file = { ...entry.file, firstRowId };
    if (version === 1) return { ...entry, sequenceNumber: 0n, fileSequenceNumber: 0n, file };
    return isNew
      ? { ...entry, sequenceNumber: SEQUENCE_NUMBER, fileSequenceNumber: SEQUENCE_NUMBER, file }
      : { ...entry, file };
  });
}

describe.each(LAYOUTS)('manifests of version %i, %s', (version, content) => {
  it('come back with what they inherit, partition values of every type and transform included', async () => {
    await fc.assert(
      fc.asyncProperty(newEntries(version, content), async (given) => {
        const manifests = new Manifests();
        const written = await writeAll(manifests, version, content, given);
        const sequenceNumber = version === 1 ? 0n : SEQUENCE_NUMBER;
        const firstRowId = version === 3 && content === 'data' ? FIRST_ROW_ID : null;
        const read = await manifests.read(committed(written, sequenceNumber, firstRowId), {
          specs: [ALL_SPEC],
          schema: ALL_SCHEMA,
        });
        expect(read).toEqual(expected(version, content, given));
      }),
      { numRuns: 40 },
    );
  });

  it('are counted in the line that the manifest list gets', async () => {
    await fc.assert(
      fc.asyncProperty(newEntries(version, content), async (given) => {
        const written = await writeAll(new Manifests(), version, content, given);
        const of = (status: string) => given.filter((entry) => entry.status === status);
        const rows = (status: string) => of(status).reduce((sum, { file }) => sum + file.recordCount, 0);
        expect(written).toMatchObject({
          partitionSpecId: ALL_SPEC.specId,
          content,
          addedSnapshotId: SNAPSHOT_ID,
          addedFilesCount: of('added').length,
          existingFilesCount: of('existing').length,
          deletedFilesCount: of('deleted').length,
          addedRowsCount: rows('added'),
          existingRowsCount: rows('existing'),
          deletedRowsCount: rows('deleted'),
        });
        const numbers = of('existing').map(({ sequenceNumber }) => sequenceNumber);
        const least = numbers.reduce((a, b) => (b < a ? b : a), numbers[0] ?? -1n);
        expect(written.minSequenceNumber).toBe(version === 1 ? 0n : least);
      }),
      { numRuns: 20 },
    );
  });

  it('are read by avsc', async () => {
    const manifests = new Manifests();
    const [given] = fc.sample(newEntries(version, content), { numRuns: 1, seed: 7 });
    const written = await writeAll(manifests, version, content, given!);
    const records = (await readWithAvsc(await manifests.io.read(written.path))) as {
      status: number;
      data_file: { file_path: string };
    }[];
    expect(records.map((record) => record.data_file.file_path)).toEqual(given!.map(({ file }) => file.path));
  });

  it('give nothing but typed errors, wherever they are cut or changed', async () => {
    const manifests = new Manifests();
    const [given] = fc.sample(newEntries(version, content), { numRuns: 1, seed: 3 });
    const options = {
      formatVersion: version,
      content,
      schema: ALL_SCHEMA,
      spec: ALL_SPEC,
      snapshotId: SNAPSHOT_ID,
    } as const;
    const written = await manifests.write(given!, { ...options, compression: 'null' });
    const whole = await manifests.io.read(written.path);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.option(fc.integer({ min: 1, max: 255 })), async (at, flip) => {
        const changed = flip === null ? whole.slice(0, at % whole.length) : whole.slice();
        if (flip !== null) changed[at % whole.length]! ^= flip;
        await manifests.io.write(written.path, changed);
        expect(
          await untypedError(() => manifests.read(committed(written, 1n), { specs: [ALL_SPEC], schema: ALL_SCHEMA })),
        ).toBeNull();
      }),
      { numRuns: 150 },
    );
  });
});

describe('the partition tuples of a manifest', () => {
  it('hold fixed values as bytes, which Iceberg Java can read, and give them back with their length checked', async () => {
    const spec: PartitionSpec = {
      specId: 1,
      fields: [{ sourceIds: [1], fieldId: 1000, name: 'x', transform: { kind: 'identity' } }],
    };
    const schemaOf = (length: number): Schema => ({
      ...ALL_SCHEMA,
      fields: [{ id: 1, name: 'x', required: false, type: { kind: 'fixed', length } }],
    });
    const manifests = new Manifests();
    const written = await manifests.write([added(fileOf({ partition: [Uint8Array.of(1, 2, 3)] }))], {
      spec,
      schema: schemaOf(3),
    });
    const [record] = (await readWithAvsc(await manifests.io.read(written.path))) as {
      data_file: { partition: unknown };
    }[];
    expect(record!.data_file.partition).toEqual({ x: Uint8Array.of(1, 2, 3) });
    const [entry] = await manifests.read(committed(written, 1n), { specs: [spec], schema: schemaOf(3) });
    expect(entry!.file.partition).toEqual([Uint8Array.of(1, 2, 3)]);
    const other = manifests.read(committed(written, 1n), { specs: [spec], schema: schemaOf(4) });
    await expect(other).rejects.toThrow(/no fixed\[4\]/);
  });
});

describe('the header of a manifest', () => {
  it('has the schema, the fields of the spec and what kind of manifest it is', async () => {
    const manifests = new Manifests();
    const { path } = await manifests.write([], { formatVersion: 3, content: 'deletes' });
    const { metadata, schema } = readAvroContainer(await manifests.io.read(path), path);
    expect(metadata.get('format-version')).toBe('3');
    expect(metadata.get('content')).toBe('deletes');
    expect(metadata.get('partition-spec-id')).toBe('1');
    expect(metadata.get('schema-id')).toBe('0');
    expect(JSON.parse(metadata.get('schema')!)).toMatchObject({ type: 'struct', 'schema-id': 0 });
    expect(JSON.parse(metadata.get('partition-spec')!)).toEqual([
      { 'source-id': 2, 'field-id': 1000, name: 'city', transform: 'identity' },
    ]);
    expect(schema).toMatchObject({ kind: 'record', name: 'manifest_entry' });
  });

  it('has no content in version 1, and the schema requires what v1 readers require', async () => {
    const manifests = new Manifests();
    const { path } = await manifests.write([], { formatVersion: 1 });
    const { metadata, schema } = readAvroContainer(await manifests.io.read(path), path);
    expect(metadata.has('content')).toBe(false);
    const names = schema.kind === 'record' ? schema.fields.map(({ name }) => name) : [];
    expect(names).toEqual(['status', 'snapshot_id', 'data_file']);
  });

  it('requires data_file in every version: a nullable one breaks other readers', async () => {
    for (const formatVersion of [1, 2, 3] as const) {
      const manifests = new Manifests();
      const { path } = await manifests.write([], { formatVersion });
      const { schema } = readAvroContainer(await manifests.io.read(path), path);
      const file = schema.kind === 'record' && schema.fields.find(({ fieldId }) => fieldId === 2);
      expect(file).toMatchObject({ name: 'data_file', type: { kind: 'record' } });
    }
  });
});
