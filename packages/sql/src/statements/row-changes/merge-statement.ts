import { isName } from '../../text/tokens.ts';
import { quoteName } from '../../text/quote.ts';
import type { TokenReader } from '../token-reader.ts';
import { readAssignments, readValue } from './assignments.ts';
import type { AssignedValue, Assignment } from './assignments.ts';
import { readExpression } from './expression-text.ts';
import { readEnd, readTarget } from './target-clause.ts';
import type { TargetClause } from './target-clause.ts';

export interface MergeStatement {
  readonly kind: 'merge';
  readonly target: TargetClause;
  readonly source: MergeSource;
  /** A condition, or the columns that are equal. */
  readonly on: string | readonly string[];
  /** Of those that are about a row, the first whose condition holds. */
  readonly clauses: readonly MergeClause[];
}

export interface MergeSource {
  /** For a FROM clause. */
  readonly sql: string;
  /** What its columns are qualified by; null if it has no name. */
  readonly qualifier: string | null;
}

export interface MergeClause {
  /** Rows of both; of the source only; of the table only. */
  readonly when: 'matched' | 'not matched' | 'not matched by source';
  readonly condition: string | null;
  readonly action: MergeAction;
  /** Index of its first token, for errors. */
  readonly at: number;
}

export type MergeAction =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'error'; readonly message: string | null }
  | { readonly kind: 'delete' }
  | { readonly kind: 'update'; readonly set: readonly Assignment[] }
  /** Columns of the source's names; `all`: the source must have every column. */
  | { readonly kind: 'update by name' | 'insert by name'; readonly all: boolean }
  /** All columns in order if none are named. */
  | {
      readonly kind: 'insert';
      readonly columns: readonly string[] | null;
      readonly values: readonly AssignedValue[];
    };

/** `MERGE INTO t [AS a] USING source ON condition WHEN …`, as the standard, Spark and DuckDB have it. */
export function readMerge(reader: TokenReader): MergeStatement {
  reader.expect('merge', 'into');
  const target = readTarget(reader, ['using']);
  reader.expect('using');
  const source = readSource(reader);
  const on = readCondition(reader);
  const clauses: MergeClause[] = [];
  while (reader.isAt('when')) {
    const clause = readClause(reader);
    if (clauses.some(({ when, condition }) => when === clause.when && condition === null)) {
      throw reader.error('A clause of its kind before has no condition, so this one is never reached.', clause.at);
    }
    clauses.push(clause);
  }
  if (clauses.length === 0) throw reader.unexpected('WHEN');
  readEnd(reader);
  return { kind: 'merge', target, source, on, clauses };
}

/** A table, a query in brackets or a call, with an alias. */
function readSource(reader: TokenReader): MergeSource {
  const first = reader.index;
  const name = isName(reader.peek()) ? reader.name('a source') : null;
  const own = reader.textFrom(first);
  if (reader.isAtSymbol('(')) reader.skip();
  else if (name === null) throw reader.unexpected('a source');
  readTime(reader);
  reader.take('as');
  const alias = isName(reader.peek()) && !reader.isAt('on') && !reader.isAt('using') ? reader.word('an alias') : null;
  if (alias !== null && reader.isAtSymbol('(')) reader.skip();
  readTime(reader);
  const sql = reader.textFrom(first);
  if (alias !== null) return { sql, qualifier: quoteName(alias) };
  return { sql, qualifier: name === null ? null : own };
}

/** `AT (VERSION => …)`. */
function readTime(reader: TokenReader): void {
  if (!reader.isAt('at') || reader.peek(1)?.value !== '(') return;
  reader.skip();
  reader.skip();
}

function readCondition(reader: TokenReader): MergeStatement['on'] {
  if (!reader.take('using')) {
    reader.expect('on');
    return readExpression(reader, 'a condition', { words: ['when'] });
  }
  const names = reader.brackets('the columns');
  const columns = names.list(() => names.word('a column'));
  names.end();
  return columns;
}

function readClause(reader: TokenReader): MergeClause {
  const at = reader.index;
  reader.expect('when');
  const when = readWhen(reader);
  const condition = reader.take('and') ? readExpression(reader, 'a condition', { words: ['then'] }) : null;
  reader.expect('then');
  const action = when === 'not matched' ? readInsert(reader) : readChange(reader, when === 'matched');
  return { when, condition, action, at };
}

function readWhen(reader: TokenReader): MergeClause['when'] {
  if (reader.take('matched')) return 'matched';
  reader.expect('not', 'matched');
  if (!reader.take('by')) return 'not matched';
  if (reader.take('source')) return 'not matched by source';
  reader.expect('target');
  return 'not matched';
}

const NEXT = ['when', 'returning'];

function readChange(reader: TokenReader, hasSource: boolean): MergeAction {
  if (reader.take('delete')) return { kind: 'delete' };
  if (!reader.take('update')) return readOther(reader, 'UPDATE, DELETE or DO NOTHING');
  const isAll = isStar(reader) || reader.isDone || reader.isAt('when');
  if (hasSource && (isAll || reader.take('by', 'name'))) return { kind: 'update by name', all: isAll };
  reader.expect('set');
  if (hasSource && reader.takeSymbol('*')) return { kind: 'update by name', all: true };
  return { kind: 'update', set: readAssignments(reader, NEXT) };
}

function readInsert(reader: TokenReader): MergeAction {
  if (!reader.take('insert')) return readOther(reader, 'INSERT or DO NOTHING');
  const isAll = isStar(reader) || reader.isDone || reader.isAt('when');
  if (isAll || reader.take('by', 'name')) return { kind: 'insert by name', all: isAll };
  if (reader.take('default', 'values')) return { kind: 'insert', columns: [], values: [] };
  const at = reader.index;
  let columns: readonly string[] | null = null;
  if (reader.isAtSymbol('(')) {
    const names = reader.brackets('the columns');
    columns = names.list(() => names.word('a column'));
    names.end();
  }
  reader.expect('values');
  const row = reader.brackets('the values');
  const values = row.list(() => readValue(row, []));
  row.end();
  if (columns !== null && columns.length !== values.length)
    throw reader.error(`There are ${columns.length} columns and ${values.length} values.`, at);
  return { kind: 'insert', columns, values };
}

function isStar(reader: TokenReader): boolean {
  return reader.takeSymbol('*');
}

function readOther(reader: TokenReader, wanted: string): MergeAction {
  if (reader.take('do', 'nothing')) return { kind: 'nothing' };
  if (!reader.take('error')) throw reader.unexpected(wanted);
  const hasMessage = !reader.isDone && !reader.isAt('when');
  return { kind: 'error', message: hasMessage ? readExpression(reader, 'a message', { words: NEXT }) : null };
}
