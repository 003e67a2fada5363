import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, isObject, list, object, text } from '../query/serialized.ts';

/** Names of fields to go down into, one below the other. */
export type FieldPath = readonly string[];

/** By the index of a column: the parts of it that a plan reads. Columns that aren't there are read as a whole. */
export type ColumnParts = ReadonlyMap<number, readonly FieldPath[]>;

/**
 * What an optimized plan (`json_serialize_plan`'s answer) reads of the struct columns of a table. Scans are followed as
 * far as what is directly above them: filters, and the projection or aggregation that uses their columns.
 */
export function columnParts(plan: JsonObject, table: string): ColumnParts {
  const found = new Map<number, FieldPath[]>();
  for (const root of list(plan['plans'])) visit(object(root), null, table, found);
  // A part of a whole is read with it.
  return new Map([...found].filter(([, paths]) => paths.every((path) => path.length > 0)));
}

/** `uses` are the expressions over the rows that a node gives; null if more may be done with them. */
function visit(
  node: JsonObject,
  uses: readonly JsonValue[] | null,
  table: string,
  found: Map<number, FieldPath[]>,
): void {
  if (node['type'] === 'LOGICAL_GET' && text(object(node['function_data'])['table']) === table) {
    readScan(node, uses, found);
  }
  const below = usesBelow(node, uses);
  for (const child of list(node['children'])) visit(object(child), below, table, found);
}

/** The expressions over the rows of a node's child. */
function usesBelow(node: JsonObject, uses: readonly JsonValue[] | null): readonly JsonValue[] | null {
  const expressions = list(node['expressions']);
  switch (node['type']) {
    case 'LOGICAL_PROJECTION':
      return expressions;
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return [...expressions, ...list(node['groups'])];
    case 'LOGICAL_FILTER':
      // One that drops columns renumbers them.
      return uses === null || list(node['projection_map']).length > 0 ? null : [...uses, ...expressions];
    case 'LOGICAL_LIMIT':
      return uses;
    default:
      return null;
  }
}

function readScan(node: JsonObject, uses: readonly JsonValue[] | null, found: Map<number, FieldPath[]>): void {
  const add = (column: number | undefined, path: FieldPath): void => {
    if (column !== undefined) found.set(column, [...(found.get(column) ?? []), path]);
  };
  const columns = list(node['column_indexes']).map((entry) => integer(object(entry)['index'] ?? 0) ?? undefined);
  const projected = list(node['projection_ids']).map((id) => columns[integer(id) ?? -1]);
  const output = projected.length > 0 ? projected : columns;
  for (const filter of list(object(node['table_filters'])['filters'])) {
    add(integer(object(filter)['key'] ?? 0) ?? undefined, filterPath(object(object(filter)['value'])));
  }
  const paths = uses?.map(usedPaths) ?? [null];
  if (paths.includes(null)) for (const column of output) add(column, []);
  else for (const { index, path } of paths.flatMap((one) => one!)) add(output[index], path);
}

/** Filters of several conditions are about the whole column, as far as this is concerned. */
function filterPath(filter: JsonObject): FieldPath {
  if (filter['filter_type'] !== 'STRUCT_EXTRACT') return [];
  const name = text(filter['child_name']);
  const child = object(filter['child_filter']);
  const isLast = child['filter_type'] !== 'STRUCT_EXTRACT';
  return name === null ? [] : [name, ...(isLast ? [] : filterPath(child))];
}

interface UsedPath {
  /** Of the column among those of the rows. */
  readonly index: number;
  readonly path: FieldPath;
}

/** Types have no columns in them, and are large. */
const WITHOUT_COLUMNS: ReadonlySet<string> = new Set(['return_type', 'arguments', 'original_arguments']);

/** The columns that an expression reads, or parts of them; null if that can't be told. */
function usedPaths(value: JsonValue): readonly UsedPath[] | null {
  if (Array.isArray(value)) return all((value as readonly JsonValue[]).map(usedPaths));
  if (!isObject(value)) return [];
  if (value['expression_class'] === 'BOUND_COLUMN_REF') return null;
  const path = pathOf(value);
  if (path) return [path];
  return all(Object.entries(value).map(([key, part]) => (WITHOUT_COLUMNS.has(key) ? [] : usedPaths(part))));
}

function all(paths: readonly (readonly UsedPath[] | null)[]): readonly UsedPath[] | null {
  return paths.includes(null) ? null : paths.flatMap((one) => one!);
}

/** The second is `s['a']`, which may be of a map as well: what is no field of a struct is read with the whole. */
const EXTRACTIONS: ReadonlySet<string> = new Set(['struct_extract', 'array_extract']);

/** A column, or fields below fields of one: `struct_extract(struct_extract(column, 'a'), 'b')`. */
function pathOf(expression: JsonObject): UsedPath | null {
  if (expression['expression_class'] === 'BOUND_REF')
    return { index: integer(expression['index'] ?? 0) ?? -1, path: [] };
  if (expression['expression_class'] !== 'BOUND_FUNCTION' || !EXTRACTIONS.has(text(expression['name']) ?? ''))
    return null;
  const [struct, field] = list(expression['children']).map(object);
  const outer = struct && pathOf(struct);
  const name = field?.['expression_class'] === 'BOUND_CONSTANT' ? text(object(field['value'])['value']) : null;
  return outer && name !== null ? { index: outer.index, path: [...outer.path, name] } : null;
}
