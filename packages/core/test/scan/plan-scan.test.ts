import { describe, expect, it } from 'vitest';
import type { BoundExpression } from '../../src/expr/bound-expression.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { planScan } from '../../src/scan/plan-scan.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import type { Value } from '../../src/spec/values.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { columnTerm } from '../expr/expressions.ts';
import { BY_CITY, fileOf, SCHEMA } from '../manifest/support.ts';
import { ScannedTable, type ManifestInput } from './support.ts';

const UNPARTITIONED: PartitionSpec = { specId: 0, fields: [] };
const SPECS = [UNPARTITIONED, BY_CITY];
const TRUE: BoundExpression = { op: 'true' };

const cityIs = (value: Value): BoundExpression => ({
  op: 'eq',
  term: columnTerm({ kind: 'string' }, 2, 'city'),
  value,
});
const idIs = (value: bigint): BoundExpression => ({ op: 'eq', term: columnTerm({ kind: 'long' }, 1, 'id'), value });

const id = (value: number): Uint8Array => valueToBytes({ kind: 'long' }, BigInt(value));

/** A file of one city with ids in a range. */
function cityFile(
  path: string,
  city: string,
  [lower, upper]: readonly [number, number],
  over: Partial<DataFile> = {},
): DataFile {
  return fileOf({
    path,
    partition: [city],
    valueCounts: new Map([[1, 10]]),
    nullValueCounts: new Map([[1, 0]]),
    lowerBounds: new Map([[1, id(lower)]]),
    upperBounds: new Map([[1, id(upper)]]),
    ...over,
  });
}

const added = (...files: DataFile[]): ManifestInput['entries'] =>
  files.map((file) => ({ status: 'added', sequenceNumber: 0n, fileSequenceNumber: 0n, file }));

const DATA: readonly ManifestInput[] = [
  { spec: BY_CITY, sequenceNumber: 1n, entries: added(cityFile('a', 'Oslo', [0, 9]), cityFile('b', 'Seoul', [0, 9])) },
  { spec: BY_CITY, sequenceNumber: 2n, entries: added(cityFile('c', 'Oslo', [10, 19], { fileSizeInBytes: 500 })) },
  {
    spec: BY_CITY,
    sequenceNumber: 3n,
    entries: added(cityFile('d', 'Quito', [0, 9]), cityFile('e', 'Quito', [10, 19])),
  },
];

const seoulTable = (): Promise<ScannedTable> => new ScannedTable(SCHEMA, SPECS).write(DATA);
const paths = (tasks: readonly { file: DataFile }[]): string[] => tasks.map(({ file }) => file.path);

