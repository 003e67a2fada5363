import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { readPositionDeletes } from '../../src/deletes/position-delete-file.ts';
import { PositionBitmap } from '../../src/formats/puffin/position-bitmap.ts';
import { readPuffinFooter } from '../../src/formats/puffin/read-puffin.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { contentProblem } from '../../src/manifest/content-problem.ts';
import { deleteLoader, readTaskColumns } from '../../src/read/read-task.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { FILE_PATH, POS } from '../../src/spec/position-delete-fields.ts';
import { bytesToValue, valueToBytes } from '../../src/spec/single-value.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import type { DeleteFileOptions, DeletedPositions } from '../../src/write/delete-file.ts';
import { writeDeletionVectors } from '../../src/write/deletion-vector-writer.ts';
import { writeEqualityDeletes } from '../../src/write/equality-delete-writer.ts';
import { dataLocations } from '../../src/write/locations.ts';
import { writePositionDeletes } from '../../src/write/position-delete-writer.ts';
import { TABLE, batchOf, read, stream, taskOf } from './support.ts';

const SCHEMA: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: 'id', required: true, type: { kind: 'long' } },
    { id: 2, name: 'city', required: false, type: { kind: 'string' } },
  ],
};
const SPEC: PartitionSpec = {
  specId: 3,
  fields: [{ sourceIds: [2], fieldId: 1000, name: 'city', transform: { kind: 'identity' } }],
};

function optionsOf(io: MemoryFileIO, properties: Readonly<Record<string, string>> = {}): DeleteFileOptions {
  const locationFor = dataLocations(TABLE, properties);
  return { io, specs: [SPEC], schema: SCHEMA, properties, locationFor, runtime: new SeededRuntime(1) };
}

const positionSets = fc.uniqueArray(
  fc.record({
    // Longer than bounds are by default, different at the end, and in an order of its own as UTF-8.
    path: fc
      .constantFrom('a', 'b', '\uFFFD', '\u{1F600}', 'é')
      .map((name) => `${TABLE}/data/a-long-path/${name}.parquet`),
    city: fc.constantFrom(null, 'Seoul', 'Busan'),
    positions: fc.uniqueArray(fc.oneof(fc.nat(100), fc.nat({ max: 2 ** 40 })), { minLength: 1, maxLength: 30 }),
  }),
  { minLength: 1, maxLength: 5, selector: ({ path }) => path },
);

type PositionSets = typeof positionSets extends fc.Arbitrary<infer T> ? T : never;

function deletedOf(sets: PositionSets): readonly DeletedPositions[] {
  return sets.map(({ path, city, positions }) => {
    const bitmap = new PositionBitmap();
    for (const position of positions) bitmap.add(position);
    return { dataFile: { path, specId: SPEC.specId, partition: [city] }, positions: bitmap };
  });
}

const ascending = (positions: readonly number[]): readonly number[] => positions.toSorted((a, b) => a - b);

test('position deletes are read as they were written, whatever shares a file', async () => {
  await fc.assert(
    fc.asyncProperty(positionSets, fc.constantFrom('file', 'partition'), async (sets, granularity) => {
      const io = new MemoryFileIO();
      const deleted = deletedOf(sets);
      const files = await writePositionDeletes(deleted, optionsOf(io, { 'write.delete.granularity': granularity }));
      const found = new Map<string, readonly number[]>();
      for (const file of files) {
        expect(contentProblem(file, 'deletes')).toBeNull();
        const positions = await readPositionDeletes(io, readTaskColumns, { file, sequenceNumber: 1n });
        expect(file.recordCount).toBe([...positions.values()].reduce((sum, bitmap) => sum + bitmap.size, 0));
        for (const [path, bitmap] of positions) {
          expect(file.partition).toEqual([sets.find((set) => set.path === path)!.city]);
          expect(found.has(path)).toBe(false);
          found.set(path, [...bitmap]);
        }
        if (positions.size > 1) {
          expect(granularity).toBe('partition');
          expect([file.referencedDataFile, file.lowerBounds, file.upperBounds]).toEqual([null, null, null]);
          continue;
        }
        const [path, bitmap] = [...positions][0]!;
        const pathBytes = valueToBytes(FILE_PATH.type, path);
        expect(file.referencedDataFile).toBe(path);
        expect([file.lowerBounds!.get(FILE_PATH.id), file.upperBounds!.get(FILE_PATH.id)]).toEqual([
          pathBytes,
          pathBytes,
        ]);
        expect(bytesToValue(POS.type, file.lowerBounds!.get(POS.id)!)).toBe(BigInt([...bitmap][0]!));
        expect(bytesToValue(POS.type, file.upperBounds!.get(POS.id)!)).toBe(BigInt([...bitmap].at(-1)!));
      }
      expect(found).toEqual(new Map(sets.map(({ path, positions }) => [path, ascending(positions)])));
    }),
    { numRuns: runs(30) },
  );
});

