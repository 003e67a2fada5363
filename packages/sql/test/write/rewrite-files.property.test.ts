import { FileSystemCatalog, t } from '@lh/core';
import type { DataFileWriter, RewriteDataFilesOptions, Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { RemoteStore } from '../remote/remote-store.ts';
import { openWarehouse } from '../support.ts';
import { anyTable } from './arbitrary-tables.ts';
import type { AnyTable } from './arbitrary-tables.ts';

// Whatever a table holds and has been, DuckDB writes its files anew with the same rows in the same partitions.

const { lake, catalog, path } = await openWarehouse({ memoryLimit: '500MB' });
/** The same tables, whose files seem to be somewhere else. */
const remote = await FileSystemCatalog.open({ io: new RemoteStore(new LocalFileIO()), warehouse: path });
let tables = 0;

/** DuckDB's writer, and how many of the groups it read by itself. */
function counting(): { readonly writer: DataFileWriter; readonly read: { count: number } } {
  const read = { count: 0 };
  const writer: DataFileWriter = {
    writeDataFiles: (input, options) => lake.writer.writeDataFiles(input, options),
    rewriteDataFiles: async (rewrite, options) => {
      const files = await lake.writer.rewriteDataFiles!(rewrite, options);
      if (files !== null) read.count++;
      return files;
    },
  };
  return { writer, read };
}

/** Rows without their order, in a form that tells all values apart; with what tells one row from another. */
async function content(table: Table): Promise<string[]> {
  const select = [...table.schema.fields.map(({ name }) => name), '_row_id', '_last_updated_sequence_number'];
  return sorted(await table.scan({ select }).toRows());
}

function sorted(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row, tagged)).toSorted();
}

function tagged(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  return value;
}

const history = fc.record({
  formatVersion: fc.constantFrom(2 as const, 3 as const),
  isRepartitioned: fc.boolean(),
  deletesPositions: fc.boolean(),
  deletesKeys: fc.boolean(),
  strategy: fc.constantFrom('binpack', 'sort', 'zorder'),
  targetFileSizeBytes: fc.constantFrom(2000, 100_000_000),
  isRemote: fc.boolean(),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

const NO_PARTITION_PATHS = {
  'write.object-storage.enabled': 'true',
  'write.object-storage.partitioned-paths': 'false',
};

/** A table whose rows have come in several files, of two schemas, perhaps of two specs, and some have gone. */
async function grow(any: AnyTable, how: History): Promise<Table> {
  const made = await catalog.createTable(`ns.t${tables++}`, {
    schema: any.shape,
    partitionBy: how.isRepartitioned ? [] : any.partitionBy,
    formatVersion: how.formatVersion,
    // Values are too long for names of directories.
    properties: { ...any.properties, ...NO_PARTITION_PATHS },
  });
  const table = made as unknown as Table;
  await table.updateSchema((s) => s.addColumn('nr', t.long()));
  const rows = any.rows.map((row, i) => ({ ...row, nr: BigInt(i) }));
  const step = Math.ceil(rows.length / 3);
  for (let start = 0; start < 2 * step; start += step) await table.append(rows.slice(start, start + step));
  if (how.deletesPositions) await table.delete('nr IN (1, 6, 11)', { mode: 'merge-on-read' });
  if (how.deletesKeys && table.spec.fields.length === 0) {
    await table.rowDelta({ equalityDeletes: { fields: ['nr'], rows: [{ nr: 0n }, { nr: 4n }] } });
  }
  await table.updateSchema((s) => s.addColumn('late', t.string()).renameColumn('nr', 'number'));
  if (how.isRepartitioned) await table.updateSpec((p) => any.partitionBy.reduce((spec, by) => spec.add(by), p));
  const last = rows.slice(2 * step).map(({ nr, ...row }) => ({ ...row, number: nr, late: 'x' }));
  await table.append(last);
  return table;
}

const SORTABLE = new Set([
  'boolean',
  'int',
  'long',
  'double',
  'date',
  'string',
  'uuid',
  'decimal',
  'timestamp',
  'binary',
]);

function arranged({ strategy }: History, table: Table, { sortBy }: AnyTable): RewriteDataFilesOptions {
  if (strategy === 'sort') return { strategy, sortBy: sortBy.length > 0 ? sortBy : ['number'] };
  if (strategy === 'binpack') return { strategy };
  const names = table.schema.fields.filter(({ type }) => SORTABLE.has(type.kind)).map(({ name }) => name);
  return { strategy, zOrderBy: names.slice(-4) };
}

test('rows, partitions and lineage stay', async () => {
  const byDuckDB = { local: 0, remote: 0 };
  const property = fc.asyncProperty(anyTable, history, async (any, how) => {
    const table = await grow(any, how);
    const before = await content(table);
    const { writer, read } = counting();
    const { targetFileSizeBytes } = how;
    const rewriting = (how.isRemote ? ((await remote.loadTable(table.name)) as Table) : table).withWriter(writer);
    const report = await rewriting.rewriteDataFiles({
      ...arranged(how, table, any),
      rewriteAll: true,
      targetFileSizeBytes,
    });
    byDuckDB[how.isRemote ? 'remote' : 'local'] += read.count;
    expect(report.failedDataFilesCount).toBe(0);
    await table.refresh();
    expect(await content(table)).toEqual(before);
    const { tasks } = await table.scan().plan();
    expect(tasks.filter(({ file }) => file.specId !== table.spec.specId)).toEqual([]);
    expect(tasks.reduce((sum, { file }) => sum + file.recordCount, 0)).toBe(before.length);
    // Every row is found by its own values, which the new files' partitions and metrics must not deny.
    expect(sorted(await (await lake.sql(`SELECT number FROM ${table.name} WHERE number >= 0`)).rows())).toEqual(
      sorted(await table.scan({ select: ['number'] }).toRows()),
    );
  });
  await fc.assert(property, { numRuns: runs(16) });
  expect(byDuckDB.local).toBeGreaterThan(0);
  expect(byDuckDB.remote).toBeGreaterThan(0);
});
