import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, list, object } from '../query/serialized.ts';
import { fromExpression, fromTableFilter } from './plan-expression.ts';
import type { PlanColumn, PlanExpression } from './plan-expression.ts';
import { childrenOf, mapReferences, nodeType, reference, scannedTable } from './plan-nodes.ts';

/** One scan of a table in an optimized plan: every row that matters satisfies all of its filters. */
export interface PlannedScan {
  readonly table: string;
  /** Indexes of the columns that are read. */
  readonly columns: readonly number[];
  /** The columns of its rows; null for what is no column of the table. */
  readonly output: readonly (PlanColumn | null)[];
  readonly filters: readonly PlanExpression[];
  /** A LIMIT over it; null if all of its rows are needed. */
  readonly limit: ScanLimit | null;
}

/** So many rows of those that pass the filters are enough: whichever they are, or the first in an order. */
export interface ScanLimit {
  readonly rows: number;
  readonly order: ScanOrder | null;
}

/** What rows are sorted by first. */
export interface ScanOrder {
  /** Index of the column. */
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** The same, over the rows of a node. */
interface Limit {
  readonly rows: number;
  readonly order: (Omit<ScanOrder, 'column'> & { readonly by: JsonObject }) | null;
}

/** Every scan of a plan (`json_serialize_plan`'s answer), with the filters that are applied right at it. */
export function plannedScans(plan: JsonObject): readonly PlannedScan[] {
  const scans: PlannedScan[] = [];
  for (const root of list(plan['plans'])) visit(object(root), [], null, scans);
  return scans;
}

/** `above` are the expressions of the filters directly over this node. */
function visit(node: JsonObject, above: readonly JsonObject[], limit: Limit | null, scans: PlannedScan[]): void {
  const type = nodeType(node);
  const scan = type === 'LOGICAL_GET' ? readScan(node, above) : null;
  if (scan) scans.push({ ...scan, limit: limit && scanLimit(limit, scan.output) });
  const expressions = type === 'LOGICAL_FILTER' ? list(node['expressions']).map(object) : [];
  const below = LIMITS[type]?.(node, limit) ?? null;
  // A filter that drops columns renumbers what filters over it refer to: only the lowest ones are understood.
  const isUnderstood = type !== 'LOGICAL_FILTER' || nodeType(childrenOf(node)[0] ?? {}) === 'LOGICAL_GET';
  for (const child of childrenOf(node)) visit(child, expressions, isUnderstood ? below : null, scans);
}

function scanLimit({ rows, order }: Limit, output: readonly (PlanColumn | null)[]): ScanLimit | null {
  if (order === null) return { rows, order };
  const { by, descending, nullsFirst } = order;
  const column = by['expression_class'] === 'BOUND_REF' ? output[integer(by['index'] ?? 0) ?? -1] : null;
  return column ? { rows, order: { column: column.index, descending, nullsFirst } } : null;
}

/** What a limit over a node is over its child, by the type of the node; none over others' children. */
const LIMITS: Readonly<Record<string, (node: JsonObject, limit: Limit | null) => Limit | null>> = {
  LOGICAL_LIMIT: (node) => {
    const rows = limitOf(node);
    return rows === null ? null : { rows, order: null };
  },
  LOGICAL_ORDER_BY: (node, limit) => {
    const first = object(list(node['orders'])[0]);
    if (limit === null || limit.order !== null || list(node['projections']).length > 0) return null;
    const order = {
      by: object(first['expression']),
      descending: first['type'] === 'DESCENDING',
      nullsFirst: first['null_order'] !== 'NULLS LAST',
    };
    return { rows: limit.rows, order };
  },
  LOGICAL_PROJECTION: (node, limit) => {
    if (!limit?.order) return limit;
    const by = mapReferences(limit.order.by, (index) => object(list(node['expressions'])[index]));
    return by && { rows: limit.rows, order: { ...limit.order, by } };
  },
  LOGICAL_FILTER: (node, limit) => {
    const map = list(node['projection_map']);
    if (!limit?.order || map.length === 0) return limit;
    const by = mapReferences(limit.order.by, (index, like) => reference(integer(map[index] ?? null) ?? -1, like));
    return by && { rows: limit.rows, order: { ...limit.order, by } };
  },
};

/** The rows that a LIMIT with its OFFSET takes; null if they aren't constants. */
function limitOf(node: JsonObject): number | null {
  const [limit, offset] = ['limit_val', 'offset_val'].map((key) => object(node[key]));
  if (limit!['type'] !== 'CONSTANT_VALUE') return null;
  if (offset!['type'] !== 'CONSTANT_VALUE' && offset!['type'] !== 'UNSET') return null;
  const [rows, skipped] = [integer(limit!['constant_integer']), integer(offset!['constant_integer'] ?? 0)];
  return rows === null || skipped === null ? null : rows + skipped;
}

/** Null for a scan of something else than a table. `above` are filters over its rows. */
export function readScan(node: JsonObject, above: readonly JsonObject[]): Omit<PlannedScan, 'limit'> | null {
  const table = scannedTable(node);
  if (table === null) return null;
  const columns = list(node['column_indexes']).map(columnIndex);
  const projected = list(node['projection_ids']).map((id) => columns[integer(id) ?? -1] ?? null);
  const output = projected.length > 0 ? projected : columns;
  const columnOf = (index: number): PlanColumn | null => output[index] ?? null;
  const tableFilters = list(object(node['table_filters'])['filters']).map((entry) => {
    const index = integer(object(entry)['key']) ?? 0;
    return fromTableFilter(object(object(entry)['value']), { index, fields: [] });
  });
  const aboveFilters = above.map((expression) => fromExpression(expression, columnOf));
  return {
    table,
    columns: columns.flatMap((column) => column?.index ?? []),
    output,
    filters: [...tableFilters, ...aboveFilters],
  };
}

/** Null for what is no column of the table: the row id has an index beyond all columns. */
function columnIndex(value: JsonValue): PlanColumn | null {
  // `skip_default`-like options leave a zero out.
  const index = integer(object(value)['index'] ?? 0);
  return index === null ? null : { index, fields: [] };
}
