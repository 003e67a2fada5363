import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { MappedFileIO } from '@lh/core';
import type { DataFile, FileScanTask, NestedField, PartitionSpec, Schema, StructType, Value } from '@lh/core';
import { deleteLoader, readTaskColumns } from '@lh/core/engine';
import type { ColumnBatch, MetadataColumn } from '@lh/core/engine';
import { LocalFileIO } from '@lh/io-fs';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { runs as runsOf } from '../../../../tests/support/runs.ts';
import { TableWithDeletes } from '../../../core/test/deletes/support.ts';
import { Feeds, icebergFeed } from '../../src/feed/feeds.ts';
import { QueryRows } from '../../src/feed/query-rows.ts';
import { FileSchemas } from '../../src/relation/file-schema.ts';
import { hiddenPrefix, relationSchema, scanRelation } from '../../src/relation/scan-relation.ts';
import type { RelationSource } from '../../src/relation/scan-relation.ts';
import { FileCache } from '../../src/remote/file-cache.ts';
import { ScanFiles } from '../../src/remote/scan-files.ts';
import { quoteName } from '../../src/text/quote.ts';
import { RemoteStore } from '../remote/remote-store.ts';

const optional = (id: number, name: string, type: NestedField['type']): NestedField => ({
  id,
  name,
  required: false,
  type,
});
const x = optional(5, 'x', { kind: 'double' });
const y = optional(7, 'y', { kind: 'string' });
const part = optional(8, 'part', { kind: 'string' });
const row = optional(9, 'file_index', { kind: 'int' });

/** The table as it began … */
const OLD: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    optional(1, 'id', { kind: 'int' }),
    optional(2, 'name', { kind: 'string' }),
    optional(3, 'gone', { kind: 'long' }),
    optional(4, 'st', { kind: 'struct', fields: [y, x] }),
    part,
  ],
};

/** … as it is: promoted, renamed, dropped, dropped from a struct, added with a default … */
const NOW: Schema = {
  ...OLD,
  schemaId: 1,
  fields: [
    part,
    { ...optional(6, 'added', { kind: 'int' }), initialDefault: 7 },
    optional(4, 'st', { kind: 'struct', fields: [x] }),
    optional(2, 'label', { kind: 'string' }),
    optional(1, 'id', { kind: 'long' }),
  ],
};

/** … and with a column that hides what DuckDB calls a file's number. */
const HIDING: Schema = { ...NOW, fields: [...NOW.fields, row] };

const BY_PART: PartitionSpec = {
  specId: 1,
  fields: [{ sourceIds: [8], fieldId: 1000, name: 'part', transform: { kind: 'identity' } }],
};

type Leaves = ReadonlyMap<number, Value>;

const leaves: fc.Arbitrary<Leaves> = fc
  .record({
    id: fc.option(fc.constantFrom(0n, 1n, 2n, -3n), { freq: 5 }),
    label: fc.option(fc.constantFrom('', 'a', 'A')),
    gone: fc.option(fc.constantFrom(0n, 1n)),
    x: fc.option(fc.constantFrom(0, -0, Number.NaN, 1.5)),
    y: fc.option(fc.constantFrom('y', 'z')),
    added: fc.option(fc.constantFrom(7, 8)),
  })
  .map(
    (one) =>
      new Map<number, Value>([
        [1, one.id],
        [2, one.label],
        [3, one.gone],
        [5, one.x],
        [6, one.added],
        [7, one.y],
        [9, 1],
      ]),
  );

