import { Table as ArrowTable, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { isDeletionVector } from '../../../src/manifest/content-problem.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import type { FormatVersion } from '../../../src/spec/table-metadata.ts';
import type { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import { expectError, newTable, openCatalog, orphans } from '../../table/support.ts';

const SHAPE = schema({ id: t.long().required(), city: t.string(), x: t.double() });
type Row = { id: bigint; city: string | null; x: number | null };

const MERGE_ON_READ = { mode: 'merge-on-read' } as const;

function rowsOf(ids: readonly number[], city: string | null = 'Seoul'): Row[] {
  return ids.map((id) => ({ id: BigInt(id), city, x: id / 2 }));
}

async function idsOf(table: Pick<Table, 'scan'>): Promise<readonly number[]> {
  const rows = await table.scan({ select: ['id'] as readonly string[] }).toRows();
  return rows.map((row) => Number(row['id'])).toSorted((a, b) => a - b);
}

async function deleteFiles(table: Pick<Table, 'scan'>) {
  const { tasks } = await table.scan().plan();
  return tasks.flatMap((task) => task.deletes.map(({ file }) => file));
}

/** A table with a file for each list of ids. */
async function tableOf(
  files: readonly (readonly number[])[],
  options: { readonly formatVersion?: FormatVersion; readonly io?: MemoryFileIO } = {},
): Promise<Table<Row>> {
  const { formatVersion = 2, io } = options;
  const table = await newTable<Row>({ schema: SHAPE, formatVersion }, io ? { io } : {});
  for (const ids of files) await table.append(rowsOf(ids));
  return table;
}

describe('delete', () => {
  test('drops files that the filter surely covers unread, and rewrites only those that hold matches', async () => {
    const io = new FaultInjectingFileIO(new MemoryFileIO());
    const table = await newTable<Row>({ schema: SHAPE, formatVersion: 2 }, { io });
    for (const ids of [
      [1, 2],
      [3, 4],
      [5, 6],
    ])
      await table.append(rowsOf(ids));
    const paths = (await table.scan().plan()).tasks.map(({ file }) => file.path);
    const commit = await table.delete('id <= 3');
    const read = new Set(io.calls.filter(({ operation }) => operation === 'read').map(({ location }) => location));
    expect(paths.filter((path) => read.has(path)).length).toBe(1);
    expect(await idsOf(table)).toEqual([4, 5, 6]);
    expect(commit.summary).toMatchObject({
      operation: 'overwrite',
      'deleted-data-files': '2',
      'added-data-files': '1',
      'deleted-records': '4',
      'added-records': '1',
    });
    const kept = (await table.scan().plan()).tasks.filter(({ file }) => paths.includes(file.path));
    expect(kept.length).toBe(1);
    expect((await table.delete('id >= 5')).summary).toMatchObject({ operation: 'delete', 'deleted-data-files': '1' });
  });

  test('is sure of a file only if no null and no NaN stands against it', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const table = await newTable<Row>({ schema: SHAPE, formatVersion: 2 });
      await table.append([
        { id: 1n, city: 'a', x: NaN },
        { id: 2n, city: 'a', x: -1 },
        { id: 3n, city: null, x: -1 },
      ]);
      await table.delete('x < 0 AND city IS NOT NULL', { mode });
      expect(await idsOf(table)).toEqual([1, 3]);
      await table.delete("city != 'b'", { mode });
      expect(await idsOf(table)).toEqual([3]);
    }
  });

  test('of nothing writes nothing, nor does a repeated one', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const io = new MemoryFileIO();
      const table = await tableOf([[1, 2, 3]], { io });
      await table.delete('id = 2', { mode });
      const { metadataLocation } = table;
      for (const filter of ['id = 2', 'id = 99', "city = 'Busan'"]) {
        const commit = await table.delete(filter, { mode });
        expect([commit.changed, commit.attempts, commit.summary]).toEqual([false, 0, {}]);
      }
      expect(table.metadataLocation).toBe(metadataLocation);
      expect(await orphans(table, io)).toEqual([]);
      await expect(tableOf([]).then((empty) => empty.delete('id = 1', { mode }))).resolves.toMatchObject({
        changed: false,
      });
    }
  });

  test('with every row of a file deleted bit by bit, the file goes', async () => {
    for (const formatVersion of [2, 3] as const) {
      const table = await tableOf([[1, 2, 3], [4]], { formatVersion });
      await table.delete('id = 1', MERGE_ON_READ);
      await table.delete('id IN (2, 3)', MERGE_ON_READ);
      expect((await table.scan().plan()).tasks.length).toBe(1);
      expect(table.currentSnapshot()!.summary).toMatchObject({ 'total-delete-files': '0', 'total-records': '1' });
    }
  });
});

