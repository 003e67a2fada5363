import { isKeyword } from '../../text/tokens.ts';
import type { TokenReader } from '../token-reader.ts';
import { readColumnOf, readDefault, readType } from './type-definition.ts';
import type { ColumnDefinition, DefaultDefinition, TypeDefinition } from './type-definition.ts';

/** Names of columns in parts: `a.b`, `tags.element.x`. */
export type ColumnParts = readonly string[];

export type ColumnPosition = { readonly kind: 'first' } | { readonly kind: 'after'; readonly column: ColumnParts };

/** A change of the schema. */
export type ColumnChange =
  | {
      readonly kind: 'add';
      readonly parent: ColumnParts;
      readonly column: ColumnDefinition;
      readonly position: ColumnPosition | null;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: 'drop'; readonly column: ColumnParts; readonly ifExists: boolean }
  | { readonly kind: 'rename'; readonly column: ColumnParts; readonly to: string }
  | { readonly kind: 'type'; readonly column: ColumnParts; readonly type: TypeDefinition }
  | { readonly kind: 'required'; readonly column: ColumnParts; readonly required: boolean }
  | { readonly kind: 'comment'; readonly column: ColumnParts; readonly doc: string | null }
  | { readonly kind: 'move'; readonly column: ColumnParts; readonly position: ColumnPosition }
  | { readonly kind: 'default'; readonly column: ColumnParts; readonly default: DefaultDefinition | null }
  | { readonly kind: 'set-identifier'; readonly columns: readonly ColumnParts[] }
  | { readonly kind: 'drop-identifier'; readonly columns: readonly ColumnParts[] };

/** One action about columns; several for lists of columns. */
export function readColumnChange(reader: TokenReader): readonly ColumnChange[] {
  const verb = reader.takeOneOf('add', 'drop', 'rename', 'alter', 'change', 'set');
  switch (verb) {
    case 'add':
      return readAdded(reader);
    case 'drop': {
      if (reader.take('identifier', 'fields')) return [{ kind: 'drop-identifier', columns: readColumns(reader) }];
      return readDropped(reader);
    }
    case 'rename': {
      reader.take('column');
      const column = readColumnName(reader);
      reader.expect('to');
      return [{ kind: 'rename', column, to: reader.word('the new name') }];
    }
    case 'alter':
    case 'change': {
      reader.take('column');
      const column = readColumnName(reader);
      return [readAltered(reader, column)];
    }
    case 'set':
      reader.expect('identifier', 'fields');
      return [{ kind: 'set-identifier', columns: readColumns(reader) }];
    default:
      throw reader.unexpected('ADD, DROP, RENAME, ALTER, SET, UNSET, WRITE, CREATE or REPLACE');
  }
}

/** `ADD COLUMN[S] a int, b.c string AFTER d`, maybe in brackets. */
function readAdded(reader: TokenReader): readonly ColumnChange[] {
  takeColumnWord(reader);
  const ifNotExists = reader.take('if', 'not', 'exists');
  return readList(reader, (one) => {
    const name = readColumnName(one);
    const column = readColumnOf(one, name.at(-1)!);
    return { kind: 'add', parent: name.slice(0, -1), column, position: readPosition(one), ifNotExists };
  });
}

function readDropped(reader: TokenReader): readonly ColumnChange[] {
  takeColumnWord(reader);
  const ifExists = reader.take('if', 'exists');
  return readList(reader, (one) => {
    const column = readColumnName(one);
    // Words of DuckDB's, which mean nothing here.
    one.takeOneOf('cascade', 'restrict');
    return { kind: 'drop', column, ifExists };
  });
}

function readAltered(reader: TokenReader, column: ColumnParts): ColumnChange {
  const position = readPosition(reader);
  if (position) return { kind: 'move', column, position };
  if (reader.take('comment')) return { kind: 'comment', column, doc: reader.string('a comment') };
  if (reader.take('type') || reader.take('set', 'data', 'type'))
    return { kind: 'type', column, type: readType(reader) };
  if (reader.take('set', 'not', 'null')) return { kind: 'required', column, required: true };
  if (reader.take('drop', 'not', 'null')) return { kind: 'required', column, required: false };
  if (reader.take('set', 'default')) return { kind: 'default', column, default: readDefault(reader) };
  if (reader.take('drop', 'default')) return { kind: 'default', column, default: null };
  throw reader.unexpected('TYPE, SET NOT NULL, DROP NOT NULL, SET DEFAULT, DROP DEFAULT, COMMENT, FIRST or AFTER');
}

/** A column may have the word's name: then it is followed by what follows names. */
function takeColumnWord(reader: TokenReader): void {
  const next = reader.peek(1);
  const isFollowed = next !== undefined && (next.kind === 'word' || next.kind === 'quoted' || next.value === '(');
  if (isFollowed) reader.takeOneOf('column', 'columns');
}

function readPosition(reader: TokenReader): ColumnPosition | null {
  if (reader.take('first')) return { kind: 'first' };
  return reader.take('after') ? { kind: 'after', column: readColumnName(reader) } : null;
}

function readColumns(reader: TokenReader): readonly ColumnParts[] {
  return readList(reader, readColumnName);
}

function readColumnName(reader: TokenReader): ColumnParts {
  return reader.name('a column');
}

/** The words that begin another action behind a comma. */
const ACTIONS: readonly (readonly string[])[] = [
  ...['add', 'drop'].flatMap((verb) =>
    ['column', 'columns', 'partition', 'identifier', 'branch', 'tag'].map((what) => [verb, what]),
  ),
  ['replace', 'partition'],
  ['replace', 'branch'],
  ['replace', 'tag'],
  ['rename', 'column'],
  ['alter', 'column'],
  ['change', 'column'],
  ['set', 'tblproperties'],
  ['set', 'identifier'],
  ['set', 'properties'],
  ['unset', 'tblproperties'],
  ['write', 'ordered'],
  ['write', 'unordered'],
  ['write', 'locally'],
  ['write', 'distributed'],
  ['create', 'branch'],
  ['create', 'tag'],
  ['create', 'or'],
];

/** A list in brackets, or one that ends where another action begins. */
function readList<T>(reader: TokenReader, read: (reader: TokenReader) => T): readonly T[] {
  if (reader.isAtSymbol('(')) {
    const inner = reader.brackets('the list');
    const items = inner.list(() => read(inner));
    inner.end();
    return items;
  }
  const items = [read(reader)];
  const isAction = (words: readonly string[]): boolean => words.every((word, i) => isKeyword(reader.peek(1 + i), word));
  while (reader.isAtSymbol(',') && !ACTIONS.some(isAction)) {
    reader.expectSymbol(',');
    items.push(read(reader));
  }
  return items;
}
