import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { columnReader } from '../../src/columns/column-reader.ts';
import { bindSortOrder } from '../../src/spec/bind-sort-order.ts';
import { compareValues } from '../../src/spec/compare-values.ts';
import { bindPartitionSpec, partitionBy } from '../../src/spec/partition-by.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { UNPARTITIONED_SPEC } from '../../src/spec/partition-spec.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { applyTransform } from '../../src/transforms/transforms.ts';
import { writeDataFiles } from '../../src/write/data-writer.ts';
import { dataLocations } from '../../src/write/locations.ts';
import { partitioner } from '../../src/write/partition-rows.ts';
import { toBatches } from '../../src/write/input.ts';
import { expectError, listFiles } from '../table/support.ts';
import { batchOf, read, rowOf, rowsOf, stream, TABLE, taskOf, write } from './support.ts';

const shape = schema({
  id: t.int(),
  ts: t.timestamp(),
  name: t.string(),
  f: t.double(),
  deep: t.struct({ k: t.long() }),
});
const spec = (...fields: Parameters<typeof bindPartitionSpec>[1]): PartitionSpec =>
  bindPartitionSpec(shape, fields, { specId: 3, lastPartitionId: 999 });

describe('partitions', () => {
  const fields = [
    partitionBy.identity('name'),
    partitionBy.identity('f'),
    partitionBy.bucket(3, 'id'),
    partitionBy.truncate(2, 'name'),
    partitionBy.year('ts'),
    partitionBy.month('ts'),
    partitionBy.day('ts'),
    partitionBy.hour('ts'),
    partitionBy.identity('deep.k'),
    partitionBy.void('id'),
  ];

  test('hold the rows whose transformed values they have, in order, each row once', () => {
    const chosen = fc.uniqueArray(fc.nat(fields.length - 1), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(chosen, fc.array(rowOf(shape), { maxLength: 30 }), (picks, rows) => {
        const time = picks.filter((i) => i >= 4 && i <= 7).length;
        fc.pre(time <= 1);
        const by = spec(...picks.map((i) => fields[i]!));
        const split = partitioner(by, shape)(batchOf(shape, rows));
        expect(new Set(split.map((one) => one.key)).size).toBe(split.length);
        const seen: unknown[] = [];
        for (const { tuple, batch } of split) {
          expect(batch.length).toBeGreaterThan(0);
          for (const row of rowsOf(shape, batch)) {
            seen.push(row);
            by.fields.forEach((field, i) => {
              const deep = field.sourceIds[0] === 6;
              const column = shape.fields.findIndex((one) => one.id === field.sourceIds[0]);
              const value = deep ? ((row[4] as readonly bigint[] | null)?.[0] ?? null) : row[column]!;
              const type = deep ? ({ kind: 'long' } as const) : shape.fields[column]!.type;
              expect(tuple[i]).toEqual(applyTransform(field.transform, type as never)(value));
            });
          }
        }
        const order = (list: readonly unknown[]): string[] =>
          list
            .map((row) =>
              JSON.stringify(row, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : Object.is(v, -0) ? '-0' : v)),
            )
            .toSorted();
        expect(order(seen)).toEqual(order(rows));
      }),
      { numRuns: 150 },
    );
  });

  test('get files of their own, in their directories', async () => {
    const by = spec(partitionBy.identity('name'), partitionBy.day('ts'));
    const rows = [
      [1, 0n, 'a b', null, null],
      [2, 86_400_000_000n, 'a b', null, null],
      [3, 0n, null, null, null],
      [4, 1n, 'a b', null, null],
    ];
    const { io, files } = await write(shape, stream(batchOf(shape, rows)), { spec: by });
    const directories = files.map((file) => file.path.slice(TABLE.length + 1, file.path.lastIndexOf('/')));
    expect(directories).toEqual([
      'data/name=a+b/ts_day=1970-01-01',
      'data/name=a+b/ts_day=1970-01-02',
      'data/name=null/ts_day=1970-01-01',
    ]);
    expect(files.map((file) => [file.specId, file.partition])).toEqual([
      [3, ['a b', 0]],
      [3, ['a b', 1]],
      [3, [null, 0]],
    ]);
    expect(await read(io, taskOf(files[0]!, shape))).toEqual([rows[0], rows[3]]);
    expect(files.map((file) => /\/00000-0-[0-9a-f-]{36}-0000(\d)\.parquet$/.exec(file.path)?.[1])).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  test('thousands of them, a few rows at a time, make one file each', async () => {
    const narrow = schema({ id: t.int(), x: t.int() });
    const by = bindPartitionSpec(narrow, [partitionBy.identity('id')], {
      specId: 0,
      lastPartitionId: 999,
    });
    const batches = Array.from({ length: 5 }, (_, round) =>
      batchOf(
        narrow,
        Array.from({ length: 400 }, (_row, i) => [i, round]),
      ),
    );
    const { io, files } = await write(narrow, stream(...batches), { spec: by });
    expect(files).toHaveLength(400);
    expect(await read(io, taskOf(files[17]!, narrow))).toEqual([0, 1, 2, 3, 4].map((round) => [17, round]));
  });
});

describe('sort order', () => {
  const order = bindSortOrder(
    shape,
    [
      { field: 'name', direction: 'desc' },
      { field: 'f', nulls: 'last' },
    ],
    7,
  );
  const rows = fc.array(rowOf(shape), { minLength: 2, maxLength: 30 });

  test('files that are sorted say so', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const { io, files } = await write(shape, stream(...given.map((row) => batchOf(shape, [row]))), {
          sortOrder: order,
        });
        expect(files[0]!.sortOrderId).toBe(7);
        const names = (await read(io, taskOf(files[0]!, shape))).map((row) => row[2] as string | null);
        const compare = compareValues({ kind: 'string' });
        for (let i = 1; i < names.length; i++) {
          const [a, b] = [names[i - 1]!, names[i]!];
          // Descending, nulls last.
          expect(a === null ? b === null : b === null || compare(a, b) >= 0).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('files that are sorted in parts only do not', async () => {
    const parts = [['b', 'a'], ['c']].map((names) =>
      batchOf(
        shape,
        names.map((name) => [1, null, name, null, null]),
      ),
    );
    const properties = { 'write.parquet.row-group-size-bytes': '1' };
    const unsorted = await write(shape, stream(...parts), { sortOrder: order, properties });
    expect(unsorted.files[0]!.sortOrderId).toBe(0);
    const sorted = await write(shape, stream(...parts.toReversed()), { sortOrder: order, properties });
    expect(sorted.files[0]!.sortOrderId).toBe(7);
  });
});

describe('file size', () => {
  const wide = schema({ id: t.long(), noise: t.string() });
  const noisy = (count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({ id: BigInt(i), noise: String(Math.imul(i + 1, 2_654_435_761) * 7919) }));

  test('rolls to a new file at the target', async () => {
    const target = 40_000;
    const { io, files } = await write(wide, toBatches(noisy(20_000), wide), {
      properties: { 'write.target-file-size-bytes': String(target) },
    });
    expect(files.length).toBeGreaterThan(2);
    for (const file of files.slice(0, -1)) {
      expect(file.fileSizeInBytes).toBeGreaterThan(target * 0.8);
      expect(file.fileSizeInBytes).toBeLessThan(target * 1.5);
    }
    const ids = (await Promise.all(files.map((file) => read(io, taskOf(file, wide))))).flat().map((row) => row[0]);
    expect(ids).toEqual(Array.from({ length: 20_000 }, (_, i) => BigInt(i)));
  });

  test('is what the store has', async () => {
    const { io, files } = await write(wide, toBatches(noisy(100), wide));
    expect((await io.stat(files[0]!.path))?.size).toBe(files[0]!.fileSizeInBytes);
  });

  test('nothing is written for nothing', async () => {
    const { io, files } = await write(wide, stream(batchOf(wide, [])));
    expect(files).toEqual([]);
    expect(await listFiles(io, TABLE)).toEqual([]);
  });
});

describe('a write that fails leaves no files', () => {
  const plain = schema({ id: t.int() });
  const by = bindPartitionSpec(plain, [partitionBy.identity('id')], { specId: 0, lastPartitionId: 999 });
  const options = {
    schema: plain,
    spec: by,
    sortOrder: UNSORTED,
    properties: {},
    locationFor: dataLocations(TABLE, {}),
    runtime: new SeededRuntime(1),
  };
  const hundred = batchOf(
    plain,
    Array.from({ length: 100 }, (_, i) => [i]),
  );

  test('because its input does', async () => {
    const io = new MemoryFileIO();
    const input = (async function* () {
      yield hundred;
      throw new Error('no more');
    })();
    const small = { 'write.parquet.row-group-size-bytes': '1' };
    await expect(writeDataFiles(input, { io, ...options, properties: small })).rejects.toThrow('no more');
    expect(await listFiles(io, TABLE)).toEqual([]);
  });

  test.each(['fail-before', 'fail-after', 'partial'] as const)('because the store does (%s)', async (fault) => {
    const io = new MemoryFileIO();
    const rule = { fault, operations: ['write' as const], when: ({ index }: { index: number }) => index === 40 };
    const failing = new FaultInjectingFileIO(io, { runtime: new SeededRuntime(1), rules: [rule] });
    await expectError(writeDataFiles(stream(hundred), { io: failing, ...options }), 'UNAVAILABLE');
    expect(await listFiles(io, TABLE)).toEqual([]);
  });

  test('because it is aborted', async () => {
    const io = new MemoryFileIO();
    const controller = new AbortController();
    const input = (async function* () {
      yield hundred;
      controller.abort();
      yield hundred;
    })();
    await expectError(writeDataFiles(input, { io, ...options, signal: controller.signal }), 'ABORTED');
    expect(await listFiles(io, TABLE)).toEqual([]);
  });
});

test('progress counts rows, files and bytes', async () => {
  const plain = schema({ id: t.int() });
  const seen: unknown[] = [];
  const { files } = await write(plain, stream(batchOf(plain, [[1], [2]]), batchOf(plain, [[3]])), {
    onProgress: (progress) => seen.push(progress),
  });
  expect(seen).toHaveLength(3);
  expect(seen.at(-1)).toMatchObject({ rows: 3, files: 1 });
  expect((seen.at(-1) as { bytes: number }).bytes).toBeLessThan(files[0]!.fileSizeInBytes);
});

test.each(['zstd', 'gzip', 'snappy', 'lz4', 'brotli', 'uncompressed'])(
  'the codec %s is written and read',
  async (codec) => {
    const plain = schema({ id: t.int() });
    const { io, files } = await write(plain, stream(batchOf(plain, [[1], [2]])), {
      properties: { 'write.parquet.compression-codec': codec },
    });
    expect(await read(io, taskOf(files[0]!, plain))).toEqual([[1], [2]]);
  },
);

test('what can not be written is refused', async () => {
  const plain = schema({ id: t.int() });
  const rows = (): AsyncGenerator<ReturnType<typeof batchOf>> => stream(batchOf(plain, [[1]]));
  await expectError(write(plain, rows(), { properties: { 'write.format.default': 'orc' } }), 'UNSUPPORTED', /orc/);
  await expectError(
    write(plain, rows(), { properties: { 'write.parquet.compression-codec': 'lzma' } }),
    'INVALID_ARGUMENT',
    /compression-codec/,
  );
  const unknown = {
    ...UNPARTITIONED_SPEC,
    fields: [{ sourceIds: [1], fieldId: 1000, name: 'p', transform: { kind: 'unknown' as const, text: 'zorder' } }],
  };
  await expectError(write(plain, rows(), { spec: unknown }), 'UNSUPPORTED', /zorder/);
  const nothing = schema({ u: t.unknown() });
  await expectError(write(nothing, stream(batchOf(nothing, [[null]]))), 'UNSUPPORTED', /no column with a known type/);
});

test('columnReader sees nulls of the structs around a column', () => {
  const batch = batchOf(shape, [
    [1, null, null, null, [5n]],
    [2, null, null, null, null],
  ]);
  const read0 = columnReader(shape.fields[4]!.type, batch.columns[4]!);
  expect([read0(0), read0(1)]).toEqual([[5n], null]);
});
