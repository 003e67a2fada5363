import type { DuckDBConnection } from '@duckdb/node-api';
import type { Edit } from '../text/edits.ts';
import { quoteString } from '../text/quote.ts';

/** A call whose value depends on when, where or by whom a query is run: `now()`, `getvariable('x')`. */
export interface ContextCall {
  readonly name: string;
  /** The text of the call. */
  readonly start: number;
  readonly end: number;
}

/** The start of the transaction, in several forms. */
const TIMES: ReadonlySet<string> = new Set([
  'now',
  'transaction_timestamp',
  'current_timestamp',
  'get_current_timestamp',
  'current_date',
  'today',
  'current_time',
  'get_current_time',
  'current_localtime',
  'current_localtimestamp',
  'localtime',
  'localtimestamp',
]);

/** What only the session's own connection knows. */
const VARIABLES: ReadonlySet<string> = new Set(['getvariable', 'getenv', 'txid_current']);

const SETTINGS: ReadonlySet<string> = new Set([
  'current_setting',
  'current_database',
  'current_catalog',
  'current_schema',
  'current_schemas',
  'in_search_path',
  'current_user',
  'session_user',
  'current_role',
  'user',
]);

/** Functions that may be written without brackets, if no column has the name. */
const BARE: ReadonlySet<string> = new Set([
  'current_timestamp',
  'current_date',
  'current_time',
  'localtime',
  'localtimestamp',
  'current_catalog',
  'current_schema',
  'current_user',
  'session_user',
  'current_role',
  'user',
]);

export function isContextFunction(name: string): boolean {
  return TIMES.has(name) || VARIABLES.has(name) || SETTINGS.has(name);
}

export function isBareContextFunction(name: string): boolean {
  return BARE.has(name);
}

export function isTime({ name }: ContextCall): boolean {
  return TIMES.has(name);
}

/** Whether the calls can be made on the session's own connection only. */
export function needsSession(calls: readonly ContextCall[]): boolean {
  return calls.some(({ name }) => VARIABLES.has(name) || SETTINGS.has(name));
}

/** Names of context functions in a macro's definition. */
export function mentionsContext(definition: string): boolean {
  return (definition.toLowerCase().match(/[a-z_]+/g) ?? []).some(isContextFunction);
}

/**
 * Replaces the calls by their values on the connection that will run the query. The planner would compute others: a
 * `now()` of its own, and no variables. Null if a value can't be written down.
 */
export async function contextValues(
  connection: DuckDBConnection,
  sql: string,
  calls: readonly ContextCall[],
): Promise<readonly Edit[] | null> {
  const edits: Edit[] = [];
  for (const { start, end } of calls) {
    const call = sql.slice(start, end);
    try {
      const reader = await connection.runAndReadAll(`SELECT CAST(${call} AS VARCHAR), typeof(${call})`);
      const [value, type] = reader.getRows()[0]!;
      // Nested values don't all survive the way through text.
      if (!/^[A-Z0-9_ ]+(?:\(\d+,\s*\d+\))?$|^"NULL"$/.test(String(type))) return null;
      const literal = value === null ? 'NULL' : quoteString(String(value));
      edits.push({ start, end, text: type === '"NULL"' ? 'NULL' : `CAST(${literal} AS ${String(type)})` });
    } catch {
      return null;
    }
  }
  return edits;
}
