import type { JsonObject } from '@lh/core/engine';
import { integer, list, object } from '../query/serialized.ts';
import { fromExpression } from './plan-expression.ts';
import type { CompareOp, PlanExpression } from './plan-expression.ts';
import {
  childrenOf,
  commonTables,
  isJoin,
  isPlainJoin,
  joinConditions,
  joinType,
  mapReferences,
  nodeType,
  reference,
  scannedColumns,
  scannedTable,
  widthOf,
  withoutReferences,
} from './plan-nodes.ts';

/** Rows of a scan are only needed where `key op` some value of the other side of a join. */
export interface JoinKey {
  /** The scan, by its table; a plan has one only. */
  readonly table: string;
  /** Over the columns of the table. */
  readonly key: PlanExpression;
  readonly op: Exclude<CompareOp, 'neq' | 'distinct' | 'notDistinct'>;
  /** The other side, and the value over its rows. */
  readonly source: JsonObject;
  readonly value: JsonObject;
  /** Tables that the other side reads. */
  readonly sourceTables: readonly string[];
}

/** Joins that drop the rows of a side which match none of the other. */
const DROPS_LEFT: ReadonlySet<string> = new Set(['INNER', 'SEMI', 'RIGHT']);
const DROPS_RIGHT: ReadonlySet<string> = new Set(['INNER', 'SEMI', 'LEFT']);

/** Where the values of one side of a join tell which rows of a scan on the other can matter. */
export function joinKeys(plan: JsonObject): readonly JoinKey[] {
  const roots = list(plan['plans']).map(object);
  const scans = roots.flatMap(tablesIn);
  const tables = new Map(roots.flatMap(commonTables));
  return roots
    .flatMap((root) => keysIn(root))
    .flatMap((key): readonly JoinKey[] => {
      const source = withoutReferences(key.source, tables);
      const sourceTables = tablesIn(source);
      const isOnly = scans.filter((name) => name === key.table).length === 1;
      return isOnly && !sourceTables.includes(key.table) ? [{ ...key, source, sourceTables }] : [];
    });
}

function tablesIn(node: JsonObject): readonly string[] {
  const table = scannedTable(node);
  return [...(table === null ? [] : [table]), ...childrenOf(node).flatMap(tablesIn)];
}

/** A key whose other side may refer to common table expressions. */
type FoundKey = Omit<JoinKey, 'sourceTables'>;

function keysIn(node: JsonObject): readonly FoundKey[] {
  return [...(isJoin(node) && isPlainJoin(node) ? keysOfJoin(node) : []), ...childrenOf(node).flatMap(keysIn)];
}

const OPS: Readonly<Record<string, JoinKey['op']>> = {
  COMPARE_EQUAL: 'eq',
  COMPARE_LESSTHAN: 'lt',
  COMPARE_LESSTHANOREQUALTO: 'lteq',
  COMPARE_GREATERTHAN: 'gt',
  COMPARE_GREATERTHANOREQUALTO: 'gteq',
};

const FLIPPED: Readonly<Record<JoinKey['op'], JoinKey['op']>> = {
  eq: 'eq',
  lt: 'gt',
  lteq: 'gteq',
  gt: 'lt',
  gteq: 'lteq',
};

interface Valued {
  readonly node: JsonObject;
  /** Over the rows of the node. */
  readonly value: JsonObject;
}

function keysOfJoin(join: JsonObject): readonly FoundKey[] {
  const [left, right] = childrenOf(join);
  if (!left || !right) return [];
  // EXISTS compares each key with those that it was found for, null with null; inside, it was found by an equality.
  const isDelimited = nodeType(join) === 'LOGICAL_DELIM_JOIN';
  return joinConditions(join).flatMap((condition) => {
    const op = isDelimited && condition.comparison === 'COMPARE_NOT_DISTINCT_FROM' ? 'eq' : OPS[condition.comparison];
    if (!op) return [];
    const from = { node: left, value: condition.left };
    const to = { node: right, value: condition.right };
    const sides: FoundKey[] = [];
    if (DROPS_LEFT.has(joinType(join))) sides.push(...keysOfSide(from, op, to, isDelimited));
    if (DROPS_RIGHT.has(joinType(join)) && !isDelimited) sides.push(...keysOfSide(to, FLIPPED[op], from, false));
    return sides;
  });
}

function keysOfSide(target: Valued, op: JoinKey['op'], other: Valued, isDelimited: boolean): readonly FoundKey[] {
  const source = isDelimited ? outOfDelimited(other) : other;
  if (!source || hasDelimited(source.node)) return [];
  return scansBelow(target).flatMap(({ node, value }) => {
    const columns = scannedColumns(node);
    const table = scannedTable(node);
    const key = fromExpression(value, (index) => {
      const column = columns[index] ?? null;
      return column === null ? null : { index: column, fields: [] };
    });
    return table === null ? [] : [{ table, key, op, source: source.node, value: source.value }];
  });
}

function hasDelimited(node: JsonObject): boolean {
  return nodeType(node) === 'LOGICAL_DELIM_GET' || childrenOf(node).some(hasDelimited);
}

