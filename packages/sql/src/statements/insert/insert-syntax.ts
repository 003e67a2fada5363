import type { LakehouseError } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import { LEVEL_SEPARATOR } from '../../text/level-separator.ts';
import { mainVerb } from '../../text/main-verb.ts';
import { afterBracket, isKeyword, isSymbol, nameChain } from '../../text/tokens.ts';
import type { Token } from '../../text/tokens.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import type { NamedToken } from './table-columns.ts';

/** `k = 1`, or `k` alone, of `PARTITION (…)`. */
export interface PartitionValue extends NamedToken {
  /** SQL of the value; null if rows bring it along. */
  readonly value: string | null;
}

/** The query whose rows are inserted: some of the statement's tokens, behind those of its WITH. */
export interface InsertedQuery {
  readonly kind: 'query';
  /** Tokens of the query, from `first` up to `next`. */
  readonly first: number;
  readonly next: number;
  /** Index of INSERT: what is before it is WITH and its queries. */
  readonly verb: number;
  /** What is between the commas of VALUES; nothing for another query. */
  readonly values: readonly InsertedValue[];
}

/** Tokens of a value, from `first` up to `next`, for the column of that number. */
export interface InsertedValue {
  readonly first: number;
  readonly next: number;
  readonly column: number;
}

export interface InsertStatement {
  readonly target: readonly string[];
  /** The branch of `VERSION AS OF`, if there is one. */
  readonly branch: string | null;
  readonly overwrites: boolean;
  readonly partition: readonly PartitionValue[];
  readonly columns: readonly NamedToken[] | null;
  readonly byName: boolean;
  readonly source: InsertedQuery | { readonly kind: 'defaults' };
}

/** What is inserted into; null if the statement is no INSERT. */
export function insertTarget({ tokens }: StatementText): readonly string[] | null {
  const verb = mainVerb(tokens, 'insert');
  if (verb === null) return null;
  const next = afterKeywords(tokens, verb + 1, ['or', 'ignore', 'replace', 'overwrite', 'into', 'table']);
  return nameChain(tokens, next)?.parts.flatMap((part) => part.split(LEVEL_SEPARATOR)) ?? null;
}

function afterKeywords(tokens: readonly Token[], first: number, words: readonly string[]): number {
  let next = first;
  while (isKeyword(tokens[next], ...words)) next++;
  return next;
}

/**
 * `[WITH …] INSERT {INTO | OVERWRITE [INTO]} [TABLE] t [PARTITION (…)] [(columns)] [BY NAME | BY POSITION] query`.
 * INVALID_ARGUMENT with the place for anything else, UNSUPPORTED for what DuckDB's own tables take besides.
 */
export function parseInsert(text: StatementText): InsertStatement {
  const verb = mainVerb(text.tokens, 'insert') ?? 0;
  const reader = new TokenReader(text, verb + 1);
  if (reader.isAt('or')) throw refusal(reader, CONFLICTS);
  const overwrites = reader.take('overwrite');
  if (!reader.take('into') && !overwrites) throw reader.unexpected('INTO or OVERWRITE');
  reader.take('table');
  const target = reader.name('the name of a table');
  const branch = versionBranch(reader);
  if (reader.take('as')) reader.word('an alias');
  const partition = reader.take('partition') ? partitionValues(reader) : [];
  const columns = isColumnList(reader) ? columnList(reader) : null;
  const byName = reader.take('by', 'name');
  if (byName && columns !== null) throw reader.error('BY NAME takes the columns of the query; name none before it.');
  if (!byName) reader.take('by', 'position');
  const common = { target, branch, overwrites, partition, columns, byName };
  if (reader.take('default', 'values')) {
    reader.end();
    return { ...common, source: { kind: 'defaults' } };
  }
  return { ...common, source: insertedQuery(text, reader, verb) };
}

const CONFLICTS =
  'Tables of catalogs have no keys that rows could be in conflict with; use MERGE INTO, which says what a match is.';

function refusal(reader: TokenReader, reason: string): LakehouseError {
  const { message, context } = reader.error(reason);
  return unsupported(message, context);
}

/** `[FOR] VERSION AS OF 'audit'` or DuckDB's `AT (VERSION => 'audit')`. */
function versionBranch(reader: TokenReader): string | null {
  if (reader.isAt('at') && isSymbol(reader.peek(1), '(')) {
    reader.take('at');
    const inner = reader.brackets('a version');
    inner.expect('version');
    inner.expectSymbol('=');
    inner.expectSymbol('>');
    const branch = inner.string('the name of a branch');
    inner.end();
    return branch;
  }
  if (!reader.take('for', 'version', 'as', 'of') && !reader.take('version', 'as', 'of')) return null;
  return reader.string('the name of a branch');
}

function partitionValues(reader: TokenReader): readonly PartitionValue[] {
  const inner = reader.brackets('a partition');
  const values = inner.list((): PartitionValue => {
    const token = inner.index;
    const name = inner.word('a column of the partition');
    if (!inner.takeSymbol('=')) return { name, token, value: null };
    const first = inner.index;
    while (!inner.isDone && !inner.isAtSymbol(',')) inner.skip();
    const value = inner.textFrom(first);
    if (value === '') throw inner.unexpected('a value');
    return { name, token, value };
  });
  inner.end();
  return values;
}

/** Brackets hold columns, unless a query begins in them. */
function isColumnList(reader: TokenReader): boolean {
  const first = reader.peek(1);
  return (
    reader.isAtSymbol('(') && !isSymbol(first, '(') && !isKeyword(first, 'select', 'with', 'from', 'values', 'table')
  );
}

/** `(a, b)`. */
export function columnList(reader: TokenReader): readonly NamedToken[] {
  const inner = reader.brackets('a list of columns');
  const columns = inner.list((): NamedToken => ({ token: inner.index, name: inner.word('a column') }));
  inner.end();
  return columns;
}

function insertedQuery(text: StatementText, reader: TokenReader, verb: number): InsertedQuery {
  const { tokens } = text;
  if (reader.isDone) throw reader.unexpected('a query or VALUES');
  const first = reader.index;
  for (; !reader.isDone; reader.skip()) {
    const behind = reader.peek(2);
    if (reader.isAt('returning')) {
      throw refusal(reader, 'RETURNING gives nothing for tables of catalogs; SELECT the rows afterwards.');
    }
    if (reader.isAt('on', 'conflict') && (isSymbol(behind, '(') || isKeyword(behind, 'do', 'on'))) {
      throw refusal(reader, CONFLICTS);
    }
  }
  return { kind: 'query', first, next: tokens.length, verb, values: valuesOf(tokens, first) };
}

/** The values of `VALUES (1, DEFAULT), …`. */
function valuesOf(tokens: readonly Token[], first: number): readonly InsertedValue[] {
  if (!isKeyword(tokens[first], 'values')) return [];
  const values: InsertedValue[] = [];
  for (let row = first + 1; isSymbol(tokens[row], '('); row++) {
    const end = afterBracket(tokens, row) - 1;
    for (let at = row + 1, column = 0; at < end; at++, column++) {
      const start = at;
      while (at < end && !isSymbol(tokens[at], ',')) at = isOpen(tokens[at]) ? afterBracket(tokens, at) : at + 1;
      if (at > start) values.push({ first: start, next: at, column });
    }
    row = end + 1;
    if (!isSymbol(tokens[row], ',')) break;
  }
  return values;
}

function isOpen(token: Token | undefined): boolean {
  return ['(', '[', '{'].some((bracket) => isSymbol(token, bracket));
}
