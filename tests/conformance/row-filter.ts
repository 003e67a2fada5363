import type { IcebergType, StructType } from '@lh/core';

import { numberOf, termOf } from './filters.ts';
import type { FilterJson, FilterLeaf } from './filters.ts';

/**
 * SQL's answer to a filter for one row in the row encoding: true, false, or null for unknown. It shares nothing with
 * the library, so that both can be wrong only in different ways. NaN is the greatest number and equals itself, and
 * the two zeros are equal, as in Spark and DuckDB.
 */
export function matchesRow(schema: StructType, filter: FilterJson, row: unknown): boolean | null {
  switch (filter.op) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'not': {
      const child = matchesRow(schema, filter.child, row);
      return child === null ? null : !child;
    }
    case 'and':
    case 'or': {
      const sides = [matchesRow(schema, filter.left, row), matchesRow(schema, filter.right, row)];
      const decisive = filter.op === 'or';
      if (sides.includes(decisive)) return decisive;
      return sides.includes(null) ? null : !decisive;
    }
    default: {
      const { path, type } = termOf(schema, filter.term);
      const value = path.reduce<unknown>((at, name) => (at as Record<string, unknown> | null)?.[name] ?? null, row);
      return matchesLeaf(type, filter, value);
    }
  }
}

function matchesLeaf(type: IcebergType, filter: FilterLeaf, value: unknown): boolean | null {
  switch (filter.op) {
    case 'isNull':
      return value === null;
    case 'notNull':
      return value !== null;
    // Never unknown: so are Spark's isnan and Iceberg's own.
    case 'isNaN':
      return value === 'NaN';
    case 'notNaN':
      return value !== 'NaN';
    case 'in':
    case 'notIn': {
      const found = filter.values.some((one) => value !== null && compare(type, value, one) === 0);
      return value === null ? null : found === (filter.op === 'in');
    }
    case 'startsWith':
    case 'notStartsWith':
      return value === null
        ? null
        : (value as string).startsWith(filter.value as string) === (filter.op === 'startsWith');
    default:
      return value === null ? null : HOLDS[filter.op](compare(type, value, filter.value));
  }
}

const HOLDS = {
  eq: (order: number) => order === 0,
  neq: (order: number) => order !== 0,
  lt: (order: number) => order < 0,
  lteq: (order: number) => order <= 0,
  gt: (order: number) => order > 0,
  gteq: (order: number) => order >= 0,
};

/** The order of two values in the row encoding. */
function compare(type: IcebergType, a: unknown, b: unknown): number {
  switch (type.kind) {
    case 'boolean':
    case 'int':
      return Number(a) - Number(b);
    case 'float':
    case 'double':
      return compareNumbers(numberOf(a), numberOf(b));
    case 'long':
      return sign(BigInt(a as string), BigInt(b as string));
    case 'decimal':
      return sign(unscaled(a as string), unscaled(b as string));
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return compareTimes(a as string, b as string);
    case 'string':
      return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
    default:
      // Times have two digits each; uuids and hex digits order as their bytes do.
      return sign(a as string, b as string);
  }
}

function sign<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareNumbers(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Both have all digits of the type's scale. */
function unscaled(decimal: string): bigint {
  return BigInt(decimal.replace('.', ''));
}

/** Years may have a sign and more than four digits; all that follows has a fixed width. */
function compareTimes(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => /^([+-]?\d+)(-.*)$/s.exec(text)!);
  return Number(x![1]) - Number(y![1]) || sign(x![2]!, y![2]!);
}