/** The scans whose rows a value comes from: without those where it isn't wanted, the node gives just the rows where it is. */
function scansBelow({ node, value }: Valued): readonly Valued[] {
  if (nodeType(node) === 'LOGICAL_GET') return [{ node, value }];
  if (isJoin(node)) return sideBelow(node, value).flatMap(scansBelow);
  const [first, second] = childrenOf(node);
  switch (nodeType(node)) {
    case 'LOGICAL_FILTER':
    case 'LOGICAL_PROJECTION':
    case 'LOGICAL_ORDER_BY':
      return passed(node, value).flatMap(scansBelow);
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return list(node['grouping_sets']).length > 1 ? [] : passed(node, value).flatMap(scansBelow);
    case 'LOGICAL_WINDOW':
      return first && isOfPartitions(node, value) ? scansBelow({ node: first, value }) : [];
    case 'LOGICAL_UNION':
      return [first, second].flatMap((child) => (child ? scansBelow({ node: child, value }) : []));
    case 'LOGICAL_MATERIALIZED_CTE':
      return second ? scansBelow({ node: second, value }) : [];
    default:
      return [];
  }
}

/** A value over the rows of a node as one over those of its child; none if the child doesn't have it. */
function passed(node: JsonObject, value: JsonObject): readonly Valued[] {
  const child = childrenOf(node)[0];
  const map = list(node['projection_map']);
  const places = nodeType(node) === 'LOGICAL_AGGREGATE_AND_GROUP_BY' ? list(node['groups']) : list(node['expressions']);
  if (nodeType(node) === 'LOGICAL_ORDER_BY' && list(node['projections']).length > 0) return [];
  const below = mapReferences(value, (index, like) => {
    if (nodeType(node) === 'LOGICAL_ORDER_BY') return like;
    if (nodeType(node) !== 'LOGICAL_FILTER') return places[index] === undefined ? null : object(places[index]);
    if (map.length === 0) return like;
    const place = integer(map[index] ?? null);
    return place === null ? null : reference(place, like);
  });
  return child && below ? [{ node: child, value: below }] : [];
}

/** Rows of a partition stay or go together. */
function isOfPartitions(node: JsonObject, value: JsonObject): boolean {
  const windows = list(node['expressions']).map(object);
  const isOf = (index: number): boolean =>
    windows.every((window) =>
      list(window['partitions']).some((partition) => {
        const { expression_class: kind, index: place } = object(partition);
        return kind === 'BOUND_REF' && integer(place ?? 0) === index;
      }),
    );
  return mapReferences(value, (index, like) => (isOf(index) ? like : null)) !== null;
}

/** Of a join, the side that a value comes from, where it may lose rows by the value. */
function sideBelow(join: JsonObject, value: JsonObject): readonly Valued[] {
  const [left, right] = childrenOf(join);
  const width = left && isPlainJoin(join) ? widthOf(left) : null;
  if (!left || !right || width === null) return [];
  const type = joinType(join);
  const ofLeft = mapReferences(value, (index, like) => (index < width ? like : null));
  if (ofLeft && type !== 'RIGHT' && type !== 'FULL' && type !== 'OUTER') return [{ node: left, value: ofLeft }];
  const ofRight = mapReferences(value, (index, like) => (index < width ? null : reference(index - width, like)));
  const mayLoseRight = (type === 'INNER' || type === 'RIGHT') && nodeType(join) !== 'LOGICAL_DELIM_JOIN';
  return ofRight && mayLoseRight ? [{ node: right, value: ofRight }] : [];
}

/**
 * Inside of a correlated subquery: the value is a key of the outer query, which an equality there takes from a table's
 * column. All values of the column are more than those that are found.
 */
function outOfDelimited({ node, value }: Valued): Valued | undefined {
  const [left, right] = childrenOf(node);
  switch (nodeType(node)) {
    case 'LOGICAL_FILTER':
    case 'LOGICAL_PROJECTION': {
      const below = passed(node, value)[0];
      return below && outOfDelimited(below);
    }
    case 'LOGICAL_COMPARISON_JOIN':
      break;
    default:
      return undefined;
  }
  const width = left && isPlainJoin(node) && joinType(node) === 'INNER' ? widthOf(left) : null;
  if (!left || !right || width === null || value['expression_class'] !== 'BOUND_REF') return undefined;
  const index = integer(value['index'] ?? 0) ?? -1;
  const [side, place] = index < width ? (['left', index] as const) : (['right', index - width] as const);
  if (nodeType(side === 'left' ? left : right) !== 'LOGICAL_DELIM_GET') return undefined;
  const other = side === 'left' ? 'right' : 'left';
  const equality = joinConditions(node).find((condition) => {
    const own = condition[side];
    return (
      condition.comparison === 'COMPARE_EQUAL' &&
      own['expression_class'] === 'BOUND_REF' &&
      integer(own['index'] ?? 0) === place
    );
  });
  return equality && { node: other === 'left' ? left : right, value: equality[other] };
}
