import type { FormatVersion, PartitionFieldInput, SortFieldInput } from '@lh/core';
import { isKeyword, isSymbol } from '../../text/tokens.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { readFields, readPartitionField, readSortField } from './partition-fields.ts';
import { formatVersionOf, readProperties, readTableOptions } from './properties.ts';
import type { Properties } from './properties.ts';
import { readColumn } from './type-definition.ts';
import type { ColumnDefinition } from './type-definition.ts';

/** What CREATE TABLE says of a table besides its name. */
export interface TableDefinition {
  /** Null if there is no list of columns: then they are those of a query, or of another table. */
  readonly columns: readonly ColumnDefinition[] | null;
  /** Names of the columns that together identify a row. */
  readonly identifier: readonly string[];
  readonly partitionBy: readonly PartitionFieldInput[];
  readonly sortBy: readonly SortFieldInput[];
  readonly formatVersion: FormatVersion | null;
  readonly location: string | null;
  readonly properties: Properties;
}

export interface CreateTable {
  readonly name: readonly string[];
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly definition: TableDefinition;
  /** `LIKE other`. */
  readonly like: readonly string[] | null;
  /** The query behind AS. */
  readonly query: string | null;
  /** At the end of the statement: for errors about parts of it. */
  readonly reader: TokenReader;
}

const NOTHING: TableDefinition = {
  columns: null,
  identifier: [],
  partitionBy: [],
  sortBy: [],
  formatVersion: null,
  location: null,
  properties: {},
};

/** `CREATE [OR REPLACE] TABLE …`; null for other statements, those about temporary tables among them. */
export function readCreateTable(text: StatementText): CreateTable | null {
  const reader = new TokenReader(text);
  if (!reader.take('create')) return null;
  const orReplace = reader.take('or', 'replace');
  if (!reader.take('table')) return null;
  const ifNotExists = reader.take('if', 'not', 'exists');
  const name = reader.name('the name of a table');
  const like = readLike(reader);
  let definition = like === null && reader.isAtSymbol('(') ? readColumns(reader) : NOTHING;
  while (!reader.isDone && !reader.isAt('as')) definition = readClause(reader, definition);
  const query = reader.take('as') ? reader.rest() : null;
  if (query === '') throw reader.unexpected('a query');
  if (query === null && like === null && definition.columns === null) throw reader.unexpected('a list of columns');
  return { name, orReplace, ifNotExists, definition, like, query, reader };
}

/** `LIKE other` or, as Trino has it, `(LIKE other)`. */
function readLike(reader: TokenReader): readonly string[] | null {
  if (reader.take('like')) return reader.name('the name of a table');
  if (!isLikeInBrackets(reader)) return null;
  const inner = reader.brackets('the definition');
  inner.expect('like');
  const other = inner.name('the name of a table');
  inner.take('including', 'properties');
  inner.end();
  return other;
}

/** A column may be called so, too. */
function isLikeInBrackets(reader: TokenReader): boolean {
  if (!reader.isAtSymbol('(') || !isKeyword(reader.peek(1), 'like')) return false;
  let at = 3;
  while (isSymbol(reader.peek(at), '.')) at += 2;
  return isSymbol(reader.peek(at), ')') || isKeyword(reader.peek(at), 'including');
}

function readColumns(reader: TokenReader): TableDefinition {
  const inner = reader.brackets('the list of columns');
  const columns: ColumnDefinition[] = [];
  const keys: string[] = [];
  inner.list(() => {
    if (inner.isAt('primary', 'key') && inner.peek(2)?.value === '(') {
      inner.take('primary', 'key');
      keys.push(...readFields(inner, 'the columns of the key', (key) => key.name('a column').join('.')));
      return;
    }
    const column = readColumn(inner);
    const isKey = inner.take('primary', 'key');
    if (isKey) keys.push(column.name);
    if (!inner.isDone && !inner.isAtSymbol(',')) throw inner.unexpected("',' or the end of the columns");
    columns.push(column);
  });
  inner.end();
  // Identifier fields are required (spec: "Identifier Field IDs").
  const required = new Set(keys.map((key) => key.toLowerCase()));
  return {
    ...NOTHING,
    columns: columns.map((column) =>
      required.has(column.name.toLowerCase()) ? { ...column, required: true } : column,
    ),
    identifier: keys,
  };
}

/** One clause behind the columns, of Spark's, Trino's or DuckDB's, in any order. */
function readClause(reader: TokenReader, definition: TableDefinition): TableDefinition {
  if (reader.take('using')) {
    reader.expect('iceberg');
    return definition;
  }
  if (reader.take('partitioned', 'by')) {
    return { ...definition, partitionBy: readFields(reader, 'the partition fields', readPartitionField) };
  }
  reader.take('write');
  if (reader.take('ordered', 'by') || reader.take('sorted', 'by')) {
    return { ...definition, sortBy: readFields(reader, 'the sort order', readSortField) };
  }
  if (reader.take('location')) return { ...definition, location: reader.string('a location') };
  if (reader.take('comment')) return withProperties(definition, { comment: reader.string('a comment') });
  if (reader.take('tblproperties')) return withTableProperties(reader, definition, readProperties(reader));
  if (reader.take('with')) {
    const { properties, ...rest } = readTableOptions(reader);
    return withTableProperties(reader, { ...definition, ...rest }, properties);
  }
  throw reader.unexpected('PARTITIONED BY, ORDERED BY, LOCATION, COMMENT, TBLPROPERTIES, WITH or AS');
}

const FORMAT_VERSION = 'format-version';

function withTableProperties(
  reader: TokenReader,
  definition: TableDefinition,
  { [FORMAT_VERSION]: version, ...properties }: Properties,
): TableDefinition {
  const formatVersion = version === undefined ? definition.formatVersion : formatVersionOf(reader, version);
  return withProperties({ ...definition, formatVersion }, properties);
}

function withProperties(definition: TableDefinition, more: Properties): TableDefinition {
  return { ...definition, properties: { ...definition.properties, ...more } };
}
