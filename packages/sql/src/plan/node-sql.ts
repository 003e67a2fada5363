import type { JsonObject } from '@lh/core/engine';
import { integer, isObject, list, object, text } from '../query/serialized.ts';
import { quoteName } from '../text/quote.ts';
import { Unwritable, expressionSql } from './expression-sql.ts';
import type { PlanColumn, PlanExpression } from './plan-expression.ts';
import { fromExpression } from './plan-expression.ts';
import { childrenOf, isPlainJoin, joinConditions, joinType, nodeType, scannedTable, widthOf } from './plan-nodes.ts';
import { readScan } from './plan-scans.ts';

export interface NodeSources {
  /** What gives the rows of a table of the plan, with its columns in order: a query in parentheses. */
  readonly table: (name: string) => string;
  /** A query that gives the rows of a node; undefined for nodes that are to be written. */
  readonly node: (node: JsonObject) => string | undefined;
}

/**
 * A part of a plan as a query that gives the same rows whenever it runs, its columns named `c0`, `c1`, …; `Unwritable`
 * for what isn't known to.
 */
export function nodeSql(node: JsonObject, sources: NodeSources): string {
  const given = sources.node(node);
  if (given !== undefined) return given;
  const write = NODES[nodeType(node)];
  if (!write) throw new Unwritable(`a node of the kind ${nodeType(node)}`);
  return write(node, sources);
}

/** An expression over the columns of a query that is called `t`. */
export function overRows(expression: JsonObject): string {
  return expressionSql(planned(expression), (column) => columnName('t', column));
}

type WriteNode = (node: JsonObject, sources: NodeSources) => string;

const columnName = (table: string, { index }: PlanColumn): string => `${table}.c${index}`;

function planned(expression: JsonObject): PlanExpression {
  return fromExpression(expression, (index) => ({ index, fields: [] }));
}

function from(node: JsonObject, sources: NodeSources, i = 0): string {
  const child = childrenOf(node)[i];
  if (!child) throw new Unwritable('a node without rows');
  return `(${nodeSql(child, sources)})`;
}

function select(columns: readonly string[]): string {
  return `SELECT ${columns.map((column, i) => `${column} AS c${i}`).join(', ')}`;
}

/** Names of so many columns. */
function columnList(width: number): string {
  return Array.from({ length: width }, (_, i) => `c${i}`).join(', ');
}

const writeScan: WriteNode = (node, sources) => {
  const table = scannedTable(node);
  const scan = readScan(node, []);
  if (table === null || scan === null) throw new Unwritable('a scan of no table');
  const output = scan.output.map((column) => {
    if (column === null) throw new Unwritable('a column that is none of the table');
    return columnName('t', column);
  });
  const filters = scan.filters.map((filter) => expressionSql(filter, (column) => columnName('t', column)));
  const where = filters.length === 0 ? '' : ` WHERE ${filters.join(' AND ')}`;
  const width = Math.max(...scan.columns, ...scan.output.map((column) => column?.index ?? 0)) + 1;
  return `${select(output)} FROM ${sources.table(table)} AS t(${columnList(width)})${where}`;
};

const writeFilter: WriteNode = (node, sources) => {
  const map = list(node['projection_map']).map((index) => integer(index) ?? -1);
  const child = childrenOf(node)[0];
  const width = child ? widthOf(child) : null;
  if (width === null) throw new Unwritable('a node of an unknown width');
  const kept = map.length > 0 ? map : Array.from({ length: width }, (_, i) => i);
  const conditions = list(node['expressions']).map((expression) => overRows(object(expression)));
  return `${select(kept.map((index) => `t.c${index}`))} FROM ${from(node, sources)} AS t WHERE ${conditions.join(' AND ')}`;
};

const writeProjection: WriteNode = (node, sources) =>
  `${select(list(node['expressions']).map((expression) => overRows(object(expression))))} FROM ${from(node, sources)} AS t`;

/** Aggregates that give the same in whatever order rows come. */
const AGGREGATES: ReadonlySet<string> = new Set(['count', 'count_star', 'min', 'max', 'sum', 'bool_and', 'bool_or']);

