import { isLakehouseError, t } from '@lh/core';
import type { ColumnType, IcebergType } from '@lh/core';
import { stringValue } from '../../text/string-value.ts';
import type { TokenReader } from '../token-reader.ts';

/** A type as a statement spells it; the defaults inside are still SQL text. */
export type TypeDefinition =
  | { readonly kind: 'leaf'; readonly type: IcebergType }
  | { readonly kind: 'struct'; readonly fields: readonly ColumnDefinition[] }
  | { readonly kind: 'list'; readonly element: TypeDefinition; readonly elementRequired: boolean }
  | {
      readonly kind: 'map';
      readonly key: TypeDefinition;
      readonly value: TypeDefinition;
      readonly valueRequired: boolean;
    };

/** A column of a table, or a field of a struct. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: TypeDefinition;
  readonly required: boolean;
  readonly doc: string | null;
  readonly default: DefaultDefinition | null;
}

/** A constant expression, and the token that it starts at. */
export interface DefaultDefinition {
  readonly sql: string;
  readonly at: number;
}

/** DuckDB's, Spark's, Trino's and Iceberg's names of types without parameters. Narrower integers go into an int. */
const LEAVES: ReadonlyMap<string, () => ColumnType> = new Map(
  (
    [
      ['boolean bool logical', t.boolean],
      ['int integer int4 signed smallint int2 short tinyint int1 byte', t.int],
      ['bigint long int8', t.long],
      ['float real float4', t.float],
      ['double float8', t.double],
      ['date', t.date],
      ['time', t.time],
      ['timestamp datetime timestamp_ntz', t.timestamp],
      ['timestamptz timestamp_ltz', t.timestamptz],
      ['timestamp_ns', t.timestamp_ns],
      ['timestamptz_ns', t.timestamptz_ns],
      ['string varchar text char bpchar character', t.string],
      ['uuid guid', t.uuid],
      ['binary blob bytea varbinary', t.binary],
      ['variant', t.variant],
      ['unknown void', t.unknown],
    ] as const
  ).flatMap(([names, make]) => names.split(' ').map((name) => [name, make] as const)),
);

/** `name type [NOT NULL | NULL] [DEFAULT constant] [COMMENT 'text']`; in a struct maybe with a colon behind the name. */
export function readColumn(reader: TokenReader): ColumnDefinition {
  const name = reader.word('the name of a column');
  return readColumnOf(reader, name);
}

/** What follows a column's name. */
export function readColumnOf(reader: TokenReader, name: string): ColumnDefinition {
  reader.takeSymbol(':');
  const type = readType(reader);
  let column: ColumnDefinition = { name, type, required: false, doc: null, default: null };
  for (;;) {
    if (reader.take('not', 'null')) column = { ...column, required: true };
    else if (reader.take('null')) column = { ...column, required: false };
    else if (reader.take('comment')) column = { ...column, doc: reader.string('a comment') };
    else if (reader.take('default')) column = { ...column, default: readDefault(reader) };
    else return column;
  }
}

/** Words that may follow a default. */
const AFTER_DEFAULT: readonly string[] = ['not', 'null', 'comment', 'default', 'primary', 'first', 'after'];

export function readDefault(reader: TokenReader): DefaultDefinition {
  const at = reader.index;
  if (reader.isDone) throw reader.unexpected('a constant');
  do reader.skip();
  while (!reader.isDone && !isEndOfDefault(reader));
  return { sql: reader.textFrom(at), at };
}

function isEndOfDefault(reader: TokenReader): boolean {
  return [',', '>', ')'].some((symbol) => reader.isAtSymbol(symbol)) || AFTER_DEFAULT.some((word) => reader.isAt(word));
}

/** A type in DuckDB's, Spark's, Trino's or Iceberg's spelling: `bigint`, `decimal(9, 2)`, `struct<a: int>[]`. */
export function readType(reader: TokenReader): TypeDefinition {
  let type = readSimpleType(reader);
  while (reader.isAtSymbol('[')) {
    reader.expectSymbol('[');
    if (!reader.takeSymbol(']')) throw reader.unexpected("']' (arrays of a fixed length are no Iceberg type)");
    type = { kind: 'list', element: type, elementRequired: false };
  }
  return type;
}

