import type { Schema } from '@lh/core';
import type { JsonValue } from '@lh/core/engine';
import { isObject, list, object, parseSerialized, text, integer } from '../../query/serialized.ts';
import { namedParts } from '../../query/table-resolver.ts';
import { queryText } from '../../session/instance.ts';
import { applyEdits, byteOffsetMap } from '../../text/edits.ts';
import { quoteString } from '../../text/quote.ts';
import type { StatementContext } from '../catalog-statement.ts';
import type { MergeStatement } from './merge-statement.ts';

/**
 * Clauses about rows that the table has not see the source alone, so a column that both have is the source's there. In
 * the query of a merge both are seen: this puts the source's name before such columns.
 */
export async function sourceNames(
  { source, clauses }: MergeStatement,
  { fields }: Schema,
  sourceColumns: readonly string[] | null,
  { lease: lend }: StatementContext,
): Promise<(sql: string) => string> {
  const own = new Set(fields.map(({ name }) => name.toLowerCase()));
  const shared = new Set((sourceColumns ?? []).map((name) => name.toLowerCase()).filter((name) => own.has(name)));
  const { qualifier } = source;
  const texts = clauses.flatMap(({ when, condition, action }) => {
    if (when !== 'not matched') return [];
    const values = action.kind === 'insert' ? action.values : [];
    const message = action.kind === 'error' ? action.message : null;
    return [condition, message, ...values.map((value) => (value.kind === 'expression' ? value.sql : null))];
  });
  const known = new Map<string, string>();
  if (shared.size > 0 && qualifier !== null) {
    const lease = await lend();
    try {
      for (const sql of texts) {
        if (sql === null || known.has(sql)) continue;
        const tree = await queryText(lease.connection, `SELECT json_serialize_sql(${quoteString(`${SELECT}${sql}`)})`);
        known.set(sql, qualified(sql, tree, shared, qualifier));
      }
    } finally {
      lease.release();
    }
  }
  return (sql) => known.get(sql) ?? sql;
}

const SELECT = 'SELECT ';

function qualified(sql: string, tree: string, shared: ReadonlySet<string>, qualifier: string): string {
  const parsed = parseSerialized(tree);
  // What is wrong with it DuckDB tells of the whole statement.
  if (!parsed.ok) return sql;
  const toOffset = byteOffsetMap(`${SELECT}${sql}`);
  const table = namedParts(qualifier).at(-1)!.toLowerCase();
  const edits = [...columnRefs(parsed.root, new Set())]
    .filter(({ name, isAlone }) => shared.has(name) && (isAlone || name !== table))
    .flatMap(({ location }) => {
      if (location === null) return [];
      const at = toOffset(location) - SELECT.length;
      return [{ start: at, end: at, text: `${qualifier}.` }];
    });
  return applyEdits(sql, edits).text;
}

interface ColumnRef {
  /** What it begins with, in lower case. */
  readonly name: string;
  readonly isAlone: boolean;
  /** Null for the names that a lambda gives. */
  readonly location: number | null;
}

/** Columns of an expression, without those of its subqueries and of lambdas. */
function* columnRefs(value: JsonValue | undefined, bound: ReadonlySet<string>): Generator<ColumnRef> {
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) yield* columnRefs(item, bound);
    return;
  }
  if (!isObject(value)) return;
  if (text(value['type']) === 'COLUMN_REF') {
    const names = list(value['column_names']).map((part) => (text(part) ?? '').toLowerCase());
    const location = integer(value['query_location']);
    if (!bound.has(names[0]!)) yield { name: names[0]!, isAlone: names.length === 1, location };
    return;
  }
  const isLambda = text(value['class']) === 'LAMBDA';
  const inner = isLambda ? new Set([...bound, ...[...columnRefs(value['lhs'], bound)].map(({ name }) => name)]) : bound;
  for (const [key, child] of Object.entries(object(value))) {
    if (key !== 'subquery' && !(isLambda && key === 'lhs')) yield* columnRefs(child, inner);
  }
}
