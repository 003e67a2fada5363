import type { DuckDBConnection } from '@duckdb/node-api';
import { LakehouseError } from '@lh/core';
import { nearNames } from '../text/near-names.ts';
import { quoteName, quoteString } from '../text/quote.ts';
import { evaluateArguments } from './arguments.ts';
import type { CallStatement } from './call-statement.ts';
import { FILE_PROCEDURES } from './file-procedures.ts';
import { HISTORY_PROCEDURES } from './history-procedures.ts';
import { MAINTENANCE_PROCEDURES } from './maintenance-procedures.ts';
import type { Procedure, ProcedureContext, ResultType, ResultValue } from './procedure.ts';

const PROCEDURES: Readonly<Record<string, Procedure>> = {
  ...MAINTENANCE_PROCEDURES,
  ...HISTORY_PROCEDURES,
  ...FILE_PROCEDURES,
};

/** Runs a procedure, and gives a query for the rows that it returns. NOT_FOUND, with names like it, for an unknown one. */
export async function callProcedure(
  connection: DuckDBConnection,
  { procedure, args }: CallStatement,
  context: ProcedureContext,
): Promise<string> {
  const called = Object.hasOwn(PROCEDURES, procedure) ? PROCEDURES[procedure] : undefined;
  if (!called) throw unknownProcedure(procedure);
  const values = await evaluateArguments(connection, procedure, called.parameters, args);
  return resultQuery(called.columns, await called.run(context, values));
}

function unknownProcedure(name: string): LakehouseError {
  const near = nearNames(name, Object.keys(PROCEDURES));
  const hint =
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There are ${Object.keys(PROCEDURES).join(', ')}.`;
  return new LakehouseError('NOT_FOUND', `There is no procedure '${name}'. ${hint}`, { context: { procedure: name } });
}

function resultQuery(columns: Procedure['columns'], rows: readonly (readonly ResultValue[])[]): string {
  const entries = Object.entries(columns);
  const cells = entries.map(([name, type], i) => {
    const values = rows.map((row) => literal(row[i]!));
    return `unnest([${values.join(', ')}]::${type satisfies ResultType}[]) AS ${quoteName(name)}`;
  });
  return `SELECT ${cells.join(', ')}`;
}

function literal(value: ResultValue): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? quoteString(value) : String(value);
}
