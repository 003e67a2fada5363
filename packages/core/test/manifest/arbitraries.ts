import fc, { type Arbitrary } from 'fast-check';
import type { NewManifestEntry } from '../../src/manifest/write-manifest.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { EntryStatus, ManifestContent, ManifestFile } from '../../src/spec/manifest.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { transformResultType } from '../../src/transforms/transforms.ts';
import { TRANSFORMED_TYPES, valueOf } from '../expr/arbitraries.ts';

export const SNAPSHOT_ID = 2n ** 62n + 1n;

/** A column and a partition field for every transform of every type, with names that Avro forbids among them. */
export const ALL_SCHEMA: Schema = {
  kind: 'struct',
  schemaId: 3,
  identifierFieldIds: [],
  fields: TRANSFORMED_TYPES.map(({ type }, i) => ({ id: i + 1, name: `c-${i}`, required: false, type })),
};

export const ALL_SPEC: PartitionSpec = {
  specId: 2,
  fields: TRANSFORMED_TYPES.map(({ transform }, i) => {
    return { sourceIds: [i + 1], fieldId: 1000 + i, name: `${i} ${transform.kind}`, transform };
  }),
};

const partitionTuple = fc.tuple(
  ...TRANSFORMED_TYPES.map(({ type, transform }) =>
    transform.kind === 'void' ? fc.constant(null) : fc.option(valueOf(transformResultType(transform, type))),
  ),
);

const count = fc.nat({ max: 2 ** 40 });
const columnId = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(2_147_483_540));
const counts = fc.option(fc.dictionary(columnId.map(String), count).map(numberKeys));
const bounds = fc.option(fc.dictionary(columnId.map(String), fc.uint8Array({ maxLength: 70 })).map(numberKeys));

function numberKeys<T>(byText: Readonly<Record<string, T>>): ReadonlyMap<number, T> {
  return new Map(Object.entries(byText).map(([key, value]) => [Number(key), value]));
}

const path = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((name) => `s3://b/t/data/p=%2F/${name}.parquet`);

/** A file that a table of the version may list in a manifest of the content. */
export function dataFile(version: FormatVersion, manifest: ManifestContent): Arbitrary<DataFile> {
  const deletes = manifest === 'deletes';
  return fc
    .record({
      kind: deletes
        ? fc.constantFrom(...(['position', 'equality', ...(version === 3 ? (['vector'] as const) : [])] as const))
        : fc.constant('data' as const),
      path,
      format: fc.constantFrom('parquet', 'avro', 'orc'),
      partition: partitionTuple,
      recordCount: fc.nat({ max: 1000 }),
      fileSizeInBytes: count,
      columnSizes: counts,
      valueCounts: counts,
      nullValueCounts: counts,
      nanValueCounts: counts,
      lowerBounds: bounds,
      upperBounds: bounds,
      keyMetadata: fc.option(fc.uint8Array({ maxLength: 5 })),
      splitOffsets: fc.option(fc.array(count, { maxLength: 4 })),
      sortOrderId: fc.option(fc.nat({ max: 5 })),
      ids: fc.array(columnId, { minLength: 1, maxLength: 3 }),
      referenced: path,
      offset: count,
      firstRowId: fc.option(fc.bigInt({ min: 0n, max: 2n ** 62n })),
    })
    .map(({ kind, ids, referenced, offset, firstRowId, ...file }): DataFile => {
      return {
        ...file,
        content: kind === 'data' ? 'data' : kind === 'equality' ? 'equality-deletes' : 'position-deletes',
        format: kind === 'vector' ? 'puffin' : file.format,
        specId: ALL_SPEC.specId,
        equalityIds: kind === 'equality' ? ids : null,
        referencedDataFile: kind === 'vector' ? referenced : null,
        contentOffset: kind === 'vector' ? offset : null,
        contentSizeInBytes: kind === 'vector' ? offset : null,
        firstRowId: kind === 'data' && version === 3 ? firstRowId : null,
      };
    });
}

const sequence = fc.bigInt({ min: 0n, max: 2n ** 60n });

export function newEntries(version: FormatVersion, manifest: ManifestContent): Arbitrary<NewManifestEntry[]> {
  const entry = fc
    .record({
      status: fc.constantFrom<EntryStatus>('added', 'existing', 'deleted'),
      snapshotId: sequence,
      sequenceNumber: sequence,
      fileSequenceNumber: sequence,
      file: dataFile(version, manifest),
    })
    .map((made) => ({ ...made, snapshotId: made.status === 'existing' ? made.snapshotId : SNAPSHOT_ID }));
  return fc.array(entry, { maxLength: 8 });
}

/** A line of a manifest list as a committed snapshot of the version has it. */
export function manifestFile(version: FormatVersion): Arbitrary<ManifestFile> {
  const optionalCount = version === 1 ? fc.option(fc.nat()) : fc.nat();
  const bound = fc.option(fc.uint8Array({ maxLength: 9 }));
  return fc
    .record({
      path,
      length: count,
      partitionSpecId: fc.nat({ max: 9 }),
      content: version === 1 ? fc.constant('data' as const) : fc.constantFrom<ManifestContent>('data', 'deletes'),
      sequenceNumber: version === 1 ? fc.constant(0n) : sequence,
      minSequenceNumber: version === 1 ? fc.constant(0n) : sequence,
      addedSnapshotId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      addedFilesCount: optionalCount,
      existingFilesCount: optionalCount,
      deletedFilesCount: optionalCount,
      addedRowsCount: optionalCount,
      existingRowsCount: optionalCount,
      deletedRowsCount: optionalCount,
      partitions: fc.option(
        fc.array(
          fc.record({
            containsNull: fc.boolean(),
            containsNaN: fc.option(fc.boolean()),
            lowerBound: bound,
            upperBound: bound,
          }),
          {
            maxLength: 3,
          },
        ),
      ),
      keyMetadata: fc.option(fc.uint8Array({ maxLength: 5 })),
      firstRowId: version === 3 ? sequence : fc.constant(null),
    })
    .map((manifest) => (manifest.content === 'deletes' ? { ...manifest, firstRowId: null } : manifest));
}
