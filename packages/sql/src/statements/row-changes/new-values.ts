import type { IcebergType, NestedField, Schema } from '@lh/core';
import { defaultValue } from '@lh/core/engine';
import type { LakehouseError } from '@lh/core';
import { nearNames } from '../../text/near-names.ts';
import { quoteName, quoteString } from '../../text/quote.ts';
import { namedParts } from '../../query/table-resolver.ts';
import { duckdbType } from '../../types/duckdb-types.ts';
import { valueLiteral } from '../../types/value-literal.ts';
import type { AssignedValue, Assignment } from './assignments.ts';

/** The error of a token of the statement. */
export type ErrorAt = (message: string, at: number) => LakehouseError;

/** SQL of the columns of a row that is updated; `qualifier` is what the table is called. INVALID_ARGUMENT for bad columns. */
export function updatedColumns(
  schema: Schema,
  assignments: readonly Assignment[],
  qualifier: string,
  errorAt: ErrorAt,
): readonly string[] {
  const root: Change = { children: new Map() };
  for (const { path, value, at } of assignments) {
    const fields = resolvePath(schema, path, qualifier);
    if (typeof fields === 'string') throw errorAt(fields, at);
    if (!assign(root, fields, value)) throw errorAt(`'${path.join('.')}' is assigned twice.`, at);
  }
  return schema.fields.map((field) =>
    changed(field, `${qualifier}.${quoteName(field.name)}`, root.children.get(field.id)),
  );
}

/** What becomes of a field: a value, or changes of fields inside it. */
interface Change {
  value?: AssignedValue;
  readonly children: Map<number, Change>;
}

/** False if it was assigned before, as a whole or in part. */
function assign(root: Change, path: readonly NestedField[], value: AssignedValue): boolean {
  let change = root;
  for (const { id } of path) {
    if (change.value !== undefined) return false;
    const next = change.children.get(id) ?? { children: new Map<number, Change>() };
    change.children.set(id, next);
    change = next;
  }
  if (change.value !== undefined || change.children.size > 0) return false;
  change.value = value;
  return true;
}

/** The fields of a path from the top, or what is wrong with it. A column goes before the table's own name. */
function resolvePath(schema: Schema, path: readonly string[], qualifier: string): readonly NestedField[] | string {
  const table = namedParts(qualifier);
  const isQualified = path.length > table.length && table.every((part, i) => sameName(part, path[i]!));
  const found = fieldsOf(schema, path);
  return typeof found === 'string' && isQualified ? fieldsOf(schema, path.slice(table.length)) : found;
}

function fieldsOf(schema: Schema, path: readonly string[]): readonly NestedField[] | string {
  const found: NestedField[] = [];
  let type: IcebergType = schema;
  for (const [i, name] of path.entries()) {
    if (type.kind !== 'struct') return `'${path.slice(0, i).join('.')}' is no struct, so it has no field '${name}'.`;
    const { fields }: { readonly fields: readonly NestedField[] } = type;
    const field = findField(fields, name);
    if (field === undefined) return unknownColumn(path.slice(0, i + 1).join('.'), name, fields);
    found.push(field);
    ({ type } = field);
  }
  return found;
}

/** As DuckDB finds columns: of any case, and the one of the same case first. */
export function findField(fields: readonly NestedField[], name: string): NestedField | undefined {
  return fields.find((field) => field.name === name) ?? fields.find((field) => sameName(field.name, name));
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function unknownColumn(path: string, name: string, fields: readonly NestedField[]): string {
  const near = nearNames(
    name,
    fields.map((field) => field.name),
  );
  const hint = near.length === 0 ? '' : ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?`;
  return `The table has no column '${path}'.${hint}`;
}

function changed(field: NestedField, access: string, change: Change | undefined): string {
  if (change === undefined) return access;
  if (change.value !== undefined) return valueOf(field, change.value);
  // A struct that was null has values from here on, as in Spark.
  const { fields } = field.type as Extract<IcebergType, { kind: 'struct' }>;
  const inner = fields.map(
    (child) =>
      `${quoteName(child.name)} := ${changed(child, `struct_extract(${access}, ${quoteString(child.name)})`, change.children.get(child.id))}`,
  );
  return `CAST(struct_pack(${inner.join(', ')}) AS ${duckdbType(field.type)})`;
}

/** SQL of a value for a column, in the column's type. */
export function valueOf(field: NestedField, value: AssignedValue): string {
  switch (value.kind) {
    case 'default':
      return defaultOf(field);
    case 'expression':
      return `CAST((\n${value.sql}\n) AS ${duckdbType(field.type)})`;
    case 'part':
      return `CAST(struct_extract(${rowOf(value)}, ${value.index + 1}) AS ${duckdbType(field.type)})`;
  }
}

/** The values of a query's only row, as a row. */
function rowOf({ row, isQuery, of }: Extract<AssignedValue, { kind: 'part' }>): string {
  if (!isQuery) return `(\n${row}\n)`;
  const names = Array.from({ length: of }, (_, i) => `__lh_v${i}`);
  return `(SELECT ROW(${names.join(', ')}) FROM (\n${row}\n) AS __lh_row(${names.join(', ')}))`;
}

export function defaultOf(field: NestedField): string {
  return valueLiteral(field.type, defaultValue(field, 'writeDefault'));
}

export function nullOf(field: NestedField): string {
  return valueLiteral(field.type, null);
}
