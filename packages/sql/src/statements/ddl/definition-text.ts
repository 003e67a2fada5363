import type { IcebergType, NestedField, Transform, TypeKind, Value } from '@lh/core';
import { formatDecimal, unsupported } from '@lh/core/engine';
import { quoteName, quoteString } from '../../text/quote.ts';
import { valueLiteral } from '../../types/value-literal.ts';

/** Parts of CREATE TABLE as text, which the statement's own reader reads as they were. */

/** Words that mean something where the name of a column may stand. */
const WORDS: ReadonlySet<string> = new Set(['like', 'primary', 'iceberg', 'as', 'if']);

export function nameText(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !WORDS.has(name) ? name : quoteName(name);
}

/** A column's full name; names that hold dots are the same in one pair of quotes. */
export function columnText(path: string): string {
  return path.split('.').every((part) => nameText(part) === part) ? path : quoteName(path);
}

export function stringText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function columnDefinition(field: NestedField): string {
  return `${nameText(field.name)} ${typeDefinition(field.type)}${constraints(field)}`;
}

function constraints({ required, type, writeDefault, doc }: NestedField): string {
  const hasDefault = (writeDefault ?? null) !== null;
  return [
    required ? ' NOT NULL' : '',
    hasDefault ? ` DEFAULT ${defaultText(type, writeDefault!)}` : '',
    doc === undefined ? '' : ` COMMENT ${stringText(doc)}`,
  ].join('');
}

type TypeWriters = { readonly [K in TypeKind]: (type: OfKind<K>) => string };
type OfKind<K extends TypeKind> =
  Extract<IcebergType, { readonly kind: K }> extends never ? IcebergType : Extract<IcebergType, { readonly kind: K }>;

const plain = ({ kind }: IcebergType): string => kind;

const TYPES: TypeWriters = {
  boolean: plain,
  int: plain,
  long: () => 'bigint',
  float: plain,
  double: plain,
  date: plain,
  time: plain,
  timestamp: plain,
  timestamptz: plain,
  timestamp_ns: plain,
  timestamptz_ns: plain,
  string: plain,
  uuid: plain,
  binary: plain,
  variant: plain,
  unknown: plain,
  decimal: ({ precision, scale }) => `decimal(${precision}, ${scale})`,
  fixed: ({ length }) => `fixed(${length})`,
  geometry: ({ crs }) => (crs === null ? 'geometry' : `geometry(${stringText(crs)})`),
  geography: ({ crs, algorithm }) =>
    algorithm === null && crs === null
      ? 'geography'
      : `geography(${stringText(crs ?? 'OGC:CRS84')}${algorithm === null ? '' : `, ${stringText(algorithm)}`})`,
  struct: ({ fields }) =>
    `struct<${fields.map((field) => `${nameText(field.name)}: ${typeDefinition(field.type)}${constraints(field)}`).join(', ')}>`,
  list: ({ element, elementRequired }) => `list<${typeDefinition(element)}${elementRequired ? ' NOT NULL' : ''}>`,
  map: ({ key, value, valueRequired }) =>
    `map<${typeDefinition(key)}, ${typeDefinition(value)}${valueRequired ? ' NOT NULL' : ''}>`,
};

export function typeDefinition(type: IcebergType): string {
  return (TYPES[type.kind] as (type: IcebergType) => string)(type);
}

/** Without a cast where what it is cast to is exact. */
function defaultText(type: IcebergType, value: NonNullable<Value>): string {
  switch (type.kind) {
    case 'struct':
      return '{}';
    case 'int':
    case 'long':
      return String(value);
    case 'string':
      return quoteString(value as string);
    case 'decimal':
      return `'${formatDecimal(value as bigint, type.scale)}'`;
    default:
      return valueLiteral(type, value);
  }
}

/** As Spark has it: `days(ts)`, `bucket(16, id)`. */
export function transformText(column: string, transform: Transform): string {
  const name = columnText(column);
  switch (transform.kind) {
    case 'identity':
      return name;
    case 'bucket':
      return `bucket(${transform.buckets}, ${name})`;
    case 'truncate':
      return `truncate(${transform.width}, ${name})`;
    case 'void':
      return `void(${name})`;
    case 'unknown':
      throw unsupported(`The transform '${transform.text}' of '${column}' has no name in SQL.`);
    default:
      return `${transform.kind}s(${name})`;
  }
}