const schema = fc.constantFrom(OLD, OLD, NOW, NOW, HIDING);
const sequenceNumber = fc.bigInt({ min: 1n, max: 4n });
const place = fc.constantFrom(null, 'p', 'q');
const files = fc.array(
  fc.record({ schema, rows: fc.array(leaves, { minLength: 1, maxLength: 8 }), sequenceNumber, part: place }),
  { minLength: 1, maxLength: 6 },
);
const positions = fc.array(
  fc.record({
    isVector: fc.boolean(),
    deleted: fc.array(fc.tuple(fc.nat(5), fc.nat(9)), { minLength: 1, maxLength: 6 }),
    sequenceNumber,
  }),
  { maxLength: 4 },
);
const keys = fc.array(
  fc.record({
    ids: fc.oneof(
      fc.constant<readonly number[]>([1]),
      fc.constantFrom<readonly number[]>([2], [3], [6], [7], [5], [1, 2], [2, 1], [1, 3], [7, 2, 1]),
    ),
    keys: fc.array(leaves, { minLength: 1, maxLength: 4 }),
    sequenceNumber,
    part: place,
  }),
  { maxLength: 5 },
);
const metadataColumns = fc.constantFrom<readonly MetadataColumn[]>(
  [],
  [],
  ['_pos', '_file', '_spec_id'],
  ['_row_id', '_last_updated_sequence_number'],
);

/** Indexes of the columns that the query reads. */
const columns = fc.option(fc.subarray([0, 1, 2, 3, 4]).map((indexes) => new Set(indexes)));
/** Rows of core's stay in memory, or none does. */
const memoryBytes = fc.constantFrom(2 ** 20, 0);

function rowOf(struct: StructType, values: Leaves): readonly Value[] {
  return struct.fields.map(({ id, type }): Value => {
    if (type.kind === 'struct') return values.get(5) === null ? null : rowOf(type, values);
    const value = values.get(id) ?? null;
    return type.kind === 'int' && typeof value === 'bigint' ? Number(value) : value;
  });
}

const placeOf = (value: string | null) => (value === null ? {} : { spec: BY_PART, partition: [value] });

const folder = await mkdtemp(join(tmpdir(), 'lh-sql-deletes-'));
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
// Keys are equal by their bytes, whatever the session compares strings by.
await connection.run("SET default_collation = 'NOCASE'");
const feeds = new Feeds(connection);
const cache = new FileCache({ directory: join(folder, 'cache') });
afterAll(async () => {
  await cache.close();
  connection.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
});

async function build(input: {
  readonly files: typeof files extends fc.Arbitrary<infer T> ? T : never;
  readonly positions: typeof positions extends fc.Arbitrary<infer T> ? T : never;
  readonly keys: typeof keys extends fc.Arbitrary<infer T> ? T : never;
}): Promise<TableWithDeletes> {
  const table = new TableWithDeletes(NOW, [{ specId: 0, fields: [] }, BY_PART]);
  const written: DataFile[] = [];
  for (const file of input.files) {
    const rows = file.rows.map((values) => rowOf(file.schema, new Map([...values, [8, file.part]])));
    written.push(await table.addData(file.schema, rows, file.sequenceNumber, placeOf(file.part)));
  }
  const withVector = new Set<number>();
  for (const { isVector, deleted, sequenceNumber: age } of input.positions) {
    const target = deleted[0]![0] % written.length;
    const home = placeOf(input.files[target]!.part);
    if (!isVector) {
      const rows = deleted.map(([file, position]) => [written[file % written.length]!.path, position] as const);
      await table.addPositionDeletes(rows, age, home);
    } else if (!withVector.has(target)) {
      withVector.add(target);
      const own = deleted.filter(([file]) => file % written.length === target).map(([, position]) => position);
      await table.addVector(written[target]!, own, age, home);
    }
  }
  for (const { ids, keys: deleted, sequenceNumber: age, part: value } of input.keys) {
    const all = [...OLD.fields, NOW.fields[1]!];
    const fields = all.filter(({ id }) => ids.includes(id) || (id === 4 && ids.some((one) => one === 5 || one === 7)));
    const shape = { ...OLD, fields };
    await table.addEqualityDeletes(
      shape,
      ids,
      deleted.map((values) => rowOf(shape, values)),
      age,
      placeOf(value),
    );
  }
  return table;
}

/** The same files on disk, where DuckDB can read them. */
async function onDisk(tasks: readonly FileScanTask[], table: TableWithDeletes, name: string): Promise<MappedFileIO> {
  const root = join(folder, name);
  const paths = new Set(tasks.flatMap(({ file, deletes }) => [file.path, ...deletes.map((one) => one.file.path)]));
  for (const path of paths) {
    const target = path.replace('memory:/t', root);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await table.table.io.read(path));
  }
  return new MappedFileIO(new LocalFileIO(), { 'memory:/t': root });
}

