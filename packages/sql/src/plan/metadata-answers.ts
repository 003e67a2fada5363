import type { FileScanTask, NestedField, Schema } from '@lh/core';
import { bytesToValue, compareValues } from '@lh/core/engine';
import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, list, object, text } from '../query/serialized.ts';
import { Unwritable, constantSql } from './expression-sql.ts';
import { nodeSql } from './node-sql.ts';
import { childrenOf, mapReferences, nodeType, scannedTable } from './plan-nodes.ts';
import { readScan } from './plan-scans.ts';

/** A query of nothing but counts, least and greatest values of one table. */
export interface CountingQuery {
  readonly table: string;
  readonly calls: readonly CountingCall[];
  readonly root: JsonObject;
  readonly aggregate: JsonObject;
}

interface CountingCall {
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

/** Names of the columns whose statistics the answer takes. */
export function countedColumns({ calls }: CountingQuery, schema: Schema): readonly string[] {
  const indexes = new Set(calls.flatMap(({ column }) => column ?? []));
  return [...indexes].flatMap((index) => schema.fields[index]?.name ?? []);
}

/**
 * The answer as a query without tables; null if the metadata doesn't tell. That takes files which match as a whole and
 * have no deletes, and, like Iceberg's own aggregate push-down in Spark, bounds that are not truncated.
 */
export function metadataAnswer(query: CountingQuery, schema: Schema, tasks: readonly FileScanTask[]): string | null {
  if (tasks.some(({ residual, deletes }) => residual.op !== 'true' || deletes.length > 0)) return null;
  try {
    const values = query.calls.map(
      (call, i) => `${constantSql({ type: call.type, value: answer(call, schema, tasks) })} AS c${i}`,
    );
    return nodeSql(query.root, {
      table: (name) => {
        throw new Unwritable(name);
      },
      node: (node) => (node === query.aggregate ? `SELECT ${values.join(', ')}` : undefined),
    });
  } catch (error) {
    if (error instanceof Unwritable) return null;
    throw error;
  }
}

function answer({ name, column }: CountingCall, schema: Schema, tasks: readonly FileScanTask[]): JsonValue {
  if (column === null) return BigInt(tasks.reduce((sum, { file }) => sum + file.recordCount, 0));
  const field = schema.fields[column];
  if (!field) throw new Unwritable('a column that is none of the table');
  const values = tasks.map(({ file }) => {
    const nulls = field.required ? 0 : file.nullValueCounts?.get(field.id);
    if (nulls === undefined) throw new Unwritable('a file without a count of nulls');
    return file.recordCount - nulls;
  });
  if (name === 'count') return BigInt(values.reduce((sum, count) => sum + count, 0));
  return extreme(
    name,
    field,
    tasks.filter((_, i) => values[i]! > 0),
  );
}

/** Types whose bounds are values of the file: of texts and bytes only the beginning may be there, and NaN is in none. */
const BOUNDED: ReadonlySet<string> = new Set(['int', 'long', 'decimal', 'date', 'timestamp', 'timestamptz']);

function extreme(name: 'min' | 'max', { id, type }: NestedField, tasks: readonly FileScanTask[]): JsonValue {
  if (!BOUNDED.has(type.kind) || type.kind === 'struct' || type.kind === 'list' || type.kind === 'map') {
    throw new Unwritable(`bounds of a ${type.kind}`);
  }
  const compare = compareValues(type);
  const sign = name === 'min' ? 1 : -1;
  let found: number | bigint | null = null;
  for (const { file } of tasks) {
    const bytes = (name === 'min' ? file.lowerBounds : file.upperBounds)?.get(id);
    if (!bytes) throw new Unwritable('a file without bounds');
    const value = bytesToValue(type, bytes);
    if (typeof value !== 'number' && typeof value !== 'bigint') throw new Unwritable('a bound that is no number');
    if (found === null || compare(value, found) * sign < 0) found = value;
  }
  return found;
}