test('rows of a position delete file are sorted by path, in the order of bytes, and position', async () => {
  const io = new MemoryFileIO();
  const paths = ['\u{1F600}', '\uFFFD', 'b', 'a'].map((name) => `${TABLE}/${name}`);
  const deleted = deletedOf(paths.map((path) => ({ path, city: 'Seoul', positions: [5, 3] })));
  const [file, ...others] = await writePositionDeletes(
    deleted,
    optionsOf(io, { 'write.delete.granularity': 'partition' }),
  );
  expect(others).toEqual([]);
  const shape: Schema = { ...SCHEMA, fields: [FILE_PATH, POS] };
  const rows = await read(io, taskOf({ ...file!, content: 'data' }, shape));
  expect(rows).toEqual(
    paths.toReversed().flatMap((path) => [
      [path, 3n],
      [path, 5n],
    ]),
  );
});

test('deletion vectors are read as they were written, and their places are those of the Puffin footer', async () => {
  await fc.assert(
    fc.asyncProperty(positionSets, async (sets) => {
      const io = new MemoryFileIO();
      const files = await writeDeletionVectors(deletedOf(sets), optionsOf(io));
      expect(new Set(files.map((file) => file.path)).size).toBe(1);
      const footer = await readPuffinFooter(io, files[0]!.path, files[0]!.fileSizeInBytes);
      for (const [i, file] of files.entries()) {
        expect(contentProblem(file, 'deletes')).toBeNull();
        const { path, city, positions } = sets[i]!;
        expect([file.referencedDataFile, file.partition]).toEqual([path, [city]]);
        const blob = footer.blobs[i]!;
        expect([file.contentOffset, file.contentSizeInBytes]).toEqual([blob.offset, blob.length]);
        expect(blob.properties).toEqual({ 'referenced-data-file': path, cardinality: String(positions.length) });
        const task = taskOf({ ...file, path, content: 'data', format: 'parquet' }, SCHEMA);
        const loaded = await deleteLoader(io).positions({ ...task, deletes: [{ file, sequenceNumber: 1n }] });
        expect([...loaded!]).toEqual(ascending(positions));
      }
    }),
    { numRuns: runs(30) },
  );
});

test('equality deletes go into the partitions that their other columns tell', async () => {
  const io = new MemoryFileIO();
  const { runtime, locationFor } = optionsOf(io);
  const rows = [
    [1n, 'Seoul'],
    [2n, null],
    [3n, 'Seoul'],
  ];
  const files = await writeEqualityDeletes(stream(batchOf(SCHEMA, rows)), [1], {
    io,
    schema: SCHEMA,
    spec: SPEC,
    sortOrder: UNSORTED,
    properties: {},
    locationFor,
    runtime,
  });
  const found = await Promise.all(
    files.map(async (file) => {
      expect(contentProblem(file, 'deletes')).toBeNull();
      expect(file.equalityIds).toEqual([1]);
      expect(file.valueCounts!.get(1)).toBe(file.recordCount);
      expect(file.path).toMatch(/-deletes\.parquet$/);
      return [file.partition[0], await read(io, taskOf({ ...file, content: 'data' }, SCHEMA))] as const;
    }),
  );
  expect(new Map(found)).toEqual(
    new Map([
      ['Seoul', [rows[0], rows[2]]],
      [null, [rows[1]]],
    ]),
  );
});
