import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, isObject, list, object, text } from '../query/serialized.ts';
import { scannedColumns, scannedTable, widthOf } from './plan-nodes.ts';

/** Names of fields to go down into, one below the other. */
export type FieldPath = readonly string[];

/** By the index of a column: the parts of it that a plan reads. Columns that aren't there are read as a whole. */
export type ColumnParts = ReadonlyMap<number, readonly FieldPath[]>;

/** A column of the rows that a node gives, by its place among them, or a part of it. */
interface UsedPath {
  readonly index: number;
  readonly path: FieldPath;
}

/** What is used of the rows that a node gives; null if that isn't known. */
type Used = readonly UsedPath[] | null;

/**
 * What an optimized plan (`json_serialize_plan`'s answer) reads of the struct columns of a table. Its scans are followed
 * up through filters, limits and joins to the projection or aggregation that uses their columns.
 */
export function columnParts(plan: JsonObject, table: string): ColumnParts {
  const found = new Map<number, FieldPath[]>();
  for (const root of list(plan['plans'])) visit(object(root), null, table, found);
  // A part of a whole is read with it.
  return new Map([...found].filter(([, paths]) => paths.every((path) => path.length > 0)));
}

function visit(node: JsonObject, used: Used, table: string, found: Map<number, FieldPath[]>): void {
  if (scannedTable(node) === table) {
    readScan(node, used, found);
  }
  const below = BELOW[text(node['type']) ?? ''] ?? (() => []);
  const usedBelow = below(node, used);
  list(node['children']).forEach((child, i) => visit(object(child), usedBelow[i] ?? null, table, found));
}

/** What a node uses of the rows of its children, by its type; nothing is known of the others'. */
const BELOW: Readonly<Record<string, (node: JsonObject, used: Used) => readonly Used[]>> = {
  LOGICAL_PROJECTION: (node) => [usedPaths(node['expressions'])],
  LOGICAL_AGGREGATE_AND_GROUP_BY: (node) => [all([usedPaths(node['expressions']), usedPaths(node['groups'])])],
  LOGICAL_FILTER: (node, used) => {
    const places = list(node['projection_map']).map(integer);
    const kept = places.length === 0 ? used : moved(used, (index) => places[index] ?? null);
    return [all([kept, usedPaths(node['expressions'])])];
  },
  LOGICAL_LIMIT: (_, used) => [used],
  LOGICAL_CROSS_PRODUCT: usedOfBoth,
  LOGICAL_COMPARISON_JOIN: (node, used) => {
    const [left, right] = ONE_SIDE.has(text(node['join_type']) ?? '') ? [used, []] : usedOfBoth(node, used);
    const side = (name: string): Used => all(list(node['conditions']).map((one) => usedPaths(object(one)[name])));
    return isPlainJoin(node) ? [all([left ?? null, side('left')]), all([right ?? null, side('right')])] : [];
  },
};

const ONE_SIDE: ReadonlySet<string> = new Set(['SEMI', 'ANTI']);
const JOINS: ReadonlySet<string> = new Set(['INNER', 'LEFT', 'RIGHT', 'FULL', ...ONE_SIDE]);
const PROJECTION_MAPS = ['left_projection_map', 'right_projection_map'] as const;

/** Its conditions compare the two sides, and it drops no columns. */
function isPlainJoin(node: JsonObject): boolean {
  const conditions = list(node['conditions']).map(object);
  return (
    JOINS.has(text(node['join_type']) ?? '') &&
    node['predicate'] === undefined &&
    PROJECTION_MAPS.every((key) => list(node[key]).length === 0) &&
    conditions.every(({ left, right, comparison, ...rest }) => {
      return isObject(left) && isObject(right) && text(comparison) !== null && Object.keys(rest).length === 0;
    })
  );
}

/** The rows of a join are those of its left side, and behind them those of the right one. */
function usedOfBoth(node: JsonObject, used: Used): readonly Used[] {
  const width = widthOf(object(list(node['children'])[0]));
  if (used === null || width === null) return [];
  return [
    used.filter(({ index }) => index < width),
    moved(
      used.filter(({ index }) => index >= width),
      (index) => index - width,
    ),
  ];
}

function moved(used: Used, place: (index: number) => number | null): Used {
  const paths = used?.map(({ index, path }) => ({ index: place(index), path })) ?? null;
  return paths?.every((one): one is UsedPath => one.index !== null) ? paths : null;
}

function readScan(node: JsonObject, used: Used, found: Map<number, FieldPath[]>): void {
  const add = (column: number | null | undefined, path: FieldPath): void => {
    if (column !== null && column !== undefined) found.set(column, [...(found.get(column) ?? []), path]);
  };
  const output = scannedColumns(node);
  for (const filter of list(object(node['table_filters'])['filters'])) {
    add(integer(object(filter)['key'] ?? 0), filterPath(object(object(filter)['value'])));
  }
  if (used === null) for (const column of output) add(column, []);
  else for (const { index, path } of used) add(output[index], path);
}

/** Filters of several conditions are about the whole column, as far as this is concerned. */
function filterPath(filter: JsonObject): FieldPath {
  if (filter['filter_type'] !== 'STRUCT_EXTRACT') return [];
  const name = text(filter['child_name']);
  return name === null ? [] : [name, ...filterPath(object(filter['child_filter']))];
}

/** Types have no columns in them, and are large. */
const WITHOUT_COLUMNS: ReadonlySet<string> = new Set(['return_type', 'arguments', 'original_arguments']);

/** The columns that expressions read, or parts of them. */
function usedPaths(value: JsonValue | undefined): Used {
  if (Array.isArray(value)) return all((value as readonly JsonValue[]).map(usedPaths));
  if (!isObject(value)) return [];
  if (value['expression_class'] === 'BOUND_COLUMN_REF') return null;
  const path = pathOf(value);
  if (path) return [path];
  return all(Object.entries(value).map(([key, part]) => (WITHOUT_COLUMNS.has(key) ? [] : usedPaths(part))));
}

function all(used: readonly Used[]): Used {
  return used.includes(null) ? null : used.flatMap((one) => one!);
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
