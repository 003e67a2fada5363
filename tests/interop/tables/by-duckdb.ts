import { type Schema, type SortFieldInput, type PartitionFieldInput, partitionBy, schema } from '@lh/core';
import { DuckDBWriter, Lakehouse } from '@lh/sql';

import { type InteropTable, type PlainOptions, type Row, current } from '../interop-table.ts';
import { everyColumn, everyTypeRows, nested, nestedRows, noTime, without } from './types.ts';

// Files that DuckDB writes, of rows and of queries. What it leaves to core is under test elsewhere.

const { fix: _fix, ...writable } = everyColumn;
const everyWritableType = schema(writable);
const rows: readonly Row[] = everyTypeRows.map((row) => without(row, 'fix'));
const { clock: _clock, ...writableButTime } = writable;
const butTime = schema(writableButTime);
const rowsButTime: readonly Row[] = rows.map((row) => without(row, 'clock'));

function byRows(name: string, shape: Schema, given: readonly Row[], options: PlainOptions = {}): InteropTable {
  const { cannotRead, cannotFilter, ...create } = options;
  return {
    name,
    ...(cannotRead && { cannotRead }),
    ...(cannotFilter && { cannotFilter }),
    make: async (catalog) => {
      const writer = new DuckDBWriter();
      const table = (await catalog.createTable(['interop', name], { schema: shape, ...create })).withWriter(writer);
      const { warnings } = await table.append(given);
      await writer.close();
      if (warnings.length > 0) throw new Error(warnings.join(' '));
      return { table, reads: [current(given)] };
    },
  };
}

function byQuery(name: string, shape: Schema, given: readonly Row[], options: PlainOptions = {}): InteropTable {
  const { cannotRead, cannotFilter, ...create } = options;
  return {
    name,
    ...(cannotRead && { cannotRead }),
    ...(cannotFilter && { cannotFilter }),
    make: async (catalog) => {
      const source = await catalog.createTable(['interop', `${name}_source`], { schema: shape });
      await source.append(given);
      await catalog.createTable(['interop', name], { schema: shape, ...create });
      const lake = await Lakehouse.open({ catalog });
      const { warnings } = await lake.append(`interop.${name}`, `SELECT * FROM interop.${name}_source`);
      await lake.close();
      if (warnings.length > 0) throw new Error(warnings.join(' '));
      return { table: await catalog.loadTable(['interop', name]), reads: [current(given)] };
    },
  };
}

const partitionings: Readonly<Record<string, PartitionFieldInput>> = {
  identity_s: partitionBy.identity('s'),
  identity_wide: partitionBy.identity('wide'),
  identity_u: partitionBy.identity('u'),
  bucket_l: partitionBy.bucket(4, 'l'),
  bucket_s: partitionBy.bucket(4, 's'),
  truncate_s: partitionBy.truncate(3, 's'),
  year_day: partitionBy.year('day'),
  hour_tstz: partitionBy.hour('tstz'),
  void_s: partitionBy.void('s'),
};

const sortBy: readonly SortFieldInput[] = [{ field: 's', direction: 'desc', nulls: 'last' }, 'd'];

export const duckdbTables: readonly InteropTable[] = [
  byRows('duckdb_every_type', everyWritableType, rows, { cannotRead: noTime }),
  byRows('duckdb_every_type_but_time', butTime, rowsButTime),
  byRows('duckdb_every_type_but_time_v3', butTime, rowsButTime, { formatVersion: 3 }),
  byRows('duckdb_nested', nested, nestedRows),
  byRows('duckdb_sorted', butTime, rowsButTime, { sortBy }),
  byQuery('duckdb_query_every_type', everyWritableType, rows, { cannotRead: noTime }),
  byQuery('duckdb_query_every_type_but_time', butTime, rowsButTime),
  byQuery('duckdb_query_nested', nested, nestedRows),
  ...Object.entries(partitionings).flatMap(([name, field]) => [
    byRows(`duckdb_${name}`, butTime, rowsButTime, { partitionBy: [field] }),
    byQuery(`duckdb_query_${name}`, butTime, rowsButTime, { partitionBy: [field] }),
  ]),
];
