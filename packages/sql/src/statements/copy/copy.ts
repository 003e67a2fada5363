import { invalidArgument } from '@lh/core/engine';
import { quoteName, quoteNames, quoteString } from '../../text/quote.ts';
import { pointAt } from '../../text/tokens.ts';
import type { CatalogStatement, StatementContext, StatementOutcome, Target } from '../catalog-statement.ts';
import { insertedRows } from '../insert/insert.ts';
import { tableColumns } from '../insert/table-columns.ts';
import type { ErrorAt } from '../insert/table-columns.ts';
import type { StatementText } from '../statement-text.ts';
import { fileQuery } from './copied-rows.ts';
import { copyTarget, parseCopy } from './copy-syntax.ts';
import type { CopyStatement } from './copy-syntax.ts';

/** `COPY name FROM 'file'` and `COPY name TO 'file'`, for a table of a catalog. */
export function copyStatement(text: StatementText): CatalogStatement | null {
  const name = copyTarget(text);
  if (name === null) return null;
  const error: ErrorAt = (message, token) => {
    const offset = text.toSource(text.tokens[token]!.start);
    return invalidArgument(`${message}\n${pointAt(text.source, offset)}`, { position: offset });
  };
  return {
    async run(context) {
      // What can only be read, like a metadata table, can be copied to a file.
      const source = await context.resolver.resolve(name);
      const isOnlyRead = source !== null && source.kind !== 'table';
      const copy = isOnlyRead ? parseCopy(text) : null;
      if (copy?.kind === 'to') return copyTo(copy, undefined, context);
      const target = await context.target(name);
      return target && copyOf(copy ?? parseCopy(text), target, context, error);
    },
  };
}

function copyOf(
  copy: CopyStatement,
  target: Target,
  context: StatementContext,
  error: ErrorAt,
): Promise<StatementOutcome> {
  return copy.kind === 'to' ? copyTo(copy, target.branch, context) : copyFrom(copy, target, context, error);
}

async function copyFrom(
  { file, options, columns }: Extract<CopyStatement, { readonly kind: 'from' }>,
  target: Target,
  context: StatementContext,
  error: ErrorAt,
): Promise<StatementOutcome> {
  const fields = tableColumns(target.table, columns, error);
  const data = context.rows(fileQuery(file, options, fields), { columns: fields.map(({ name }) => name) });
  return insertedRows(data, await context.change(target, (transaction) => transaction.append(data)));
}

async function copyTo(
  { target: name, columns, rest }: Extract<CopyStatement, { readonly kind: 'to' }>,
  branch: string | undefined,
  context: StatementContext,
): Promise<StatementOutcome> {
  const select = columns?.map((column) => quoteName(column.name)).join(', ') ?? '*';
  const from =
    branch === undefined ? quoteNames(name) : `${quoteNames(name.slice(0, -1))} AT (VERSION => ${quoteString(branch)})`;
  const result = await context.run(`COPY (SELECT ${select} FROM ${from}) TO ${rest}`);
  if (result.columns.length > 0) return { kind: 'result', result };
  return { kind: 'changed', done: 'copied', rows: result.rowCount ?? 0, snapshotId: null, scans: result.scans };
}
