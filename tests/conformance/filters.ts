import { expr } from '@lh/core';
import type { Expression, IcebergType, StructType } from '@lh/core';

/** The JSON form of filters in the expectations. Values are in the row encoding. */
export type FilterJson =
  | { readonly op: 'true' | 'false' }
  | { readonly op: 'and' | 'or'; readonly left: FilterJson; readonly right: FilterJson }
  | { readonly op: 'not'; readonly child: FilterJson }
  | NullTest
  | Comparison
  | Membership;

export interface NullTest {
  readonly op: 'isNull' | 'notNull' | 'isNaN' | 'notNaN';
  readonly term: string;
}

export interface Comparison {
  readonly op: 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'startsWith' | 'notStartsWith';
  readonly term: string;
  readonly value: unknown;
}

export interface Membership {
  readonly op: 'in' | 'notIn';
  readonly term: string;
  readonly values: readonly unknown[];
}

export type FilterLeaf = NullTest | Comparison | Membership;

/** The filter as the library takes it. */
export function filterFromJson(schema: StructType, filter: FilterJson): Expression {
  switch (filter.op) {
    case 'true':
    case 'false':
      return { op: filter.op };
    case 'and':
    case 'or':
      return expr[filter.op](filterFromJson(schema, filter.left), filterFromJson(schema, filter.right));
    case 'not':
      return expr.not(filterFromJson(schema, filter.child));
    case 'isNull':
    case 'notNull':
    case 'isNaN':
    case 'notNaN':
      return expr[filter.op](filter.term);
    case 'in':
    case 'notIn': {
      const { type } = termOf(schema, filter.term);
      return expr[filter.op](
        filter.term,
        filter.values.map((value) => literal(type, value)),
      );
    }
    case 'startsWith':
    case 'notStartsWith':
      return expr[filter.op](filter.term, filter.value as string);
    default:
      return expr[filter.op](filter.term, literal(termOf(schema, filter.term).type, filter.value));
  }
}

export interface FilterTerm {
  /** Names from the column down; a name may hold a dot. */
  readonly path: readonly string[];
  readonly type: IcebergType;
  readonly fieldId: number;
}

export function termOf(schema: StructType, name: string): FilterTerm {
  for (const field of schema.fields) {
    if (name === field.name) return { path: [name], type: field.type, fieldId: field.id };
    if (!name.startsWith(`${field.name}.`) || field.type.kind !== 'struct') continue;
    const rest = termOf(field.type, name.slice(field.name.length + 1));
    return { ...rest, path: [field.name, ...rest.path] };
  }
  throw new Error(`There is no column ${name}`);
}

/** The columns that a filter is about. */
export function termsOf(filter: FilterJson): readonly string[] {
  if ('term' in filter) return [filter.term];
  if ('child' in filter) return termsOf(filter.child);
  return 'left' in filter ? [...termsOf(filter.left), ...termsOf(filter.right)] : [];
}

function literal(type: IcebergType, value: unknown): boolean | number | bigint | string | Uint8Array {
  switch (type.kind) {
    case 'long':
      return BigInt(value as string | number);
    case 'float':
    case 'double':
      return numberOf(value);
    case 'fixed':
    case 'binary':
      return new Uint8Array(Buffer.from(value as string, 'hex'));
    default:
      return value as boolean | number | string;
  }
}

/** A floating-point number in the row encoding. */
export function numberOf(value: unknown): number {
  return value === '-0.0' ? -0 : Number(value);
}

/** The filter as DuckDB's SQL. */
export function filterToSql(schema: StructType, filter: FilterJson): string {
  switch (filter.op) {
    case 'true':
    case 'false':
      return filter.op;
    case 'and':
    case 'or':
      return `(${filterToSql(schema, filter.left)} ${filter.op} ${filterToSql(schema, filter.right)})`;
    case 'not':
      return `(NOT ${filterToSql(schema, filter.child)})`;
    default: {
      const { path, type } = termOf(schema, filter.term);
      return `(${leafToSql(path.map(quoteName).join('.'), type, filter)})`;
    }
  }
}

const COMPARISONS = { eq: '=', neq: '<>', lt: '<', lteq: '<=', gt: '>', gteq: '>=' } as const;

function leafToSql(column: string, type: IcebergType, filter: FilterLeaf): string {
  switch (filter.op) {
    case 'isNull':
      return `${column} IS NULL`;
    case 'notNull':
      return `${column} IS NOT NULL`;
    // Spark's isnan(NULL) is false, DuckDB's is NULL.
    case 'isNaN':
      return `${column} IS NOT NULL AND isnan(${column})`;
    case 'notNaN':
      return `${column} IS NULL OR NOT isnan(${column})`;
    case 'in':
    case 'notIn': {
      const values = filter.values.map((value) => sqlLiteral(type, value)).join(', ');
      return `${column} ${filter.op === 'in' ? 'IN' : 'NOT IN'} (${values})`;
    }
    case 'startsWith':
      return `starts_with(${column}, ${sqlLiteral(type, filter.value)})`;
    case 'notStartsWith':
      return `NOT starts_with(${column}, ${sqlLiteral(type, filter.value)})`;
    default:
      return `${column} ${COMPARISONS[filter.op]} ${sqlLiteral(type, filter.value)}`;
  }
}

function sqlLiteral(type: IcebergType, value: unknown): string {
  const text = `'${String(value).replaceAll("'", "''")}'`;
  switch (type.kind) {
    case 'boolean':
      return String(value);
    case 'int':
      return `${text}::INTEGER`;
    case 'long':
      return `${text}::BIGINT`;
    case 'float':
      return `${text}::FLOAT`;
    case 'double':
      return `${text}::DOUBLE`;
    case 'decimal':
      return `${text}::DECIMAL(${type.precision}, ${type.scale})`;
    case 'fixed':
    case 'binary':
      return `unhex(${text})`;
    case 'timestamptz':
      return `${text}::TIMESTAMPTZ`;
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return `${text.replace("Z'", "'")}::TIMESTAMP_NS`;
    case 'date':
    case 'time':
    case 'timestamp':
    case 'uuid':
      return `${text}::${type.kind.toUpperCase()}`;
    default:
      return text;
  }
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
