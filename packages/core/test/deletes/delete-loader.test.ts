import { describe, expect, test } from 'vitest';
import { POSITION_DELETES } from '../../src/deletes/position-delete-file.ts';
import { DeleteLoader } from '../../src/deletes/row-deletes.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { deleteLoader } from '../../src/read/read-task.ts';
import { UNPARTITIONED_SPEC } from '../../src/spec/partition-spec.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { expectError } from '../table/support.ts';
import { TableWithDeletes, countingReader, readRows } from './support.ts';

const shape = schema({ id: t.long(), name: t.string().optional() });
const rows = (from: number, to: number): (readonly [bigint, string])[] =>
  Array.from({ length: to - from }, (_, i) => [BigInt(from + i), `n${from + i}`] as const);
const keysOnly = { ...shape, fields: shape.fields.slice(0, 1) };

const newTable = (): TableWithDeletes => new TableWithDeletes(shape, [UNPARTITIONED_SPEC]);
const ids = async (table: TableWithDeletes, task: FileScanTask, deletes?: DeleteLoader): Promise<unknown[]> =>
  (await readRows(table, task, { ...(deletes && { deletes }) })).map(([id]) => id);

async function tableOfFour(): Promise<{ table: TableWithDeletes; files: readonly DataFile[] }> {
  const table = newTable();
  const files: DataFile[] = [];
  for (let i = 0; i < 4; i++) files.push(await table.addData(shape, rows(10 * i, 10 * i + 10), 1n));
  return { table, files };
}

