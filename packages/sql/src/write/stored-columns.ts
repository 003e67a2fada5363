import type { IcebergType, NestedField, StructType } from '@lh/core';
import { parquetName } from '@lh/core/engine';
import { quoteName, quoteString } from '../text/quote.ts';

/** A column of the table as a file has it. */
export interface StoredColumn {
  readonly field: NestedField;
  /** Its name in the file. */
  readonly name: string;
}

/** The columns that files hold: all but those of type unknown, which hold nothing (spec: appendix A, "Parquet"). */
export function storedColumns(schema: StructType): readonly StoredColumn[] {
  return schema.fields
    .filter(({ type }) => type.kind !== 'unknown')
    .map((field) => ({ field, name: parquetName(field.name) }));
}

/** DuckDB's FIELD_IDS: the ids of the columns and of everything inside them. */
export function fieldIds(columns: readonly StoredColumn[]): string {
  return structText(columns.map(({ field, name }) => [name, idsOf(field.id, field.type)]));
}

function idsOf(id: number, type: IcebergType): string {
  const children = childIds(type);
  return children.length === 0 ? String(id) : structText([['__duckdb_field_id', String(id)], ...children]);
}

function childIds(type: IcebergType): readonly (readonly [string, string])[] {
  switch (type.kind) {
    case 'struct':
      return type.fields.map((field) => [field.name, idsOf(field.id, field.type)]);
    case 'list':
      return [['element', idsOf(type.elementId, type.element)]];
    case 'map':
      return [
        ['key', idsOf(type.keyId, type.key)],
        ['value', idsOf(type.valueId, type.value)],
      ];
    default:
      return [];
  }
}

function structText(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([name, value]) => `${quoteString(name)}: ${value}`).join(', ')}}`;
}

/** SQL of a column, or of a field inside structs, of the relation that is written. */
export function columnAccess(
  schema: StructType,
  id: number,
): { readonly sql: string; readonly type: IcebergType } | null {
  for (const { field, sql } of reachable(schema, (name) => `${ROWS}.${quoteName(name)}`)) {
    if (field.id === id) return { sql, type: field.type };
  }
  return null;
}

/** What the relation that is written is called. */
export const ROWS = '__lh_rows';

function* reachable(
  struct: StructType,
  access: (name: string) => string,
): Generator<{ readonly field: NestedField; readonly sql: string }> {
  for (const field of struct.fields) {
    const sql = access(field.name);
    yield { field, sql };
    if (field.type.kind === 'struct') {
      yield* reachable(field.type, (name) => `struct_extract(${sql}, ${quoteString(name)})`);
    }
  }
}
