import type { JsonObject } from '@lh/core/engine';
import { integer, list, object, text } from '../query/serialized.ts';
import { childrenOf, mapReferences, nodeType, scannedTable } from './plan-nodes.ts';
import { readScan } from './plan-scans.ts';

/** A query of nothing but counts, least and greatest values of one table. */
export interface CountingQuery {
  readonly table: string;
  readonly calls: readonly CountingCall[];
  readonly root: JsonObject;
  readonly aggregate: JsonObject;
}

export interface CountingCall {
  readonly name: 'count' | 'min' | 'max';
  /** Index of the column; null for all rows. */
  readonly column: number | null;
  readonly type: JsonObject;
}

/** Null for any other query. */
export function countingQuery(plan: JsonObject): CountingQuery | null {
  const [root, ...others] = list(plan['plans']).map(object);
  if (!root || others.length > 0) return null;
  let aggregate = root;
  while (nodeType(aggregate) === 'LOGICAL_PROJECTION') aggregate = childrenOf(aggregate)[0] ?? {};
  if (nodeType(aggregate) !== 'LOGICAL_AGGREGATE_AND_GROUP_BY') return null;
  if (list(aggregate['groups']).length > 0 || list(aggregate['grouping_sets']).length > 1) return null;
  const below = scanBelow(aggregate);
  const scan = below && readScan(below.scan, []);
  const table = below && scannedTable(below.scan);
  if (!below || !scan || table === null) return null;
  const calls = list(aggregate['expressions']).map((call) => {
    const columnOf = (expression: JsonObject): number | null => {
      const own = below.toScan(expression);
      const place = own?.['expression_class'] === 'BOUND_REF' ? integer(own['index'] ?? 0) : null;
      return place === null ? null : (scan.output[place]?.index ?? null);
    };
    return countingCall(object(call), columnOf);
  });
  const known = calls.filter((call) => call !== null);
  return known.length === calls.length && known.length > 0 ? { table, calls: known, root, aggregate } : null;
}

interface Below {
  readonly scan: JsonObject;
  /** An expression over the rows of the node above as one over the scan's. */
  readonly toScan: (expression: JsonObject) => JsonObject | null;
}

/** The scan under projections and filters, all of which the scan's needs tell of. */
function scanBelow(node: JsonObject): Below | null {
  const child = childrenOf(node)[0];
  if (!child) return null;
  if (nodeType(child) === 'LOGICAL_GET') return { scan: child, toScan: (expression) => expression };
  const below = scanBelow(child);
  if (!below) return null;
  if (nodeType(child) === 'LOGICAL_PROJECTION') {
    const expressions = list(child['expressions']);
    const toChild = (expression: JsonObject): JsonObject | null =>
      mapReferences(expression, (index) => (expressions[index] === undefined ? null : object(expressions[index])));
    return {
      scan: below.scan,
      toScan: (expression) => {
        const own = toChild(expression);
        return own && below.toScan(own);
      },
    };
  }
  const isPlainFilter = nodeType(child) === 'LOGICAL_FILTER' && list(child['projection_map']).length === 0;
  // What is filtered over a projection isn't among the filters of the scan.
  return isPlainFilter && nodeType(childrenOf(child)[0] ?? {}) === 'LOGICAL_GET' ? below : null;
}

function countingCall(call: JsonObject, columnOf: (expression: JsonObject) => number | null): CountingCall | null {
  const name = text(call['name']);
  const type = object(call['return_type']);
  const { filter, order_bys: orders, aggregate_type: kind } = call;
  if (filter !== undefined || orders !== undefined || kind !== 'NON_DISTINCT') return null;
  if (name === 'count_star') return { name: 'count', column: null, type };
  if (name !== 'count' && name !== 'min' && name !== 'max') return null;
  const [argument] = list(call['children']);
  const column = columnOf(object(argument));
  return column === null ? null : { name, column, type };
}
