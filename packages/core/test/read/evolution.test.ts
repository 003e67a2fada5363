import { describe, expect, test } from 'vitest';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { nameMappingOf } from '../../src/spec/name-mapping.ts';
import { bindPartitionSpec, partitionBy } from '../../src/spec/partition-by.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { IcebergType, NestedField } from '../../src/spec/types.ts';
import { expectError } from '../table/support.ts';
import { batchOf, read, stream, taskOf, write } from '../write/support.ts';
import type { Row, Written } from '../write/support.ts';
import { withoutFieldIds } from './without-ids.ts';

function field(id: number, name: string, type: IcebergType, more: Partial<NestedField> = {}): NestedField {
  return { id, name, required: false, type, ...more };
}

function shape(...fields: readonly NestedField[]): Schema {
  return { kind: 'struct', schemaId: 0, identifierFieldIds: [], fields };
}

const int = { kind: 'int' } as const;
const long = { kind: 'long' } as const;
const string = { kind: 'string' } as const;
const struct = (...fields: readonly NestedField[]): IcebergType => ({ kind: 'struct', fields });

/** Writes rows with one schema and reads them with another. */
async function reread(before: Schema, rows: readonly Row[], after: Schema): Promise<Row[]> {
  const { io, files } = await write(before, stream(batchOf(before, rows)));
  return read(io, taskOf(files[0]!, after));
}

test('columns are found by id: renamed, in another order, without those that were dropped', async () => {
  const before = shape(field(1, 'a', int), field(2, 'b', string), field(3, 'c', long));
  const after = shape(field(3, 'see', long), field(1, 'b', int));
  expect(
    await reread(
      before,
      [
        [1, 'x', 10n],
        [null, 'y', null],
      ],
      after,
    ),
  ).toEqual([
    [10n, 1],
    [null, null],
  ]);
});

test('a column that the file lacks has its initial default, or null', async () => {
  const before = shape(field(1, 'a', int));
  const after = shape(
    field(2, 'n', string),
    field(1, 'a', int),
    field(3, 'd', string, { initialDefault: 'then', writeDefault: 'now' }),
    field(4, 'r', { kind: 'decimal', precision: 20, scale: 2 }, { required: true, initialDefault: -5n }),
    field(5, 'l', { kind: 'list', elementId: 6, elementRequired: false, element: int }),
  );
  expect(await reread(before, [[1], [2]], after)).toEqual([
    [null, 1, 'then', -5n, null],
    [null, 2, 'then', -5n, null],
  ]);
});

test("a struct's default of {} takes the defaults of its fields", async () => {
  const fields = [field(3, 'a', int, { initialDefault: 5 }), field(4, 'b', string)];
  const after = shape(
    field(1, 'i', int),
    field(2, 's', { kind: 'struct', fields }, { initialDefault: [null, null] }),
    field(5, 'n', { kind: 'struct', fields: [field(6, 'c', int, { initialDefault: 6 })] }),
  );
  expect(await reread(shape(field(1, 'i', int)), [[1]], after)).toEqual([[1, [5, null], null]]);
});

test('a required column without a default that the file lacks is an error', async () => {
  const { io, files } = await write(shape(field(1, 'a', int)), stream(batchOf(shape(field(1, 'a', int)), [[1]])));
  const after = shape(field(1, 'a', int), field(2, 'b', int, { required: true }));
  await expectError(read(io, taskOf(files[0]!, after)), 'INVALID_DATA', /'b' .* is required, but missing/);
});

test('promoted types', async () => {
  const decimal = (precision: number): IcebergType => ({ kind: 'decimal', precision, scale: 2 });
  const before = shape(
    field(1, 'i', int),
    field(2, 'f', { kind: 'float' }),
    field(3, 'd', decimal(9)),
    field(4, 'e', decimal(9)),
    field(5, 't', { kind: 'date' }),
    field(6, 'n', { kind: 'date' }),
  );
  const after = shape(
    field(1, 'i', long),
    field(2, 'f', { kind: 'double' }),
    field(3, 'd', decimal(18)),
    field(4, 'e', decimal(38)),
    field(5, 't', { kind: 'timestamp' }),
    field(6, 'n', { kind: 'timestamp_ns' }),
  );
  const rows: Row[] = [
    [-0x8000_0000, -0, -999_999_999n, 1n, -1, 1],
    [0x7fff_ffff, NaN, 999_999_999n, null, 20_000, -1],
  ];
  expect(await reread(before, rows, after)).toEqual([
    [-0x8000_0000n, -0, -999_999_999n, 1n, -86_400_000_000n, 86_400_000_000_000n],
    [0x7fff_ffffn, NaN, 999_999_999n, null, 20_000n * 86_400_000_000n, -86_400_000_000_000n],
  ]);
});