describe('merge-on-read', () => {
  test('v2 has one position delete file for each data file, which takes over the one before', async () => {
    const table = await tableOf([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await table.delete('id IN (1, 4)', MERGE_ON_READ);
    const commit = await table.delete('id = 2', MERGE_ON_READ);
    expect(commit.summary).toMatchObject({ 'added-delete-files': '1', 'removed-delete-files': '1' });
    const files = await deleteFiles(table);
    expect(files.map((file) => [file.format, file.recordCount]).toSorted()).toEqual([
      ['parquet', 1],
      ['parquet', 2],
    ]);
    expect(files.every((file) => file.referencedDataFile !== null)).toBe(true);
  });

  test('v2 with partition granularity has one for each partition and commit', async () => {
    const table = await newTable<Row>({
      schema: SHAPE,
      formatVersion: 2,
      properties: { 'write.delete.granularity': 'partition', 'write.delete.mode': 'merge-on-read' },
    });
    for (const ids of [
      [1, 2],
      [3, 4],
    ])
      await table.append(rowsOf(ids));
    expect((await table.delete('id IN (1, 3)')).summary['added-delete-files']).toBe('1');
    const commit = await table.delete('id = 2');
    expect(commit.summary).toMatchObject({ 'deleted-data-files': '1' });
    expect(await idsOf(table)).toEqual([4]);
  });

  test('v3 has one deletion vector for each data file, several in a Puffin file; old position deletes are taken over', async () => {
    const table = await tableOf([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await table.delete('id = 1', MERGE_ON_READ);
    await table.upgradeFormatVersion(3);
    const first = await table.delete('id IN (2, 4)', MERGE_ON_READ);
    expect(first.summary).toMatchObject({
      'added-dvs': '2',
      'removed-delete-files': '1',
      'total-delete-files': '2',
    });
    const files = await deleteFiles(table);
    expect(files.every((file) => isDeletionVector(file))).toBe(true);
    expect(new Set(files.map((file) => file.path)).size).toBe(1);
    expect(files.map((file) => file.recordCount).toSorted()).toEqual([1, 2]);
    const second = await table.delete('id = 5', MERGE_ON_READ);
    expect(second.summary).toMatchObject({ 'added-dvs': '1', 'removed-dvs': '1' });
    expect(await idsOf(table)).toEqual([3, 6]);
  });

  test('deletes from files whose partition is of a column that is gone', async () => {
    for (const formatVersion of [2, 3] as const) {
      const table = await newTable({
        schema: schema({ id: t.long().required(), day: t.date() }),
        formatVersion,
        partitionBy: [partitionBy.month('day'), partitionBy.identity('day')],
      });
      await table.append([
        { id: 1n, day: '2024-01-01' },
        { id: 2n, day: '2024-01-02' },
      ]);
      await table.updateSpec((p) => p.remove('day_month').remove('day'));
      await table.updateSchema((s) => s.deleteColumn('day'));
      await table.delete('id = 1', MERGE_ON_READ);
      expect(await idsOf(table)).toEqual([2]);
      await table.update('id = 2', { id: 3n });
      expect(await idsOf(table)).toEqual([3]);
    }
  });

  test('is refused in v1 if asked for, and said to be impossible if the table wants it', async () => {
    const table = await tableOf([[1, 2]], { formatVersion: 1 });
    await expectError(table.delete('id = 1', MERGE_ON_READ), 'UNSUPPORTED', /format version 1/);
    await expectError(
      table.rowDelta({ equalityDeletes: { fields: 'id', rows: [{ id: 1n }] } }),
      'UNSUPPORTED',
      /format version 1/,
    );
    await table.setProperties({ 'write.delete.mode': 'merge-on-read' });
    const commit = await table.delete('id = 1');
    expect(commit.warnings).toEqual([expect.stringMatching(/format version 1 have no delete files/)]);
    expect(await idsOf(table)).toEqual([2]);
  });
});

describe('update', () => {
  test('assigns values and what functions make of rows', async () => {
    const table = await tableOf([[1, 2], [3]]);
    await table.update('id <= 2', { city: null, x: (row) => (row.x ?? 0) + Number(row.id) });
    const rows = (await table.scan().toRows()).toSorted((a, b) => Number(a.id - b.id));
    expect(rows.map(({ city, x }) => [city, x])).toEqual([
      [null, 1.5],
      [null, 3],
      ['Seoul', 1.5],
    ]);
  });

  test('refuses unknown columns, values that do not fit, and nulls where a value is required', async () => {
    const table = await tableOf([[1]]);
    const update = (assignments: Record<string, unknown>): Promise<unknown> =>
      (table as unknown as Table).update('id = 1', assignments as never);
    await expectError(update({ town: 'x' }), 'INVALID_ARGUMENT', /no column 'town'.*id, city, x/);
    await expectError(update({ x: 'much' }), 'INVALID_ARGUMENT', /new x/);
    await expectError(update({ id: null }), 'INVALID_ARGUMENT', /required/);
    await expectError(update({ id: () => null }), 'INVALID_ARGUMENT', /required/);
    await expectError(update({}), 'INVALID_ARGUMENT', /at least one column/);
    await expectError(table.delete('nothing = 1'), 'INVALID_ARGUMENT');
  });
});

describe('upsert', () => {
  test('replaces what differs, adds what is new, and leaves equal rows where they are', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const table = await tableOf([
        [1, 2],
        [3, 4],
      ]);
      const [first] = (await table.scan({ filter: 'id = 1' }).plan()).tasks;
      const commit = await table.upsert([...rowsOf([1, 2]), ...rowsOf([3, 5], 'Busan')], { on: 'id', mode });
      const rows = await table.scan({ filter: "city = 'Busan'" }).toRows();
      expect(rows.map(({ id }) => id).toSorted()).toEqual([3n, 5n]);
      expect(await idsOf(table)).toEqual([1, 2, 3, 4, 5]);
      const [task] = (await table.scan({ filter: 'id = 1' }).plan()).tasks;
      expect([task!.file.path, task!.deletes.length]).toEqual([first!.file.path, 0]);
      expect(commit.summary['added-records']).toBe(mode === 'copy-on-write' ? '3' : '2');
      expect((await table.upsert(rowsOf([1, 2]), { on: ['id'], mode })).changed).toBe(false);
      expect((await table.upsert([], { on: ['id'], mode })).changed).toBe(false);
    }
  });

  test('reads no file whose bounds show that it holds none of the keys', async () => {
    const io = new MemoryFileIO();
    const table = await newTable<Row>({ schema: SHAPE, formatVersion: 2 }, { io });
    for (const ids of [
      [1, 2, 9],
      [4, 5],
      [10, 20],
    ])
      await table.append(rowsOf(ids));
    const others = (await table.scan().plan()).tasks.map(({ file }) => file).filter((file) => file.recordCount === 2);
    await io.delete(others.map((file) => file.path));
    await table.upsert(rowsOf([2, 3], 'Busan'), { on: 'id', mode: 'merge-on-read' });
    const { tasks } = await table.scan().plan();
    expect(tasks.length).toBe(4);
  });

  test('tells rows apart by the identifier fields if nothing else is said', async () => {
    const table = await newTable({
      schema: schema({ a: t.long().required(), b: t.string().required(), n: t.int() }, { identifier: ['a', 'b'] }),
    });
    await table.append([{ a: 1n, b: 'x', n: 1 }]);
    await table.upsert([
      { a: 1n, b: 'x', n: 2 },
      { a: 1n, b: 'y', n: 3 },
    ]);
    expect((await table.scan().toRows()).map(({ n }) => n).toSorted()).toEqual([2, 3]);
    await expectError((await tableOf([[1]])).upsert(rowsOf([1])), 'INVALID_ARGUMENT', /identifier/);
  });

  test('takes Arrow data, and never matches nulls', async () => {
    const table = await newTable({ schema: schema({ k: t.int(), v: t.string() }), formatVersion: 2 });
    await table.append([
      { k: null, v: 'old' },
      { k: 1, v: 'old' },
    ]);
    const arrow = new ArrowTable({
      k: vectorFromArray([null, 1, null]),
      v: vectorFromArray(['new', 'new', 'newer']),
    });
    await table.upsert(arrow, { on: 'k' });
    const rows = await table.scan().toRows();
    expect(rows.map(({ k, v }) => `${k} ${v}`).toSorted()).toEqual(['1 new', 'null new', 'null newer', 'null old']);
  });

  test('refuses keys that are there twice, and columns without an equality', async () => {
    const table = await tableOf([[1]]);
    await expectError(table.upsert(rowsOf([2, 3, 2]), { on: 'id' }), 'INVALID_ARGUMENT', /Rows 0 and 2.*id = 2/);
    await expectError(table.upsert(rowsOf([2]), { on: 'x' }), 'INVALID_ARGUMENT', /'x' of type double/);
    await expectError(table.upsert(rowsOf([2]), { on: 'town' }), 'INVALID_ARGUMENT', /'town'.*no column/);
    await expectError(table.upsert(rowsOf([2]), { on: [] }), 'INVALID_ARGUMENT', /names no column/);
  });
});

describe('merge', () => {
  test('takes the first clause that holds, with columns that only the source has', async () => {
    const table = await tableOf([[1, 2, 3, 4]]);
    const changes = [
      { id: 1n, op: 'delete' },
      { id: 2n, op: 'rename', city: 'Busan' },
      { id: 3n, op: 'nothing' },
      { id: 5n, op: 'delete' },
      { id: 6n, op: 'new', city: 'Ulsan' },
    ];
    await table.merge<{ op: string; city: string | null }>(changes, {
      on: 'id',
      whenMatched: [
        { if: (_, source) => source.op === 'delete', delete: true },
        { if: (_, source) => source.op === 'rename', update: { city: (row, source) => `${row.city} ${source.city}` } },
      ],
      whenNotMatched: { if: (source) => source.op === 'new', insert: 'all' },
    });
    const rows = (await table.scan().toRows()).toSorted((a, b) => Number(a.id - b.id));
    expect(rows.map(({ id, city, x }) => [id, city, x])).toEqual([
      [2n, 'Seoul Busan', 1],
      [3n, 'Seoul', 1.5],
      [4n, 'Seoul', 2],
      [6n, 'Ulsan', null],
    ]);
  });

  test('materialises write defaults, and wants what is required only of rows that it makes', async () => {
    const table = await newTable({
      schema: schema({ id: t.long().required(), n: t.int().required(), s: t.string() }),
      formatVersion: 3,
    });
    await table.append([{ id: 1n, n: 1, s: 'a' }]);
    await table.updateSchema((s) => s.addColumn('d', t.string().default('given')));
    await table.merge([{ id: 1n }], { on: 'id', whenMatched: 'delete' });
    await table.merge([{ id: 2n, m: 5 }], {
      on: 'id',
      whenNotMatched: { insert: { id: (s) => s['id'], n: (s) => s['m'] } },
    });
    expect(await table.scan().toRows()).toEqual([{ id: 2n, n: 5, s: null, d: 'given' }]);
    await expectError(
      table.merge([{ id: 3n }], { on: 'id', whenNotMatched: 'insert' }),
      'INVALID_ARGUMENT',
      /'n' is required/,
    );
  });
});

describe('overwrite', () => {
  test('replaces what a filter matches, or everything', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const table = await tableOf([
        [1, 2],
        [3, 4],
      ]);
      const commit = await table.overwrite(rowsOf([7]), { filter: 'id >= 2', mode });
      expect(commit.summary).toMatchObject({ operation: 'overwrite' });
      expect(await idsOf(table)).toEqual([1, 7]);
      await table.overwrite(rowsOf([8, 9]));
      expect(await idsOf(table)).toEqual([8, 9]);
      await table.overwrite([], { filter: 'id = 8' });
      expect(await idsOf(table)).toEqual([9]);
      expect((await table.overwrite([], { filter: 'id = 8' })).changed).toBe(false);
    }
  });

  test('adds columns that the table lacks', async () => {
    const table = (await tableOf([[1]])) as unknown as Table;
    await table.overwrite([{ id: 2n, more: 'x' }], { filter: 'id = 9', mergeSchema: true });
    const rows = await table.scan({ select: ['id', 'more'] }).toRows();
    expect(rows.map((row) => [row['id'], row['more']]).toSorted()).toEqual([
      [1n, null],
      [2n, 'x'],
    ]);
  });

  test('of partitions finds rows of older specs, and is the whole of an unpartitioned table', async () => {
    const table = await newTable<Row>({ schema: SHAPE, formatVersion: 2 });
    await table.append([...rowsOf([1], 'Seoul'), ...rowsOf([2], 'Busan')]);
    await table.updateSpec((p) => p.add(partitionBy.identity('city')));
    await table.append([...rowsOf([3], 'Seoul'), ...rowsOf([4], 'Busan')]);
    const commit = await table.overwritePartitions(rowsOf([5], 'Seoul'));
    expect(commit.summary).toMatchObject({ operation: 'overwrite', 'replace-partitions': 'true' });
    expect(await idsOf(table)).toEqual([2, 4, 5]);
    expect((await table.overwritePartitions([])).changed).toBe(false);
    const whole = await tableOf([[1], [2]]);
    await whole.overwritePartitions(rowsOf([3]));
    expect(await idsOf(whole)).toEqual([3]);
  });
});

