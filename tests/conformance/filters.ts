import { expr, type Expression, type IcebergType, type Schema } from '@lh/core';

/** The JSON form of filters in the expectations. */
export type FilterJson =
  | { readonly op: 'true' | 'false' }
  | { readonly op: 'and' | 'or'; readonly left: FilterJson; readonly right: FilterJson }
  | { readonly op: 'not'; readonly child: FilterJson }
  | { readonly op: 'isNull' | 'notNull' | 'isNaN' | 'notNaN'; readonly term: string }
  | {
      readonly op: 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'startsWith' | 'notStartsWith';
      readonly term: string;
      readonly value: unknown;
    }
  | { readonly op: 'in' | 'notIn'; readonly term: string; readonly values: readonly unknown[] };

export function filterFromJson(schema: Schema, filter: FilterJson): Expression {
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
    case 'notIn':
      return expr[filter.op](
        filter.term,
        filter.values.map((value) => literal(leafType(schema, filter.term), value)),
      );
    default:
      return expr[filter.op](filter.term, literal(leafType(schema, filter.term), filter.value));
  }
}

function leafType(schema: Schema, name: string): IcebergType {
  let type: IcebergType = schema;
  for (const part of name in fieldsOf(schema) ? [name] : name.split('.')) type = fieldsOf(type)[part]!;
  return type;
}

function fieldsOf(type: IcebergType): Record<string, IcebergType> {
  if (type.kind !== 'struct') throw new Error(`${type.kind} has no fields`);
  return Object.fromEntries(type.fields.map((field) => [field.name, field.type]));
}

/** Values in the filters are in the row encoding, typed by the column. */
function literal(type: IcebergType, value: unknown): boolean | number | bigint | string | Uint8Array {
  switch (type.kind) {
    case 'long':
      return BigInt(value as string | number);
    case 'float':
    case 'double':
      return value === '-0.0' ? -0 : Number(value);
    case 'fixed':
    case 'binary':
      return new Uint8Array(Buffer.from(value as string, 'hex'));
    default:
      return value as boolean | number | string;
  }
}
