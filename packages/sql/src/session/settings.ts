import type { DuckDBConnection } from '@duckdb/node-api';
import { TimeZone } from '../plan/time-zone.ts';
import { quoteName, quoteString } from '../text/quote.ts';

/**
 * Settings of a connection that change what a query means. The planner and the connections that run queries beside the
 * session's own get the session's values: a filter that is pruned with has to be the filter that is run.
 */
export const SETTINGS = [
  'TimeZone',
  'Calendar',
  'default_collation',
  'default_null_order',
  'default_order',
  'ieee_floating_point_ops',
  'integer_division',
  'old_implicit_casting',
  'order_by_non_integer_literal',
  'scalar_subquery_error_on_multiple_rows',
  'disable_timestamptz_casts',
  'lambda_syntax',
] as const;

export type SessionSettings = ReadonlyMap<string, string>;

export async function readSettings(connection: DuckDBConnection): Promise<SessionSettings> {
  const values = SETTINGS.map((name) => `CAST(current_setting(${quoteString(name)}) AS VARCHAR)`);
  const reader = await connection.runAndReadAll(`SELECT ${values.join(', ')}`);
  const [row] = reader.getRows();
  return new Map(SETTINGS.map((name, i) => [name, String(row![i] ?? '')]));
}

/** Sets what differs; `current` are the values that the connection has. */
export async function applySettings(
  connection: DuckDBConnection,
  current: SessionSettings,
  wanted: SessionSettings,
): Promise<void> {
  for (const [name, value] of wanted) {
    if (current.get(name) !== value) await connection.run(`SET ${quoteName(name)} = ${quoteString(value)}`);
  }
}

/** The session's time zone; null if its calendar isn't the one that Iceberg counts by. */
export function timeZoneOf(settings: SessionSettings): TimeZone | null {
  if (settings.get('Calendar')?.toLowerCase() !== 'gregorian') return null;
  return new TimeZone(settings.get('TimeZone') ?? '');
}
