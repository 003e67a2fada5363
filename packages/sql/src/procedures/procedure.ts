import type { Catalog, Table } from '@lh/core';
import type { PathUse } from '../session/fence.ts';
import type { Arguments, Parameters } from './arguments.ts';

/** What a procedure works with. */
export interface ProcedureContext {
  /** By the name that SQL has for it, quoted where that takes quotes; DuckDB writes its files. NOT_FOUND if there is none. */
  table(name: string): Promise<Table>;
  /** The catalog that a new table's name belongs to, and its path there. */
  place(name: string): { readonly catalog: Catalog; readonly path: readonly string[] };
  /** UNAUTHORIZED for a place that the session may not touch. */
  checkPath(location: string, use: PathUse): Promise<void>;
  /** The session may not touch every place: what a file names is then not to be trusted. */
  readonly isFenced: boolean;
  readonly signal: AbortSignal | undefined;
}

export type ResultType = 'BIGINT' | 'INTEGER' | 'VARCHAR';
export type ResultValue = string | number | bigint | null;

/** A procedure with Spark's name, arguments and result columns. */
export interface Procedure {
  readonly parameters: Parameters;
  readonly columns: Readonly<Record<string, ResultType>>;
  readonly run: (
    context: ProcedureContext,
    args: Readonly<Record<string, unknown>>,
  ) => Promise<readonly (readonly ResultValue[])[]>;
}

/** Gives `run` the types of its parameters. */
export function procedure<const P extends Parameters>(
  parameters: P,
  columns: Procedure['columns'],
  run: (context: ProcedureContext, args: Arguments<P>) => Promise<readonly (readonly ResultValue[])[]>,
): Procedure {
  return { parameters, columns, run: (context, args) => run(context, args as Arguments<P>) };
}

export const required = <const T extends string>(type: T): { readonly type: T; readonly required: true } => ({
  type,
  required: true,
});

export const optional = <const T extends string>(type: T): { readonly type: T; readonly required: false } => ({
  type,
  required: false,
});