describe('pruning', () => {
  it('is reported by what showed that there is nothing to find', async () => {
    const table = await seoulTable();
    const filter: BoundExpression = { op: 'and', left: cityIs('Oslo'), right: idIs(15n) };
    const { tasks, metrics } = await table.plan(filter);
    expect(paths(tasks)).toEqual(['c']);
    expect(metrics).toMatchObject({
      snapshotId: 5n,
      manifestsTotal: 3,
      manifestsScanned: 2,
      manifestsSkipped: 1,
      filesTotal: 5,
      filesScanned: 1,
      filesSkipped: 4,
      filesSkippedBy: { manifestSummary: 2, partition: 1, metrics: 1 },
      bytesScanned: 500,
      bytesSkipped: 2000,
      rowsScanned: 10,
    });
    expect(tasks[0]!.residual).toEqual(idIs(15n));
    expect(tasks[0]!.spec).toBe(BY_CITY);
    expect(tasks[0]!.sequenceNumber).toBe(2n);
  });

  it('leaves everything to a scan without a filter, with nothing left to test', async () => {
    const { tasks, metrics } = await (await seoulTable()).plan(TRUE);
    expect(paths(tasks)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(tasks.every(({ residual }) => residual.op === 'true')).toBe(true);
    expect(metrics).toMatchObject({ filesTotal: 5, filesScanned: 5, filesSkipped: 0, manifestsSkipped: 0 });
  });

  it('skips all if nothing can match', async () => {
    const { tasks, metrics } = await (await seoulTable()).plan({ op: 'false' });
    expect(tasks).toEqual([]);
    expect(metrics).toMatchObject({ manifestsTotal: 3, manifestsScanned: 0, filesTotal: 5, filesSkipped: 5 });
  });

  it('does not open manifests without live files, but those whose counts are unknown', async () => {
    const table = await seoulTable();
    const gone = added(cityFile('x', 'Oslo', [0, 9])).map((entry) => ({ ...entry, status: 'deleted' as const }));
    await table.write([...DATA, { spec: BY_CITY, entries: gone }]);
    expect((await table.plan(TRUE)).metrics).toMatchObject({
      manifestsTotal: 4,
      manifestsScanned: 3,
      manifestsSkipped: 1,
      filesTotal: 5,
    });
    const v1 = await new ScannedTable(SCHEMA, SPECS, 1).write([{ spec: BY_CITY, entries: gone }]);
    const unknown = { addedFilesCount: null, existingFilesCount: null, deletedFilesCount: null };
    await v1.list(v1.manifests.map((manifest) => ({ ...manifest, ...unknown })));
    expect((await v1.plan(TRUE)).metrics).toMatchObject({ manifestsScanned: 1, filesTotal: 0 });
  });

  it('has nothing to do for a table without snapshots', async () => {
    const { tasks, metrics } = await (await seoulTable()).plan(TRUE, { snapshot: null });
    expect(tasks).toEqual([]);
    expect(metrics).toMatchObject({ snapshotId: null, manifestsTotal: 0, filesTotal: 0 });
  });
});

describe('statistics', () => {
  it('are those of the columns asked for, none if none are', async () => {
    const table = await seoulTable();
    const plain = await table.plan(idIs(15n));
    expect(plain.tasks[0]!.file).toMatchObject({ valueCounts: null, lowerBounds: null });
    const asked = await table.plan(idIs(15n), { columnStats: new Set([1]) });
    expect(asked.tasks[0]!.file.lowerBounds).toEqual(new Map([[1, id(10)]]));
    const all = await table.plan(TRUE, { columnStats: 'all' });
    expect(all.tasks[0]!.file.upperBounds).toEqual(new Map([[1, id(9)]]));
  });
});

const equality = (path: string, city: string, range: readonly [number, number]): DataFile =>
  cityFile(path, city, range, { content: 'equality-deletes', equalityIds: [1] });
const positions = (path: string, city: string): DataFile =>
  fileOf({ path, partition: [city], content: 'position-deletes' });
const deletes = (sequenceNumber: bigint, ...files: DataFile[]): ManifestInput => ({
  spec: BY_CITY,
  content: 'deletes',
  sequenceNumber,
  entries: added(...files),
});
const withDeletes = (...more: ManifestInput[]): Promise<ScannedTable> =>
  new ScannedTable(SCHEMA, SPECS).write([...DATA, ...more]);
const applied = (
  tasks: readonly { file: DataFile; deletes: readonly { file: DataFile }[] }[],
): Record<string, string[]> =>
  Object.fromEntries(
    tasks.filter((task) => task.deletes.length > 0).map((task) => [task.file.path, paths(task.deletes)]),
  );

describe('deletes', () => {
  it('come with the files that they apply to', async () => {
    const table = await withDeletes(deletes(2n, equality('eq', 'Oslo', [5, 12]), positions('pos', 'Oslo')));
    const { tasks, metrics } = await table.plan(TRUE);
    expect(applied(tasks)).toEqual({ a: ['eq', 'pos'], c: ['pos'] });
    expect(tasks[0]!.deletes[0]!.sequenceNumber).toBe(2n);
    expect(metrics).toMatchObject({
      deleteManifestsTotal: 1,
      deleteManifestsScanned: 1,
      deleteFilesTotal: 2,
      deleteFilesApplied: 2,
      deleteFilesSkipped: 0,
      deleteFilesIndexed: { equality: 1, position: 1, deletionVector: 0 },
      // `pos` is read for both files.
      deleteReferences: { files: 3, bytes: 3 * tasks[0]!.deletes[0]!.file.fileSizeInBytes },
    });
    // Statistics that were needed to tell which apply are not handed out.
    expect(tasks[0]!.file.lowerBounds).toBeNull();
  });

  it('are not read where the filter leaves no partition that they are in', async () => {
    const table = await withDeletes(
      deletes(9n, positions('p1', 'Oslo')),
      deletes(9n, positions('p2', 'Seoul'), positions('p3', 'Oslo')),
    );
    const { tasks, metrics } = await table.plan(cityIs('Seoul'));
    expect(applied(tasks)).toEqual({ b: ['p2'] });
    expect(metrics).toMatchObject({
      deleteManifestsTotal: 2,
      deleteManifestsScanned: 1,
      deleteFilesTotal: 3,
      deleteFilesApplied: 1,
    });
    const nowhere = await table.plan(cityIs('Lima'));
    expect(nowhere.metrics).toMatchObject({ deleteManifestsScanned: 0, deleteFilesTotal: 3, deleteFilesApplied: 0 });
  });

  it('are left out where no row that they delete could match', async () => {
    const table = await withDeletes(
      deletes(9n, equality('e1', 'Oslo', [0, 4]), equality('e2', 'Oslo', [5, 9]), positions('pos', 'Oslo')),
    );
    const { tasks, metrics } = await table.plan(idIs(7n));
    expect(applied(tasks)).toEqual({ a: ['e2', 'pos'] });
    expect(metrics).toMatchObject({ deleteFilesTotal: 3, deleteFilesApplied: 2, deleteFilesSkipped: 1 });
  });

  it('are judged by the metrics of their delete columns only', async () => {
    // The delete is of ids; that the rows it was made from were all in Oslo decides nothing.
    const bound = new TextEncoder().encode('Oslo');
    const file = fileOf({
      path: 'eq',
      specId: 0,
      partition: [],
      content: 'equality-deletes',
      equalityIds: [1],
      valueCounts: new Map([[2, 1]]),
      nullValueCounts: new Map([[2, 0]]),
      lowerBounds: new Map([[2, bound]]),
      upperBounds: new Map([[2, bound]]),
    });
    const table = await withDeletes({
      spec: UNPARTITIONED,
      content: 'deletes',
      sequenceNumber: 9n,
      entries: added(file),
    });
    const { tasks } = await table.plan(cityIs('Seoul'));
    expect(applied(tasks)).toEqual({ b: ['eq'] });
  });

  it('that name a column of no schema are an error', async () => {
    const table = await withDeletes(deletes(9n, { ...equality('e1', 'Oslo', [0, 4]), equalityIds: [4242] }));
    await expect(table.plan(TRUE)).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});

describe('a limit', () => {
  it('ends the plan when the rows that surely match are enough', async () => {
    const table = await seoulTable();
    expect(paths((await table.plan(TRUE, { limit: 10 })).tasks)).toEqual(['a']);
    expect(paths((await table.plan(TRUE, { limit: 11 })).tasks)).toEqual(['a', 'b']);
    expect(paths((await table.plan(TRUE, { limit: 0 })).tasks)).toEqual([]);
    expect(paths((await table.plan(cityIs('Oslo'), { limit: 1 })).tasks)).toEqual(['a']);
  });

  it('does not count files with a residual or with deletes', async () => {
    const table = await seoulTable();
    expect(paths((await table.plan(idIs(5n), { limit: 1 })).tasks)).toEqual(['a', 'b', 'd']);
    const pos = fileOf({ path: 'pos', partition: ['Oslo'], content: 'position-deletes' });
    await table.write([...DATA, { spec: BY_CITY, content: 'deletes', sequenceNumber: 9n, entries: added(pos) }]);
    expect(paths((await table.plan(TRUE, { limit: 10 })).tasks)).toEqual(['a', 'b']);
  });
});

describe('encrypted files', () => {
  it('are refused if they would have to be read', async () => {
    const secret = cityFile('s', 'Lima', [0, 9], { keyMetadata: Uint8Array.of(1) });
    const table = await new ScannedTable(SCHEMA, SPECS).write([...DATA, { spec: BY_CITY, entries: added(secret) }]);
    await expect(table.plan(TRUE)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await table.plan(cityIs('Oslo'))).tasks).toHaveLength(2);
  });
});

/** Counts the reads that are under way at the same time. */
function counting(io: FileIO): { io: FileIO; reads: string[]; most: () => number } {
  let running = 0;
  let most = 0;
  const reads: string[] = [];
  const read: FileIO['read'] = async (location, options) => {
    reads.push(location);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return io.read(location, options);
  };
  return { io: Object.assign(Object.create(io) as FileIO, { read }), reads, most: () => most };
}

describe('reading', () => {
  const many = Array.from({ length: 20 }, (_, i): ManifestInput => ({
    spec: BY_CITY,
    entries: added(cityFile(`f${i}`, 'Oslo', [0, 9])),
  }));

  it('keeps as many manifests under way as the runtime allows, and no more than the consumer waits for', async () => {
    const table = await new ScannedTable(SCHEMA, SPECS).write(many);
    const counted = counting(table.io);
    const { tasks } = await table.plan(TRUE, { io: counted.io, runtime: new SeededRuntime(1, { concurrency: 3 }) });
    expect(tasks).toHaveLength(20);
    expect(counted.most()).toBe(3);

    const lazy = counting(table.io);
    const plan = planScan(table.options(TRUE, { io: lazy.io, runtime: new SeededRuntime(1, { concurrency: 3 }) }));
    for await (const _ of plan.tasks) break;
    expect(lazy.reads.length).toBeLessThanOrEqual(1 + 3);
    expect(plan.metrics()).toMatchObject({ manifestsScanned: 1, filesScanned: 1 });
  });

  it('reports what is missing or damaged when its turn comes', async () => {
    const table = await new ScannedTable(SCHEMA, SPECS).write(many);
    await table.io.delete(['s3://b/t/metadata/m3.avro']);
    await expect(table.plan(TRUE)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await table.plan(TRUE, { limit: 5 })).tasks).toHaveLength(1);
    await table.io.write('s3://b/t/metadata/m3.avro', new Uint8Array(10_000));
    await expect(table.plan(TRUE)).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  it('ends when it is aborted', async () => {
    const table = await new ScannedTable(SCHEMA, SPECS).write(many);
    const controller = new AbortController();
    const plan = planScan(table.options(TRUE, { signal: controller.signal }));
    const consume = async (): Promise<void> => {
      for await (const _ of plan.tasks) controller.abort();
    };
    await expect(consume()).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('version 3', () => {
  it('gives row ids to files', async () => {
    const table = await new ScannedTable(SCHEMA, SPECS, 3).write(DATA);
    const { tasks } = await table.plan(cityIs('Quito'));
    expect(tasks.map(({ file }) => [file.path, file.firstRowId])).toEqual([
      ['d', 30n],
      ['e', 40n],
    ]);
  });
});
