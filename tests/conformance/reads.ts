import type { Schema, StructType, Table } from '@lh/core';
import type { Lakehouse } from '@lh/sql';
import { expect } from 'vitest';

import { METADATA_COLUMNS, isMetadataColumn } from '../../packages/core/src/read/metadata-columns.ts';
import { schemaFromJson, schemaToJson } from '../../packages/core/src/spec/schema-json.ts';
import { canonicalRows } from './canonical.ts';
import { filterFromJson, filterToSql, quoteName } from './filters.ts';
import { expectedRows } from './fixtures.ts';
import type { ExpectedRead, ExpectedTable } from './fixtures.ts';
import { matchesRow } from './row-filter.ts';

/** The schema that a read has to have, before its columns are chosen: the table's current one unless it says so. */
export function expectedSchema(expected: ExpectedTable, read: ExpectedRead): Schema {
  const own = expected.exact.reads[expected.reads.indexOf(read)]?.schema;
  return schemaFromJson(own ?? expected.exact.schema);
}

/** The scan is one of the expected snapshot, with the expected schema: names, ids, types, defaults. */
export function checkTarget(table: Table, expected: ExpectedTable, read: ExpectedRead): void {
  const { schema, snapshot } = table.scan(target(read));
  const wanted = schemaToJson(expectedSchema(expected, read));
  expect({ ...schemaToJson(schema), 'schema-id': 0 }).toEqual({ ...wanted, 'schema-id': 0 });
  const refId = read.ref ? expected.refs[read.ref]?.snapshotId : undefined;
  const id = read.snapshotId ?? read.asOfSnapshotId ?? refId ?? expected.currentSnapshotId;
  expect(snapshot === null ? null : String(snapshot.snapshotId)).toBe(id);
}

function target({ ref, snapshotId, asOf }: ExpectedRead) {
  return { ...(ref && { ref }), ...(snapshotId && { snapshotId: BigInt(snapshotId) }), ...(asOf && { asOf }) };
}

/** The rows by core's reader, as canonical lines. */
export async function readWithCore(table: Table, expected: ExpectedTable, read: ExpectedRead): Promise<string[]> {
  const schema = expectedSchema(expected, read);
  const scan = table.scan({
    ...target(read),
    ...(read.columns && { select: read.columns }),
    ...(read.filter && { filter: filterFromJson(schema, read.filter) }),
  });
  return canonicalRows(rowType(schema, read.columns), await scan.toRows());
}

/** The rows by SQL, as canonical lines. */
export async function readWithSql(
  lake: Lakehouse,
  table: Table,
  expected: ExpectedTable,
  read: ExpectedRead,
): Promise<string[]> {
  const schema = expectedSchema(expected, read);
  const columns = read.columns?.map(quoteName).join(', ') ?? '*';
  const where = read.filter ? ` WHERE ${filterToSql(schema, read.filter)}` : '';
  return sqlRows(lake, table, `SELECT ${columns} FROM t${at(read)}${where}`, rowType(schema, read.columns));
}

/** Runs a query over the table, which it calls `t`. Columns count by their place: DuckDB renames some that differ in case. */
export async function sqlRows(lake: Lakehouse, table: Table, sql: string, type: StructType): Promise<string[]> {
  lake.register('t', table);
  const result = await lake.sql(sql);
  const names = result.columns.map(({ name }) => name);
  if (names.length !== type.fields.length) throw new Error(`Columns ${names.join(', ')}`);
  const rows = (await result.rows()).map((row) =>
    Object.fromEntries(type.fields.map((field, i) => [field.name, row[names[i]!]])),
  );
  return canonicalRows(type, rows);
}

/** The time-travel clause of a read or plan. */
export function at({ snapshotId, ref, asOf }: Partial<Pick<ExpectedRead, 'snapshotId' | 'ref' | 'asOf'>>): string {
  if (snapshotId) return ` AT (VERSION => ${snapshotId})`;
  if (ref) return ` AT (VERSION => '${ref.replaceAll("'", "''")}')`;
  return asOf ? ` AT (TIMESTAMP => ${asOf})` : '';
}

/** The type of the rows: the columns asked for, in their order, metadata columns included. */
function rowType(schema: Schema, columns: readonly string[] | null | undefined): StructType {
  if (!columns) return schema;
  return {
    kind: 'struct',
    fields: columns.map((name) => {
      const field = schema.fields.find((one) => one.name === name);
      if (field) return field;
      if (isMetadataColumn(name)) return METADATA_COLUMNS[name];
      throw new Error(`There is no column ${name}`);
    }),
  };
}

/**
 * The rows to expect, and how many lines of the expectation that leaves out. `fixtures/README.md` says that a read's
 * filter has SQL's row semantics, but rows that only Iceberg's generic reader gave (`types_all` read `flt`:
 * `ts < 1970-01-01`) hold those whose `ts` is null, too: in its evaluator null is less than anything. SQL's filter is
 * unknown for them, so they are no part of its answer.
 */
export function rowsToExpect(
  expected: ExpectedTable,
  read: ExpectedRead,
): { readonly rows: readonly string[]; readonly leftOut: number } {
  const lines = expectedRows(read.rowsFile);
  const { filter } = read;
  if (!filter || read.readBy !== 'iceberg-generics') return { rows: lines, leftOut: 0 };
  const schema = expectedSchema(expected, read);
  const rows = lines.filter((line) => matchesRow(schema, filter, JSON.parse(line)) !== null);
  return { rows, leftOut: lines.length - rows.length };
}