describe('row delta', () => {
  test('deletes by key and position what was there before, and adds rows', async () => {
    for (const formatVersion of [2, 3] as const) {
      const table = await tableOf([[1, 2, 3]], { formatVersion });
      const [place] = await table.scan({ filter: 'id = 3', select: ['_file', '_pos'] }).toRows();
      const commit = await table.rowDelta({
        rows: rowsOf([1, 4], 'Busan'),
        equalityDeletes: { fields: ['id'], rows: [{ id: 1n }, { id: 77n }] },
        positionDeletes: [{ file: place!._file, pos: place!._pos }],
      });
      expect(commit.summary).toMatchObject({ operation: 'overwrite', 'added-equality-delete-files': '1' });
      expect(await idsOf(table)).toEqual([1, 2, 4]);
      const again = await table.rowDelta({ positionDeletes: [{ file: place!._file, pos: place!._pos }] });
      expect(again.changed).toBe(false);
    }
  });

  test('wants the columns of the partition, and no floats, and files that are there', async () => {
    const table = await newTable<Row>({
      schema: SHAPE,
      formatVersion: 2,
      partitionBy: [partitionBy.identity('city')],
    });
    await table.append([...rowsOf([1], 'Seoul'), ...rowsOf([1], 'Busan')]);
    const byId = (rows: object[]): Promise<unknown> => table.rowDelta({ equalityDeletes: { fields: 'id', rows } });
    await expectError(byId([{ id: 1n }]), 'INVALID_ARGUMENT', /lack 'city'/);
    await byId([{ id: 1n, city: 'Seoul' }]);
    expect((await table.scan().toRows()).map(({ city }) => city)).toEqual(['Busan']);
    await expectError(
      table.rowDelta({ equalityDeletes: { fields: 'x', rows: [{ x: 1, city: 'Busan' }] } }),
      'INVALID_ARGUMENT',
      /'x' of type double/,
    );
    await expectError(table.rowDelta({ positionDeletes: [{ file: 'x', pos: 0 }] }), 'INVALID_ARGUMENT', /no data file/);
    const [place] = await table.scan({ select: ['_file'] }).toRows();
    await expectError(
      table.rowDelta({ positionDeletes: [{ file: place!._file, pos: 5 }] }),
      'INVALID_ARGUMENT',
      /none at position 5/,
    );
  });
});