let runs = 0;

/** What a query over a table's files is made of. */
async function sourceOf(
  table: TableWithDeletes,
  tasks: readonly FileScanTask[],
  options: Partial<RelationSource> & { readonly memoryBytes?: number; readonly isRemote?: boolean },
): Promise<RelationSource> {
  const local = await onDisk(tasks, table, String(runs++));
  const io = options.isRemote ? new RemoteStore(local) : local;
  const lend = () => Promise.resolve({ connection, release: () => undefined });
  return {
    connection,
    io,
    schema: NOW,
    metadataColumns: [],
    columns: null,
    maxRows: null,
    variantBytes: false,
    nameMapping: null,
    files: new FileSchemas(),
    positions: deleteLoader(io),
    guarded: new Set<number>(),
    hiddenPrefix: hiddenPrefix(NOW),
    rows: new QueryRows(feeds, lend, options.memoryBytes),
    remote: new ScanFiles({ io, table: String(runs), cache, url: () => null, signal: undefined }),
    signal: undefined,
    ...options,
  };
}

/** DuckDB's rows are those that core reads, in the columns that are asked for. */
async function expectSameRows(source: RelationSource, tasks: readonly FileScanTask[], found: string): Promise<void> {
  const { io, metadataColumns: metadata, columns: wantedColumns, rows } = source;
  const batches: ColumnBatch[] = [];
  for (const task of tasks) {
    for await (const batch of readTaskColumns(io, task, { projection: NOW, metadataColumns: metadata }))
      batches.push(batch);
  }
  const wanted = rows.feed(icebergFeed(relationSchema(source), batches));
  // Structs and strings are compared exactly as text.
  const read = NOW.fields.filter((_, i) => wantedColumns === null || wantedColumns.has(i)).map(({ name }) => name);
  const names = [...[...read, ...metadata].map(quoteName), '0 AS row'];
  const text = (sql: string): string =>
    `SELECT encode(CAST(r AS VARCHAR)) AS r FROM (SELECT ${names.join(', ')} FROM (${sql})) AS r`;
  const reader = await connection.runAndReadAll(
    `(${text(wanted)} EXCEPT ALL ${text(found)}) UNION ALL (${text(found)} EXCEPT ALL ${text(wanted)})`,
  );
  expect(reader.getRows()).toEqual([]);
  rows.dispose();
}

test('DuckDB leaves out the rows that core leaves out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ files, positions, keys, metadataColumns, columns, memoryBytes, isRemote: fc.boolean() }),
      async (input) => {
        const table = await build(input);
        const tasks = await table.tasks({ metadata: { ...table.metadata, schemas: [OLD, NOW] } });
        const { metadataColumns: metadata, columns: read, memoryBytes: bytes, isRemote } = input;
        const options = { metadataColumns: metadata, columns: read, memoryBytes: bytes, isRemote };
        const source = await sourceOf(table, tasks, options);
        await expectSameRows(source, tasks, await scanRelation(source, tasks));
        source.remote.release();
      },
    ),
    { numRuns: runsOf(40) },
  );
}, 120_000);

test('files with many deleted positions are read with few of them at a time', async () => {
  const table = new TableWithDeletes(NOW, [{ specId: 0, fields: [] }]);
  const sizes = [1000, 1000, 3000, 5000, 1, 4095, 1];
  for (const [file, deleted] of sizes.entries()) {
    const rows = Array.from({ length: 10_000 }, (_, i) => ['p', i, [1.5], 'x', BigInt(file)] as const);
    const data = await table.addData(NOW, rows, 1n, {});
    await table.addVector(
      data,
      Array.from({ length: deleted }, (_, i) => (i * 7) % 10_000),
      2n,
      {},
    );
  }
  const tasks = await table.tasks({ metadata: { ...table.metadata, schemas: [NOW] } });
  const source = await sourceOf(table, tasks, { metadataColumns: ['_file', '_pos'] });
  const sql = await scanRelation(source, tasks);
  expect(sql.split('ANTI JOIN').length - 1).toBe(5);
  await expectSameRows(source, tasks, sql);
});
