import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, isObject, list, object, text } from '../query/serialized.ts';

/** What the nodes of an optimized plan have in common: rows of columns that are told by their places. */
export function childrenOf(node: JsonObject): readonly JsonObject[] {
  return list(node['children']).map(object);
}

export function nodeType(node: JsonObject): string {
  return text(node['type']) ?? '';
}

/** Common table expressions that are computed once, by their index. */
export function commonTables(node: JsonObject): readonly (readonly [index: number, rows: JsonObject])[] {
  const [rows] = childrenOf(node);
  const index = nodeType(node) === 'LOGICAL_MATERIALIZED_CTE' ? integer(node['table_index'] ?? 0) : null;
  const own = index === null || !rows ? [] : [[index, rows] as const];
  return [...own, ...childrenOf(node).flatMap(commonTables)];
}

/** The same rows without references to common table expressions. */
export function withoutReferences(node: JsonObject, tables: ReadonlyMap<number, JsonObject>): JsonObject {
  const index = nodeType(node) === 'LOGICAL_CTE_REF' ? integer(node['cte_index'] ?? 0) : null;
  const rows = index === null ? undefined : tables.get(index);
  if (rows) return withoutReferences(rows, tables);
  const children = childrenOf(node);
  return children.length === 0
    ? node
    : { ...node, children: children.map((child) => withoutReferences(child, tables)) };
}

/** The table that a scan is of; null for any other node. */
export function scannedTable(node: JsonObject): string | null {
  return nodeType(node) === 'LOGICAL_GET' ? text(object(node['function_data'])['table']) : null;
}

/** The columns of its table that a scan gives, by their indexes; null for what is no column. */
export function scannedColumns(node: JsonObject): readonly (number | null)[] {
  const columns = list(node['column_indexes']).map((entry) => integer(object(entry)['index'] ?? 0));
  const projected = list(node['projection_ids']).map((id) => columns[integer(id) ?? -1] ?? null);
  return projected.length > 0 ? projected : columns;
}

export function joinType(node: JsonObject): string {
  return nodeType(node) === 'LOGICAL_CROSS_PRODUCT' ? 'INNER' : (text(node['join_type']) ?? '');
}

/** Joins whose rows are those of the left side only. */
const LEFT_ONLY: ReadonlySet<string> = new Set(['SEMI', 'ANTI']);
/** Joins whose rows are those of both sides. */
const OF_BOTH: ReadonlySet<string> = new Set(['INNER', 'LEFT', 'RIGHT', 'FULL', 'OUTER', 'SINGLE']);

const JOINS: ReadonlySet<string> = new Set(['LOGICAL_COMPARISON_JOIN', 'LOGICAL_DELIM_JOIN', 'LOGICAL_CROSS_PRODUCT']);

export function isJoin(node: JsonObject): boolean {
  return JOINS.has(nodeType(node));
}

/** It gives the columns of its sides as they are: with nothing left out, and no predicate beside the conditions. */
export function isPlainJoin(node: JsonObject): boolean {
  const maps = ['left_projection_map', 'right_projection_map'];
  return isJoin(node) && node['predicate'] === undefined && maps.every((key) => list(node[key]).length === 0);
}

export interface JoinCondition {
  readonly left: JsonObject;
  readonly right: JsonObject;
  /** 'COMPARE_EQUAL' and its kin. */
  readonly comparison: string;
}

export function joinConditions(node: JsonObject): readonly JoinCondition[] {
  return list(node['conditions']).map((entry) => {
    const { left, right, comparison } = object(entry);
    return { left: object(left), right: object(right), comparison: text(comparison) ?? '' };
  });
}

/** How many columns the rows of a node have; null if that isn't known. */
export function widthOf(node: JsonObject): number | null {
  const [left, right] = childrenOf(node);
  switch (nodeType(node)) {
    case 'LOGICAL_GET':
      return scannedColumns(node).length;
    case 'LOGICAL_PROJECTION':
      return list(node['expressions']).length;
    case 'LOGICAL_FILTER':
      return list(node['projection_map']).length || (left ? widthOf(left) : null);
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return list(node['groups']).length + list(node['expressions']).length + list(node['grouping_functions']).length;
    case 'LOGICAL_LIMIT':
    case 'LOGICAL_DISTINCT':
    case 'LOGICAL_UNION':
      return left ? widthOf(left) : null;
    case 'LOGICAL_ORDER_BY':
      return list(node['projections']).length === 0 && left ? widthOf(left) : null;
    case 'LOGICAL_DELIM_GET':
    case 'LOGICAL_CTE_REF':
      return list(node['chunk_types']).length;
    case 'LOGICAL_EXPRESSION_GET':
      return list(node['expr_types']).length;
  }
  if (!left || !right || !isPlainJoin(node)) return null;
  const sides = [widthOf(left), LEFT_ONLY.has(joinType(node)) ? 0 : widthOf(right)];
  if (sides[0] === null || sides[1] === null) return null;
  if (joinType(node) === 'MARK') return sides[0]! + 1;
  return OF_BOTH.has(joinType(node)) || LEFT_ONLY.has(joinType(node)) ? sides[0]! + sides[1]! : null;
}

/** Types and names have no columns in them. */
const WITHOUT_COLUMNS: ReadonlySet<string> = new Set(['return_type', 'arguments', 'original_arguments']);

/** An expression with every reference to a column replaced; null if one of the replacements is. */
export function mapReferences(
  expression: JsonObject,
  replace: (index: number, reference: JsonObject) => JsonObject | null,
): JsonObject | null {
  let isKnown = true;
  const visit = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map(visit);
    if (!isObject(value)) return value;
    if (value['expression_class'] === 'BOUND_REF') {
      const replaced = replace(integer(value['index'] ?? 0) ?? -1, value);
      isKnown &&= replaced !== null;
      return replaced ?? value;
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [
        key,
        WITHOUT_COLUMNS.has(key) || part === undefined ? part : visit(part),
      ]),
    ) as JsonObject;
  };
  const mapped = visit(expression);
  return isKnown && isObject(mapped) ? mapped : null;
}

export function reference(index: number, like: JsonObject): JsonObject {
  return { ...like, index };
}