describe('other writers', () => {
  async function twoHandles(formatVersion: FormatVersion = 2): Promise<readonly [Table<Row>, Table<Row>]> {
    const catalog = await openCatalog('file-system');
    const one: Table<Row> = await catalog.createTable<Row>('db.t', { schema: SHAPE, formatVersion });
    await one.append(rowsOf([1, 2, 3]));
    return [one, (await catalog.loadTable('db.t')) as unknown as Table<Row>];
  }

  test('a conflict inside a transaction is for the user to decide', async () => {
    for (const isolation of ['serializable', 'snapshot'] as const) {
      const [one, two] = await twoHandles();
      const running = one.transaction(
        async (tx) => {
          await tx.delete('id = 2', MERGE_ON_READ);
          await two.append(rowsOf([2]));
        },
        { isolation },
      );
      if (isolation === 'snapshot') {
        expect((await running).changed).toBe(true);
        expect(await idsOf(await one.refresh())).toEqual([1, 2, 3]);
        continue;
      }
      await expectError(running, 'COMMIT_CONFLICT');
      expect(await idsOf(await one.refresh())).toEqual([1, 2, 2, 3]);
      expect(await orphans(one, one.io)).toEqual([]);
    }
  });

  test('a branch that the transaction makes itself can be changed by it', async () => {
    const [one, two] = await twoHandles();
    await two.append(rowsOf([4]));
    await one.refresh();
    const commit = await one.transaction(
      async (tx) => {
        tx.createBranch('audit');
        await tx.delete('id >= 3', MERGE_ON_READ);
        await two.append(rowsOf([0], 'Busan'));
        await tx.update('id = 1', { city: 'Ulsan' });
      },
      { branch: 'audit' },
    );
    expect(commit.changed).toBe(true);
    const cities = (await one.scan({ ref: 'audit' }).toRows()).map(({ id, city }) => `${id} ${city}`);
    expect(cities.toSorted()).toEqual(['0 Busan', '1 Ulsan', '2 Seoul']);
  });

  test('rewriting a file that others delete from meanwhile is a conflict at every level', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const [one, two] = await twoHandles();
      const running = one.transaction(
        async (tx) => {
          await tx.update('id = 1', { city: 'Busan' }, { mode });
          await two.delete('id = 3', MERGE_ON_READ);
        },
        { isolation: 'snapshot' },
      );
      await expectError(running, 'COMMIT_CONFLICT');
      expect(await idsOf(await one.refresh())).toEqual([1, 2]);
    }
  });

  test('rows that a transaction adds and changes never get the row ids that others took meanwhile', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const [one, two] = await twoHandles(3);
      await one.transaction(async (tx) => {
        await tx.append(rowsOf([4, 5]));
        await tx.update('id in (1, 4)', { city: 'Busan' }, { mode });
        await two.append(rowsOf([6, 7, 8]));
      });
      const select: readonly string[] = ['id', '_row_id', '_last_updated_sequence_number'];
      const rows = await one.scan({ select }).toRows();
      expect(new Set(rows.map((row) => row['_row_id'])).size, mode).toBe(8);
      const kept = rows.filter(({ id }) => Number(id) <= 3).toSorted((a, b) => Number(a['id']) - Number(b['id']));
      expect(kept.map((row) => row['_row_id'])).toEqual([0n, 1n, 2n]);
      const updated = Object.fromEntries(
        rows.map((row) => [String(row['id']), Number(row['_last_updated_sequence_number'])]),
      );
      expect(updated).toMatchObject({ 1: 4, 2: 1, 3: 1, 4: 4, 6: 2, 7: 2, 8: 2 });
      expect(updated['5'], 'not below the commit that added it').toBeGreaterThanOrEqual(3);
    }
  });

  test('rows that get their ids by an upgrade while they are rewritten keep them', async () => {
    const [one, two] = await twoHandles();
    const running = one.transaction(async (tx) => {
      await tx.update('id = 1', { city: 'Busan' });
      await two.upgradeFormatVersion(3);
      await two.append(rowsOf([4]));
    });
    await expectError(running, 'COMMIT_CONFLICT', /row ids/);
    expect(await orphans(await one.refresh(), one.io)).toEqual([]);
    await two.update('id = 1', { city: 'Busan' });
    const rows = await two.scan({ select: ['id', '_row_id'] as readonly string[] }).toRows();
    const ids = Object.fromEntries(rows.map((row) => [String(row['id']), row['_row_id']]));
    expect(ids).toEqual({ 1: 1n, 2: 2n, 3: 3n, 4: 0n });
  });

  test('an overwrite of partitions minds rows of them that come in files of another spec', async () => {
    for (const isolation of [undefined, 'serializable'] as const) {
      const catalog = await openCatalog('file-system');
      const table: Table<Row> = await catalog.createTable<Row>('db.t', { schema: SHAPE, formatVersion: 2 });
      const old = (await catalog.loadTable('db.t')) as unknown as Table<Row>;
      await table.updateSpec((p) => p.add(partitionBy.identity('city')));
      const running = table.transaction(
        async (tx) => {
          await tx.overwritePartitions(rowsOf([1], 'Seoul'));
          await old.transaction(async (other) => {
            await other.append([...rowsOf([2], 'Seoul'), ...rowsOf([3], 'Busan')]);
          });
        },
        { ...(isolation && { isolation }) },
      );
      await expectError(running, 'COMMIT_CONFLICT');
      await table.refresh();
      expect(await idsOf(table)).toEqual([2, 3]);
      await table.overwritePartitions(rowsOf([1], 'Seoul'));
      expect(await idsOf(table)).toEqual([1, 3]);
    }
  });

  test('many handles that change the same rows all get through', async () => {
    const catalog = await openCatalog('file-system');
    const table: Table<Row> = await catalog.createTable<Row>('db.t', {
      schema: SHAPE,
      formatVersion: 3,
      properties: { 'commit.retry.num-retries': '50', 'commit.retry.min-wait-ms': '1' },
    });
    await table.append([{ id: 1n, city: 'Seoul', x: 0 }]);
    const handles = await Promise.all(Array.from({ length: 4 }, () => catalog.loadTable('db.t')));
    await Promise.all(
      handles.map(async (handle, i) => {
        for (let n = 0; n < 3; n++) {
          const mode = (i + n) % 2 === 0 ? 'copy-on-write' : 'merge-on-read';
          await (handle as unknown as Table<Row>).update('id = 1', { x: (row) => (row.x ?? 0) + 1 }, { mode });
        }
      }),
    );
    await table.refresh();
    expect((await table.scan().toRows()).map(({ x }) => x)).toEqual([12]);
    expect(await orphans(table, table.io)).toEqual([]);
  });
});

