import type { CallArgument, CallStatement } from '../../procedures/call-statement.ts';
import { callProcedure } from '../../procedures/procedures.ts';
import { quoteString } from '../../text/quote.ts';
import type { StatementContext, StatementOutcome, Target } from '../catalog-statement.ts';
import type { TokenReader } from '../token-reader.ts';

/** Trino's names of maintenance, with the procedures that do it. */
const PROCEDURES: Readonly<Record<string, string>> = {
  optimize: 'rewrite_data_files',
  optimize_manifests: 'rewrite_manifests',
  expire_snapshots: 'expire_snapshots',
  remove_orphan_files: 'remove_orphan_files',
};

/** `EXECUTE optimize(file_size_threshold => '128MB') WHERE …`, or `expire_snapshots(retention_threshold => '7d')`. */
export function readExecute(reader: TokenReader, table: string): CallStatement {
  const at = reader.index;
  const name = reader.word('what to execute').toLowerCase();
  const procedure = Object.hasOwn(PROCEDURES, name) ? PROCEDURES[name]! : null;
  if (procedure === null) {
    throw reader.error(`'${name}' can't be executed; there are ${Object.keys(PROCEDURES).join(', ')}.`, at);
  }
  const args: CallArgument[] = [{ name: 'table', sql: quoteString(table) }];
  if (reader.isAtSymbol('(')) {
    const inner = reader.brackets('the arguments');
    if (!inner.isDone) args.push(...inner.list(() => readArgument(inner, name)));
    inner.end();
  }
  if (name === 'optimize' && reader.take('where')) {
    if (reader.isDone) throw reader.unexpected('a condition');
    args.push({ name: 'where', sql: quoteString(reader.rest()) });
  }
  reader.end();
  return { catalog: null, procedure, args };
}

function readArgument(reader: TokenReader, name: string): CallArgument {
  const at = reader.index;
  const argument = reader.word('an argument').toLowerCase();
  reader.expectSymbol('=');
  reader.expectSymbol('>');
  const value = reader.string('a value');
  if (name === 'optimize' && argument === 'file_size_threshold') {
    return { name: 'options', sql: `MAP {'min-file-size-bytes': '${bytesOf(value, reader)}'}` };
  }
  if ((name === 'expire_snapshots' || name === 'remove_orphan_files') && argument === 'retention_threshold') {
    return { name: 'older_than', sql: `now() - to_milliseconds(${millisecondsOf(value, reader)})` };
  }
  throw reader.error(`'${name}' has no argument '${argument}'.`, at);
}

const SIZES: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };
const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const bytesOf = (text: string, reader: TokenReader): number => amount(text, SIZES, "a size, as in '128MB'", reader);
const millisecondsOf = (text: string, reader: TokenReader): number =>
  amount(text, DURATIONS, "a time, as in '7d'", reader);

function amount(text: string, units: Readonly<Record<string, number>>, what: string, reader: TokenReader): number {
  const [, digits, unit = ''] = /^\s*(\d{1,9})\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  if (digits === undefined || factor === undefined) throw reader.error(`'${text}' is not ${what}.`, reader.index - 1);
  return Number(digits) * factor;
}

/** The rows are those of the procedure. */
export async function execute(
  call: CallStatement,
  { table }: Target,
  { lease: lend, writable, resolver, checkPath, isFenced, signal, refuseInTransaction }: StatementContext,
): Promise<StatementOutcome> {
  refuseInTransaction('EXECUTE');
  const lease = await lend();
  try {
    const sql = await callProcedure(lease.connection, call, {
      table: () => Promise.resolve(writable(table)),
      place: (name) => resolver.place([name], null),
      checkPath,
      isFenced,
      signal,
    });
    return { kind: 'rows', sql };
  } finally {
    lease.release();
  }
}