describe('delete files of a scan', () => {
  test('are read once for all data files, concurrent ones too', async () => {
    const { table, files } = await tableOfFour();
    const positions = await table.addPositionDeletes(
      files.map(({ path }, i) => [path, i] as const),
      2n,
    );
    const keys = await table.addEqualityDeletes(keysOnly, [1], [[5n], [15n], [25n], [35n]], 2n);
    const more = await table.addEqualityDeletes(keysOnly, [1], [[6n], [15n]], 3n);
    const tasks = await table.tasks();
    expect(tasks.map(({ deletes }) => deletes.length)).toEqual([3, 3, 2, 2]);
    const { readRows: reader, counts } = countingReader();
    const deletes = new DeleteLoader(table.table.io, reader);
    const read = await Promise.all(tasks.map((task) => ids(table, task, deletes)));
    expect(read.flat()).toEqual(
      [
        1, 2, 3, 4, 7, 8, 9, 10, 12, 13, 14, 16, 17, 18, 19, 20, 21, 23, 24, 26, 27, 28, 29, 30, 31, 32, 34, 36, 37, 38,
        39,
      ].map(BigInt),
    );
    expect(Object.fromEntries(counts)).toEqual({ [positions.path]: 1, [keys.path]: 1, [more.path]: 1 });
  });

  test('delete nothing from files of another partition, or of a later age, that share them', async () => {
    const byName: PartitionSpec = {
      specId: 1,
      fields: [{ sourceIds: [2], fieldId: 1000, name: 'name', transform: { kind: 'identity' } }],
    };
    const table = new TableWithDeletes(shape, [UNPARTITIONED_SPEC, byName]);
    const [p, q] = (['p', 'q'] as const).map((name) => ({ spec: byName, partition: [name] }));
    const file = (name: string) => [1n, 2n, 3n, 4n].map((id) => [id, name] as const);
    await table.addData(shape, file('p'), 1n, p);
    await table.addData(shape, file('p'), 3n, p);
    await table.addData(shape, file('q'), 1n, q);
    await table.addEqualityDeletes(keysOnly, [1], [[1n]], 2n, p);
    await table.addEqualityDeletes(keysOnly, [1], [[2n]], 4n, p);
    await table.addEqualityDeletes(keysOnly, [1], [[3n]], 4n, q);
    const deletes = deleteLoader(table.table.io);
    const read: unknown[] = [];
    for (const task of await table.tasks()) read.push(await ids(table, task, deletes));
    expect(read).toEqual([
      [3n, 4n],
      [1n, 3n, 4n],
      [1n, 2n, 4n],
    ]);
  });

  test('are let go when they take too much memory, and read again', async () => {
    const { table, files } = await tableOfFour();
    const position = await table.addPositionDeletes(
      files.map(({ path }, i) => [path, i] as const),
      2n,
    );
    const other = await table.addPositionDeletes(
      files.map(({ path }) => [path, 9] as const),
      2n,
    );
    const { readRows: reader, counts } = countingReader();
    const deletes = new DeleteLoader(table.table.io, reader, 0);
    for (const task of await table.tasks()) expect(await ids(table, task, deletes)).toHaveLength(8);
    expect(Object.fromEntries(counts)).toEqual({ [position.path]: 4, [other.path]: 4 });
  });

  test('a failure is not kept', async () => {
    const { table, files } = await tableOfFour();
    await table.addPositionDeletes(
      files.map(({ path }) => [path, 0] as const),
      2n,
    );
    await table.addEqualityDeletes(keysOnly, [1], [[5n]], 2n);
    const [task] = await table.tasks();
    let failing = true;
    const { readRows: reader } = countingReader();
    const deletes = new DeleteLoader(table.table.io, async function* (...args) {
      if (failing) throw new Error('no network');
      yield* reader(...args);
    });
    await expect(deletes.load(task!)).rejects.toThrow('no network');
    failing = false;
    expect(await ids(table, task!, deletes)).toEqual([1, 2, 3, 4, 6, 7, 8, 9].map(BigInt));
  });

  test('a vector replaces position deletes, which are not even read', async () => {
    const { table, files } = await tableOfFour();
    await table.addPositionDeletes(
      files.map(({ path }) => [path, 0] as const),
      2n,
    );
    await table.addVector(files[0]!, [3, 4], 3n);
    const tasks = await table.tasks();
    const { readRows: reader, counts } = countingReader();
    const deletes = new DeleteLoader(table.table.io, reader);
    expect(await ids(table, tasks[0]!, deletes)).toEqual([0, 1, 2, 5, 6, 7, 8, 9].map(BigInt));
    expect(counts.size).toBe(0);
    // Planned by someone who kept them: the rule is the reader's, too.
    const { deletes: positions } = tasks[1]!;
    const both = { ...tasks[0]!, deletes: [...positions, ...tasks[0]!.deletes] };
    expect(await ids(table, both)).toEqual([0, 1, 2, 5, 6, 7, 8, 9].map(BigInt));
  });

  test('of a vector that is not what its manifest says', async () => {
    const { table, files } = await tableOfFour();
    await table.addVector(files[0]!, [3, 4], 3n);
    const [task] = await table.tasks();
    const wrong = async (change: Partial<DataFile>, message: RegExp): Promise<void> => {
      const entry = task!.deletes[0]!;
      const deletes = [{ ...entry, file: { ...entry.file, ...change } }];
      await expectError(ids(table, { ...task!, deletes }), 'INVALID_DATA', message);
    };
    const { contentOffset, contentSizeInBytes } = task!.deletes[0]!.file;
    await wrong({ recordCount: 3 }, /has 2 positions where its manifest says 3/);
    await wrong({ contentOffset: contentOffset! - 1 }, /damaged/);
    await wrong({ contentSizeInBytes: contentSizeInBytes! - 1 }, /damaged/);
    await wrong({ contentOffset: 1_000_000 }, /has no \d+ bytes at 1000000/);
    await expectError(
      ids(table, {
        ...task!,
        deletes: [{ ...task!.deletes[0]!, file: { ...task!.deletes[0]!.file, path: 'memory:/none' } }],
      }),
      'NOT_FOUND',
    );
  });

  test('a very large delete file is read for one data file at a time, and only its part', async () => {
    const { table, files } = await tableOfFour();
    await table.addPositionDeletes(
      files.flatMap(
        ({ path }, i) =>
          [
            [path, i],
            [path, 9],
          ] as const,
      ),
      2n,
    );
    const { readRows: reader, counts } = countingReader();
    const residuals: string[] = [];
    const deletes = new DeleteLoader(table.table.io, (io, task, options) => {
      residuals.push(task.residual.op);
      return reader(io, task, options);
    });
    for (const [i, task] of (await table.tasks()).entries()) {
      const entry = task.deletes[0]!;
      const large = { ...task, deletes: [{ ...entry, file: { ...entry.file, recordCount: 5_000_000 } }] };
      expect(await ids(table, large, deletes)).toEqual(
        rows(10 * i, 10 * i + 9).flatMap(([id], at) => (at === i ? [] : [id])),
      );
    }
    expect([...counts.values()]).toEqual([4]);
    expect(residuals).toEqual(['eq', 'eq', 'eq', 'eq']);
  });

  test('position deletes of another path match nothing, however similar', async () => {
    const { table, files } = await tableOfFour();
    const { path } = files[0]!;
    await table.addPositionDeletes(
      [
        [path.replace('memory:', 'MEMORY:'), 0],
        [`${path} `, 1],
        [path.replaceAll('-', '%2D'), 2],
      ],
      2n,
    );
    const [task] = await table.tasks();
    expect(task!.deletes).toHaveLength(1);
    expect(await ids(table, task!)).toHaveLength(10);
  });

  test('rows without a path or a position are INVALID_DATA, never position 0', async () => {
    const loose = {
      ...POSITION_DELETES,
      fields: POSITION_DELETES.fields.map((field) => ({ ...field, required: false })),
    };
    for (const row of [
      [null, 0n],
      ['PATH', null],
      ['PATH', -1n],
      ['PATH', 2n ** 53n],
    ] as const) {
      const { table, files } = await tableOfFour();
      const bad = await table.addData(loose, [[row[0] === 'PATH' ? files[0]!.path : row[0], row[1]]], 2n);
      const [task] = await table.tasks();
      const deletes = [{ file: { ...bad, content: 'position-deletes' as const }, sequenceNumber: 2n }];
      await expectError(ids(table, { ...task!, deletes }), 'INVALID_DATA', /without a path, or without a position/);
    }
  });

  test('equality deletes on what has no equality are INVALID_DATA', async () => {
    const odd = schema({ id: t.long(), tags: t.list(t.string()), pair: t.struct({ a: t.int() }) });
    const table = new TableWithDeletes(odd, [UNPARTITIONED_SPEC]);
    await table.addData(odd, [[1n, ['a'], [1]]], 1n);
    const [task] = await table.tasks();
    const file = { ...task!.file, content: 'equality-deletes' as const };
    for (const { id } of odd.fields.slice(1)) {
      const deletes = [{ file: { ...file, equalityIds: [id] }, sequenceNumber: 2n }];
      await expectError(readRows(table, { ...task!, deletes }), 'INVALID_DATA', /which has no equality/);
    }
    const deletes = [{ file: { ...file, equalityIds: [999] }, sequenceNumber: 2n }];
    await expectError(readRows(table, { ...task!, deletes }), 'INVALID_DATA', /no schema of the table has/);
  });

  test('equality deletes without a column of theirs delete its default, or null, or are INVALID_DATA', async () => {
    const strict = schema({ id: t.long().required(), name: t.string() });
    const only = (id: number) => ({ ...strict, fields: strict.fields.filter((field) => field.id === id) });
    const table = new TableWithDeletes(strict, [UNPARTITIONED_SPEC]);
    const twoRows = [
      [1n, 'a'],
      [2n, null],
    ] as const;
    await table.addData(strict, twoRows, 1n);
    await table.addEqualityDeletes(only(1), [2], [[7n]], 2n);
    const [task] = await table.tasks();
    expect(await ids(table, task!)).toEqual([1n]);
    await table.addEqualityDeletes(only(2), [1], [['a']], 3n);
    const [broken] = await table.tasks();
    await expectError(ids(table, broken!), 'INVALID_DATA', /'id' of the data file .* is required, but missing/);
  });

  test('an aborted scan does not wait for its deletes', async () => {
    const { table } = await tableOfFour();
    await table.addEqualityDeletes(keysOnly, [1], [[5n]], 2n);
    const [task] = await table.tasks();
    await expectError(readRows(table, task!, { signal: AbortSignal.abort() }), 'ABORTED');
    const controller = new AbortController();
    const never = new Promise<never>(() => undefined);
    // eslint-disable-next-line require-yield
    const deletes = new DeleteLoader(table.table.io, async function* () {
      controller.abort();
      await never;
    });
    await expectError(deletes.load(task!, { signal: controller.signal }), 'ABORTED');
  });
});
