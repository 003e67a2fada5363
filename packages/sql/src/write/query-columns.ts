import type { IcebergType, NestedField } from '@lh/core';
import { defaultValue, invalidArgument } from '@lh/core/engine';
import type { SourceField, SourceType } from '@lh/core/engine';
import { nearNames } from '../text/near-names.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbType } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';

/** What the query is called whose columns are selected. */
export const QUERY = '__lh_query';

/**
 * SQL of a table's columns out of those of a query; one that is missing takes its write default, or null.
 * INVALID_ARGUMENT for columns that the table lacks, and for required ones that the query lacks. Null where a cast of
 * DuckDB's would not do: it gives the fields that a struct lacks no defaults.
 */
export function selectColumns(fields: readonly NestedField[], given: readonly SourceField[]): readonly string[] | null {
  const taken = new Set<SourceField>();
  let fits = true;
  const select = fields.map((field) => {
    const found = findByName(given, field.name);
    const name = quoteName(field.name);
    if (found === undefined) return `${absent(field)} AS ${name}`;
    taken.add(found);
    fits = fitsCast(field.type, found.type, [field.name]) && fits;
    return `CAST(${QUERY}.${quoteName(found.name)} AS ${duckdbType(field.type)}) AS ${name}`;
  });
  const unknown = given.find((column) => !taken.has(column));
  if (unknown !== undefined) throw unknownColumn([], unknown, fields);
  return fits ? select : null;
}

/** Checks that a query has a column for each of those that its columns are to be. */
export function checkWidth(given: number, columns: readonly string[]): void {
  if (given === columns.length) return;
  const values = `${given} ${given === 1 ? 'column' : 'columns'}`;
  throw invalidArgument(
    `The query has ${values}, and ${columns.length} ${columns.length === 1 ? 'is' : 'are'} wanted: ${columns.join(', ')}.`,
  );
}

/** SQL of a query's columns as they are, under the names that the table has for them. */
export function renamedColumns(fields: readonly NestedField[], given: readonly SourceField[]): readonly string[] {
  return given.map((column) => {
    const name = findByName(fields, column.name)?.name ?? column.name;
    return `${QUERY}.${quoteName(column.name)} AS ${quoteName(name)}`;
  });
}

/** As DuckDB finds columns: of any case, and the one of the same case first. */
function findByName<T extends { readonly name: string }>(given: readonly T[], wanted: string): T | undefined {
  return (
    given.find(({ name }) => name === wanted) ?? given.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  );
}

function absent(field: NestedField): string {
  const value = defaultValue(field, 'writeDefault');
  if (value === null && field.required) {
    throw invalidArgument(`The column '${field.name}' is required, and the query lacks it.`);
  }
  return valueLiteral(field.type, value);
}

function unknownColumn(path: readonly string[], { name }: SourceField, fields: readonly NestedField[]): Error {
  const near = nearNames(
    name,
    fields.map((field) => field.name),
  );
  const hint = near.length === 0 ? '' : ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?`;
  return invalidArgument(`The query has a column '${[...path, name].join('.')}', which the table lacks.${hint}`);
}

/** A cast drops the fields of structs that the target lacks, and makes those that it finds missing null. */
function fitsCast(type: IcebergType, source: SourceType, path: readonly string[]): boolean {
  if (type.kind === 'struct' && source.kind === 'struct') {
    const unknown = source.fields.find(({ name }) => findByName(type.fields, name) === undefined);
    if (unknown !== undefined) throw unknownColumn(path, unknown, type.fields);
    return type.fields
      .map((field) => {
        const found = findByName(source.fields, field.name);
        if (found === undefined) return defaultValue(field, 'writeDefault') === null;
        return fitsCast(field.type, found.type, [...path, field.name]);
      })
      .every(Boolean);
  }
  if (type.kind === 'list' && source.kind === 'list') {
    return fitsCast(type.element, source.item.type, [...path, 'element']);
  }
  if (type.kind === 'map' && source.kind === 'map') {
    const key = fitsCast(type.key, source.key.type, [...path, 'key']);
    return fitsCast(type.value, source.value.type, [...path, 'value']) && key;
  }
  return true;
}