function readSimpleType(reader: TokenReader): TypeDefinition {
  const at = reader.index;
  const name = reader.word('a type').toLowerCase();
  switch (name) {
    case 'struct':
    case 'row':
      return { kind: 'struct', fields: inTypeBrackets(reader, () => readFields(reader)) };
    case 'list':
    case 'array':
      return inTypeBrackets(reader, () => {
        const { type: element, required: elementRequired } = readElement(reader);
        return { kind: 'list', element, elementRequired };
      });
    case 'map':
      return inTypeBrackets(reader, () => {
        const { type: key } = readElement(reader);
        reader.expectSymbol(',');
        const { type: value, required: valueRequired } = readElement(reader);
        return { kind: 'map', key, value, valueRequired };
      });
    default:
      return { kind: 'leaf', type: readLeaf(reader, name, at).type };
  }
}

function readFields(reader: TokenReader): readonly ColumnDefinition[] {
  return reader.isAtSymbol('>') || reader.isAtSymbol(')') ? [] : reader.list(() => readColumn(reader));
}

function readElement(reader: TokenReader): { readonly type: TypeDefinition; readonly required: boolean } {
  return { type: readType(reader), required: reader.take('not', 'null') };
}

/** What is inside of a nested type: `<…>` or `(…)`. */
function inTypeBrackets<T>(reader: TokenReader, read: () => T): T {
  const close = reader.takeSymbol('<') ? '>' : ')';
  if (close === ')') reader.expectSymbol('(');
  const inner = read();
  reader.expectSymbol(close);
  return inner;
}

function readLeaf(reader: TokenReader, name: string, at: number): ColumnType {
  switch (name) {
    case 'decimal':
    case 'numeric':
    case 'dec': {
      const numbers = readNumbers(reader, name);
      // DuckDB's default; Spark's is (10, 0).
      const [precision = 18, scale = numbers.length > 0 ? 0 : 3] = numbers;
      return checked(reader, at, () => t.decimal(precision, scale));
    }
    case 'fixed': {
      const [length] = readNumbers(reader, name);
      if (length === undefined) throw reader.unexpected("the number of bytes, as in 'fixed(16)'");
      return checked(reader, at, () => t.fixed(length));
    }
    case 'geometry':
    case 'geography': {
      const [crs, algorithm] = readTexts(reader);
      return checked(reader, at, () => (name === 'geometry' ? t.geometry(crs) : t.geography(crs, algorithm)));
    }
    case 'time':
    case 'timestamp':
      return readTime(reader, name, at);
    case 'double':
      reader.take('precision');
      return t.double();
    case 'varchar':
    case 'char':
    case 'character':
      if (name === 'character') reader.take('varying');
      // Iceberg's strings have no length.
      readNumbers(reader, name);
      return t.string();
    default: {
      const make = LEAVES.get(name);
      if (make) return make();
      throw reader.error(`'${name}' is no type that Iceberg tables have.`, at);
    }
  }
}

/** `TIMESTAMP [(digits)] [WITH | WITHOUT TIME ZONE]`: microseconds, or nanoseconds for more than six digits. */
function readTime(reader: TokenReader, name: 'time' | 'timestamp', at: number): ColumnType {
  const [digits = 6] = readNumbers(reader, name);
  const isZoned = reader.take('with', 'time', 'zone');
  if (!isZoned) reader.take('without', 'time', 'zone');
  if (digits > 9 || (name === 'time' && (isZoned || digits > 6))) {
    throw reader.error('Iceberg has times of microseconds without a zone, and timestamps of up to 9 digits.', at);
  }
  if (name === 'time') return t.time();
  if (digits > 6) return isZoned ? t.timestamptz_ns() : t.timestamp_ns();
  return isZoned ? t.timestamptz() : t.timestamp();
}

/** `(10, 2)`, or `[16]`; nothing if there are no brackets. */
function readNumbers(reader: TokenReader, what: string): readonly number[] {
  const close = reader.isAtSymbol('(') ? ')' : what === 'fixed' && reader.isAtSymbol('[') ? ']' : null;
  if (close === null) return [];
  reader.expectSymbol(close === ')' ? '(' : '[');
  const numbers = reader.list(() => Number(reader.integer('a whole number')));
  reader.expectSymbol(close);
  return numbers;
}

/** `(OGC:CRS84, karney)`, or the same in quotes. */
function readTexts(reader: TokenReader): readonly string[] {
  if (!reader.isAtSymbol('(')) return [];
  const inner = reader.brackets('the parameters of the type');
  return inner.list(() => {
    const first = inner.index;
    while (!inner.isDone && !inner.isAtSymbol(',')) inner.skip();
    const text = inner.textFrom(first);
    return (text.startsWith("'") ? stringValue(text) : text) ?? text;
  });
}

/** Core knows what parameters a type may have; the place is known here. */
function checked(reader: TokenReader, at: number, make: () => ColumnType): ColumnType {
  try {
    return make();
  } catch (error) {
    throw isLakehouseError(error) ? reader.error(error.message, at) : error;
  }
}