describe('clean-up', () => {
  test('an operation that fails or is aborted leaves nothing behind', async () => {
    const table = await tableOf([
      [1, 2],
      [3, 4],
    ]);
    const { metadataLocation } = table;
    const boom = new Error('boom');
    const fail = (row: Row): string => {
      if (row.id === 4n) throw boom;
      return 'Busan';
    };
    await expect(table.update('id >= 1', { city: fail })).rejects.toBe(boom);
    await expect(table.update('id >= 1', { city: fail }, MERGE_ON_READ)).rejects.toBe(boom);
    const controller = new AbortController();
    const aborting = { city: (row: Row) => (row.id === 3n && controller.abort(), 'Busan') };
    await expectError(table.update('id >= 1', aborting, { signal: controller.signal }), 'ABORTED');
    await table.refresh();
    expect(table.metadataLocation).toBe(metadataLocation);
    expect(await orphans(table, table.io)).toEqual([]);
  });

  test('calls of a transaction see what the ones before did, and what fails in the end is gone', async () => {
    const table = await tableOf([[1, 2]], { formatVersion: 3 });
    const running = table.transaction(async (tx) => {
      await tx.append(rowsOf([3]));
      await tx.delete('id IN (1, 3)', MERGE_ON_READ);
      await tx.upsert(rowsOf([2, 4], 'Busan'), { on: 'id' });
      throw new Error('changed my mind');
    });
    await expect(running).rejects.toThrow('changed my mind');
    expect(await orphans(table, table.io)).toEqual([]);
    await table.transaction(async (tx) => {
      await tx.append(rowsOf([3]));
      await tx.delete('id IN (1, 3)', MERGE_ON_READ);
      await tx.upsert(rowsOf([2, 4], 'Busan'), { on: 'id' });
    });
    expect((await table.scan().toRows()).map(({ city }) => city)).toEqual(['Busan', 'Busan']);
    expect(await idsOf(table)).toEqual([2, 4]);
    expect(await orphans(table, table.io)).toEqual([]);
  });
});
