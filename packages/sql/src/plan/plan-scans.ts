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
}

/** Every scan of a plan (`json_serialize_plan`'s answer), with the filters that are applied right at it. */
export function plannedScans(plan: JsonObject): readonly PlannedScan[] {
  const scans: PlannedScan[] = [];
  for (const root of list(plan['plans'])) visit(object(root), [], scans);
  return scans;
}

/** `above` are the expressions of the filters directly over this node. */
function visit(node: JsonObject, above: readonly JsonObject[], scans: PlannedScan[]): void {
  const type = text(node['type']);
  if (type === 'LOGICAL_GET') {
    const scan = readScan(node, above);
    if (scan) scans.push(scan);
  }
  const expressions = type === 'LOGICAL_FILTER' ? list(node['expressions']).map(object) : [];
  // A filter that drops columns renumbers what filters over it refer to: only the lowest ones are understood.
  for (const child of childNodes(node)) visit(child, expressions, scans);
}

function childNodes(node: JsonObject): readonly JsonObject[] {
  return list(node['children']).map(object);
}

function readScan(node: JsonObject, above: readonly JsonObject[]): PlannedScan | null {
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
