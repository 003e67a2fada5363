import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, list, object, text } from '../query/serialized.ts';
import { fromExpression, fromTableFilter } from './plan-expression.ts';
import type { PlanColumn, PlanExpression } from './plan-expression.ts';

/** One scan of a table in an optimized plan: every row that matters satisfies all of its filters. */
export interface PlannedScan {
  readonly table: string;
  /** Indexes of the columns that are read. */
  readonly columns: readonly number[];
  readonly filters: readonly PlanExpression[];
  /** So many rows are enough, whichever they are (LIMIT); null if all are needed. */
  readonly maxRows: number | null;
}

/** Every scan of a plan (`json_serialize_plan`'s answer), with the filters that are applied right at it. */
export function plannedScans(plan: JsonObject): readonly PlannedScan[] {
  const scans: PlannedScan[] = [];
  for (const root of list(plan['plans'])) visit(object(root), [], null, scans);
  return scans;
}

/** `above` are the expressions of the filters directly over this node; `maxRows` of it are enough. */
function visit(node: JsonObject, above: readonly JsonObject[], maxRows: number | null, scans: PlannedScan[]): void {
  const type = text(node['type']);
  if (type === 'LOGICAL_GET') {
    const scan = readScan(node, above);
    if (scan) scans.push({ ...scan, maxRows: scan.filters.length === 0 ? maxRows : null });
  }
  const expressions = type === 'LOGICAL_FILTER' ? list(node['expressions']).map(object) : [];
  const enough = type === 'LOGICAL_LIMIT' ? limitOf(node) : type === 'LOGICAL_PROJECTION' ? maxRows : null;
  // A filter that drops columns renumbers what filters over it refer to: only the lowest ones are understood.
  for (const child of childNodes(node)) visit(child, expressions, enough, scans);
}

/** The rows that a LIMIT with its OFFSET takes; null if they aren't constants. */
function limitOf(node: JsonObject): number | null {
  const [limit, offset] = ['limit_val', 'offset_val'].map((key) => object(node[key]));
  if (limit!['type'] !== 'CONSTANT_VALUE') return null;
  if (offset!['type'] !== 'CONSTANT_VALUE' && offset!['type'] !== 'UNSET') return null;
  const [rows, skipped] = [integer(limit!['constant_integer']), integer(offset!['constant_integer'] ?? 0)];
  return rows === null || skipped === null ? null : rows + skipped;
}

function childNodes(node: JsonObject): readonly JsonObject[] {
  return list(node['children']).map(object);
}

function readScan(node: JsonObject, above: readonly JsonObject[]): Omit<PlannedScan, 'maxRows'> | null {
  const table = text(object(node['function_data'])['table']);
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
    filters: [...tableFilters, ...aboveFilters],
  };
}

/** Null for what is no column of the table: the row id has an index beyond all columns. */
function columnIndex(value: JsonValue): PlanColumn | null {
  // `skip_default`-like options leave a zero out.
  const index = integer(object(value)['index'] ?? 0);
  return index === null ? null : { index, fields: [] };
}