describe('nested fields', () => {
  test('evolve as columns do, in structs, lists and maps', async () => {
    const inner = (name: string, ...more: readonly NestedField[]): IcebergType => struct(field(10, name, int), ...more);
    const before = shape(
      field(1, 's', inner('x', field(11, 'gone', string))),
      field(2, 'l', {
        kind: 'list',
        elementId: 3,
        elementRequired: false,
        element: struct(field(12, 'p', int), field(13, 'q', string)),
      }),
      field(4, 'm', {
        kind: 'map',
        keyId: 5,
        key: string,
        valueId: 6,
        valueRequired: false,
        value: struct(field(14, 'v', int)),
      }),
    );
    const after = shape(
      field(4, 'map', {
        kind: 'map',
        keyId: 5,
        key: string,
        valueId: 6,
        valueRequired: false,
        value: struct(field(24, 'w', long), field(14, 'v', long)),
      }),
      field(1, 's', inner('ex', field(21, 'new', string, { initialDefault: 'd' }))),
      field(2, 'l', {
        kind: 'list',
        elementId: 3,
        elementRequired: false,
        element: struct(field(13, 'queue', string), field(22, 'z', int)),
      }),
    );
    const rows: Row[] = [
      [
        [1, 'a'],
        [[1, 'p'], null, [2, null]],
        [
          ['k', [5]],
          ['n', null],
        ],
      ],
      [null, null, null],
      [[null, null], [], []],
    ];
    expect(await reread(before, rows, after)).toEqual([
      [
        [
          ['k', [null, 5n]],
          ['n', null],
        ],
        [1, 'd'],
        [['p', null], null, [null, null]],
      ],
      [null, null, null],
      [[], [null, 'd'], []],
    ]);
  });

  test('a struct of which only new fields are wanted is still null where it was', async () => {
    const before = shape(
      field(1, 's', struct(field(2, 'a', { kind: 'list', elementId: 3, elementRequired: true, element: int }))),
      field(4, 'l', { kind: 'list', elementId: 5, elementRequired: false, element: struct(field(6, 'x', int)) }),
    );
    const after = shape(
      field(1, 's', struct(field(7, 'b', int))),
      field(4, 'l', { kind: 'list', elementId: 5, elementRequired: false, element: struct(field(8, 'y', int)) }),
    );
    expect(
      await reread(
        before,
        [
          [[[1, 2]], [[1], null]],
          [null, null],
          [[null], []],
        ],
        after,
      ),
    ).toEqual([
      [[null], [[null], null]],
      [null, null],
      [[null], []],
    ]);
  });
});

test('identity partition values stand in for columns that the file lacks, those of other transforms do not', async () => {
  const before = shape(field(1, 'a', int));
  const { io, files } = await write(before, stream(batchOf(before, [[1]])));
  const after = shape(field(1, 'a', int), field(2, 'p', string), field(3, 'q', long), field(4, 'b', string));
  const spec = bindPartitionSpec(
    after,
    [partitionBy.bucket(4, 'p'), partitionBy.identity('p'), partitionBy.identity('q'), partitionBy.truncate(1, 'b')],
    { specId: 0, lastPartitionId: 999 },
  );
  // The value of a column that was promoted from int comes as a number.
  const file = { ...files[0]!, partition: [3, 'here', 7, 'x'] };
  expect(await read(io, taskOf(file, after, { spec }))).toEqual([[1, 'here', 7n, null]]);
});

describe('files without field ids', () => {
  const before = shape(field(1, 'a', int), field(2, 's', struct(field(3, 'x', string))));

  /** A file as other systems write them. */
  async function withoutIds(): Promise<{ io: Written['io']; task: FileScanTask }> {
    const { io, files } = await write(
      before,
      stream(
        batchOf(before, [
          [1, ['one']],
          [2, null],
        ]),
      ),
    );
    const bytes = withoutFieldIds(await io.read(files[0]!.path));
    await io.write(files[0]!.path, bytes);
    return { io, task: taskOf({ ...files[0]!, fileSizeInBytes: bytes.length }, before) };
  }

  test('are read by the name mapping', async () => {
    const { io, task } = await withoutIds();
    const nameMapping = nameMappingOf(before);
    expect(await read(io, task, { nameMapping })).toEqual([
      [1, ['one']],
      [2, null],
    ]);
    const other = [{ fieldId: 2, names: ['nothing', 's'], fields: [] }];
    expect(await read(io, task, { nameMapping: other })).toEqual([
      [null, [null]],
      [null, null],
    ]);
  });

  test('can not be read without one', async () => {
    const { io, task } = await withoutIds();
    await expectError(read(io, task), 'INVALID_DATA', /no field ids .* name mapping/);
  });
});
