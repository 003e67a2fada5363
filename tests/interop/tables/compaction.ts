import { type FormatVersion, type RewriteDataFilesOptions, type Table, partitionBy, schema, t } from '@lh/core';
import { DuckDBWriter } from '@lh/sql';

import { type InteropTable, type Row, current, snapshot } from '../interop-table.ts';

// Files that were written anew: deletes applied, older schemas and specs made current, rows sorted; by core and by DuckDB.

const shape = schema({ id: t.long().required(), city: t.string(), n: t.int(), x: t.double() });
const cities = ['Seoul', 'Busan', null];

const row = (id: number): Row => ({
  id: BigInt(id),
  city: cities[id % 3]!,
  n: id,
  x: id % 5 === 0 ? Number.NaN : id / 2,
});
const rows = (from: number, to: number): readonly Row[] => Array.from({ length: to - from }, (_, i) => row(from + i));

/** What the rows are after the table has got another schema. */
const evolved = ({ id, city, n, x }: Row, late: string | null): Row => ({
  id,
  city,
  count: BigInt(n as number),
  x,
  late,
});

type Executor = 'core' | 'duckdb';

async function rewritten(table: Table, executor: Executor, options: RewriteDataFilesOptions): Promise<void> {
  const writer = executor === 'core' ? null : new DuckDBWriter();
  const { failedDataFilesCount, addedDataFilesCount } = await (
    writer ? table.withWriter(writer) : table
  ).rewriteDataFiles(options);
  await writer?.close();
  await table.refresh();
  if (failedDataFilesCount > 0 || addedDataFilesCount === 0) throw new Error('Files should have been rewritten.');
}

/** Small files of two schemas and two specs, some rows of which are deleted, become current ones. */
function compacted(formatVersion: FormatVersion, executor: Executor): InteropTable {
  const name = `compacted_v${formatVersion}_${executor}`;
  return {
    name,
    make: async (catalog) => {
      const table = (await catalog.createTable(['interop', name], {
        schema: shape,
        formatVersion,
      })) as unknown as Table;
      for (let i = 0; i < 4; i++) await table.append(rows(10 * i, 10 * i + 10));
      const mode = formatVersion === 1 ? 'copy-on-write' : 'merge-on-read';
      await table.delete('id IN (3, 14, 15)', { mode });
      await table.updateSchema((s) =>
        s.renameColumn('n', 'count').updateColumn('count', t.long()).addColumn('late', t.string()),
      );
      await table.updateSpec((p) => p.add(partitionBy.identity('city')));
      await table.append(rows(40, 45).map((one) => evolved(one, 'x')));
      const before = table.currentSnapshot()!.snapshotId;
      await rewritten(table, executor, { rewriteAll: true });
      const left = rows(0, 40).filter(({ id }) => ![3n, 14n, 15n].includes(id as bigint));
      const all = [...left.map((one) => evolved(one, null)), ...rows(40, 45).map((one) => evolved(one, 'x'))];
      return { table, reads: [current(all), snapshot('before', before, all)] };
    },
  };
}

/** New files are as old as what was read, so that what is deleted by key later is deleted from them, too. */
function compactedThenDeleted(formatVersion: 2 | 3): InteropTable {
  const name = `compacted_then_deleted_v${formatVersion}`;
  return {
    name,
    cannotRead: { PyIceberg: 'it knows no equality deletes' },
    make: async (catalog) => {
      const table = (await catalog.createTable(['interop', name], {
        schema: shape,
        formatVersion,
      })) as unknown as Table;
      for (let i = 0; i < 3; i++) await table.append(rows(10 * i, 10 * i + 10));
      await rewritten(table, 'core', { minInputFiles: 2 });
      await table.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 4n }, { id: 25n }] }, rows: [row(4)] });
      return { table, reads: [current(rows(0, 30).filter(({ id }) => id !== 25n))] };
    },
  };
}

/** One sorted file is cut between its row groups. */
function arranged(name: string, options: RewriteDataFilesOptions): InteropTable {
  return {
    name,
    make: async (catalog) => {
      const properties = { 'write.parquet.row-group-size-bytes': '65536' };
      const table = (await catalog.createTable(['interop', name], {
        schema: shape,
        formatVersion: 3,
        properties,
      })) as unknown as Table;
      for (let i = 0; i < 2; i++) await table.append(rows(6000 * i, 6000 * i + 6000));
      await table.delete('id = 7', { mode: 'merge-on-read' });
      await rewritten(table, 'duckdb', { ...options, rewriteAll: true, targetFileSizeBytes: 20_000 });
      const files = (await table.scan().plan()).tasks.length;
      if (files < 3) throw new Error(`It has ${files} files.`);
      return { table, reads: [current(rows(0, 12_000).filter(({ id }) => id !== 7n))] };
    },
  };
}

export const compactionTables: readonly InteropTable[] = [
  compacted(1, 'core'),
  compacted(2, 'core'),
  compacted(2, 'duckdb'),
  compacted(3, 'core'),
  compacted(3, 'duckdb'),
  compactedThenDeleted(2),
  compactedThenDeleted(3),
  arranged('sorted_and_cut', { strategy: 'sort', sortBy: ['city', { field: 'x', direction: 'desc' }] }),
  arranged('z_ordered_and_cut', { strategy: 'zorder', zOrderBy: ['city', 'x', 'id'] }),
];