const writeAggregate: WriteNode = (node, sources) => {
  if (list(node['grouping_sets']).length > 1 || list(node['grouping_functions']).length > 0) {
    throw new Unwritable('several sets of groups');
  }
  const groups = list(node['groups']).map((group) => overRows(object(group)));
  const aggregates = list(node['expressions']).map(object);
  // The only value of a subquery: DuckDB counts its rows beside it, and refuses more than one.
  const isChecked = aggregates.some(({ name }) => name === 'count_star');
  const calls = aggregates.map((aggregate) => aggregateSql(aggregate, isChecked));
  const grouping = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`;
  return `${select([...groups, ...calls])} FROM ${from(node, sources)} AS t${grouping}`;
};

function aggregateSql(aggregate: JsonObject, isChecked: boolean): string {
  const name = text(aggregate['name']) ?? '';
  const isKnown = AGGREGATES.has(name) || (name === 'first' && isChecked);
  const type = text(object(aggregate['return_type'])['id']) ?? '';
  // Sums of floating-point numbers depend on the order.
  const isRounded = name === 'sum' && (type === 'DOUBLE' || type === 'FLOAT');
  if (!isKnown || isRounded || isObject(aggregate['filter']) || isObject(aggregate['order_bys'])) {
    throw new Unwritable(`the aggregate ${name}()`);
  }
  if (name === 'count_star') return 'count(*)';
  const args = list(aggregate['children']).map((arg) => overRows(object(arg)));
  const distinct = aggregate['aggregate_type'] === 'DISTINCT' ? 'DISTINCT ' : '';
  return `${quoteName(name)}(${distinct}${args.join(', ')})`;
}

const JOIN_WORDS: Readonly<Record<string, string>> = { INNER: 'JOIN', LEFT: 'LEFT JOIN', SEMI: 'SEMI JOIN' };

const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM',
};

const writeJoin: WriteNode = (node, sources) => {
  const word = JOIN_WORDS[joinType(node)];
  const [left, right] = childrenOf(node).map(widthOf);
  if (!word || !isPlainJoin(node) || left === null || right === null || left === undefined || right === undefined) {
    throw new Unwritable(`a join of the kind ${joinType(node)}`);
  }
  const conditions = joinConditions(node).map((condition) => {
    const sign = COMPARISONS[condition.comparison];
    if (!sign) throw new Unwritable(condition.comparison);
    const side = (expression: JsonObject, name: string): string =>
      expressionSql(planned(expression), (column) => columnName(name, column));
    return `${side(condition.left, 'l')} ${sign} ${side(condition.right, 'r')}`;
  });
  const columns = [
    ...Array.from({ length: left }, (_, i) => `l.c${i}`),
    ...(word === 'SEMI JOIN' ? [] : Array.from({ length: right }, (_, i) => `r.c${i}`)),
  ];
  const on = conditions.length === 0 ? 'true' : conditions.join(' AND ');
  return `${select(columns)} FROM ${from(node, sources)} AS l ${word} ${from(node, sources, 1)} AS r ON ${on}`;
};

const writeValues: WriteNode = (node) => {
  const rows = list(node['expressions']).map((row) => list(row).map((value) => overRows(object(value))));
  const width = list(node['expr_types']).length;
  if (rows.length === 0 || rows.some((row) => row.length !== width)) throw new Unwritable('rows of values');
  return `SELECT * FROM (VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}) AS v(${columnList(width)})`;
};

const NODES: Readonly<Record<string, WriteNode>> = {
  LOGICAL_GET: writeScan,
  LOGICAL_FILTER: writeFilter,
  LOGICAL_PROJECTION: writeProjection,
  LOGICAL_AGGREGATE_AND_GROUP_BY: writeAggregate,
  LOGICAL_COMPARISON_JOIN: writeJoin,
  LOGICAL_CROSS_PRODUCT: writeJoin,
  LOGICAL_EXPRESSION_GET: writeValues,
  LOGICAL_DUMMY_SCAN: () => 'SELECT 1 AS c0',
};
