import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from '@lh/core';
import { LakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import { nearNames } from '../text/near-names.ts';
import type { AtClause } from '../text/at-clause.ts';

/** The states between which changes are read; those that aren't there are the first and the last. */
export interface ChangeStates {
  readonly from?: ScanTarget;
  readonly to?: ScanTarget;
}

/** Which state of a table to read, as `table.scan()` takes it. */
export type ScanTarget =
  | { readonly snapshotId: bigint }
  | { readonly ref: string }
  | { readonly asOf: number }
  | Record<string, never>;

/** The state that `AT (VERSION => …)` or `AT (TIMESTAMP => …)` names; `connection` computes the value. */
export async function scanTarget(connection: DuckDBConnection, at: AtClause | null, table: Table): Promise<ScanTarget> {
  if (at === null) return {};
  const value = await evaluate(connection, at);
  if (value === null) throw invalidArgument(`AT (${at.unit} => …) needs a value, and this one is NULL.`);
  return at.unit === 'VERSION' ? version(table, value) : { asOf: await instant(connection, at, value) };
}

/** `AT (VERSION => {'from': …, 'to': …})`, or only the last of the states: ids, names or times. */
export async function changeStates(
  connection: DuckDBConnection,
  at: AtClause | null,
  table: Table,
): Promise<ChangeStates> {
  if (at === null) return {};
  const typeOf = async (expression: string): Promise<string> =>
    String(await evaluate(connection, { ...at, expression: `typeof(${expression})` }));
  if (!(await typeOf(at.expression)).startsWith('STRUCT(')) return { to: await scanTarget(connection, at, table) };
  const states: { from?: ScanTarget; to?: ScanTarget } = {};
  for (const which of ['from', 'to'] as const) {
    const expression = `struct_extract(${at.expression}, '${which}')`;
    const type = await typeOf(expression);
    if (type === '"NULL"') continue;
    const unit = /^(?:TIMESTAMP|DATE)/.test(type) ? 'TIMESTAMP' : 'VERSION';
    states[which] = await scanTarget(connection, { ...at, unit, expression }, table);
  }
  return states;
}

async function evaluate(connection: DuckDBConnection, { unit, expression }: AtClause): Promise<unknown> {
  try {
    const reader = await connection.runAndReadAll(`SELECT (${expression})`);
    return reader.getRows()[0]?.[0] ?? null;
  } catch (error) {
    const mapped = duckdbError(error);
    const message = mapped instanceof Error ? mapped.message : String(mapped);
    throw new LakehouseError(
      'INVALID_ARGUMENT',
      `The value of AT (${unit} => ${expression}) can't be computed: ${message}`,
      { cause: error },
    );
  }
}

/** A snapshot's id, or the name of a branch or tag; an id may come as text. */
function version(table: Table, value: unknown): ScanTarget {
  if (typeof value === 'bigint' || typeof value === 'number') return { snapshotId: BigInt(value) };
  if (typeof value !== 'string')
    throw invalidArgument('AT (VERSION => …) takes a snapshot id, or the name of a branch or tag.');
  if (/^\d+$/.test(value) && !isRef(table, value)) return { snapshotId: BigInt(value) };
  return refTarget(table, value);
}

function isRef(table: Table, name: string): boolean {
  return Object.hasOwn(table.metadata.refs, name) || name === 'main';
}

/** The state of a branch or tag. NOT_FOUND if there is none, with the one that is most like it. */
export function refTarget(table: Table, value: string): ScanTarget {
  if (isRef(table, value)) return { ref: value };
  const near = nearNames(value, Object.keys(table.metadata.refs));
  const hint = near.length > 0 ? ` Did you mean '${near[0]}'?` : '';
  throw new LakehouseError('NOT_FOUND', `The table '${table.name}' has no branch or tag '${value}'.${hint}`, {
    context: { ref: value },
  });
}

/** Milliseconds since the epoch. A number is taken for that; anything else for a time in the session's zone. */
async function instant(connection: DuckDBConnection, { expression }: AtClause, value: unknown): Promise<number> {
  if (typeof value === 'bigint' || typeof value === 'number') return Math.floor(Number(value));
  try {
    const reader = await connection.runAndReadAll(`SELECT epoch_us(CAST((${expression}) AS TIMESTAMPTZ))`);
    const micros = reader.getRows()[0]![0] as bigint;
    return Math.floor(Number(micros) / 1000);
  } catch (error) {
    throw new LakehouseError('INVALID_ARGUMENT', `AT (TIMESTAMP => ${expression}) is not a time.`, { cause: error });
  }
}
