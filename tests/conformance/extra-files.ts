import type { IcebergType } from '@lh/core';

import { schemaFromJson } from '../../packages/core/src/spec/schema-json.ts';
import { numberOf, termOf } from './filters.ts';
import type { FilterJson, FilterLeaf } from './filters.ts';
import type { ExpectedFile, ExpectedTable } from './fixtures.ts';

/**
 * Why SQL's answer might need a file that Iceberg Java leaves out, told by what the manifest says of the file; null if
 * it can't. These are the points in which Java's evaluation of metrics and SQL differ; each is a predicate that the
 * file may satisfy in SQL for one of these reasons:
 *
 * - SQL has NaN above all other numbers, and bounds don't tell of NaN.
 * - SQL has the two zeros equal, Java -0.0 below 0.0.
 * - UUIDs order as unsigned bytes (spec: appendix D), in Java as pairs of signed longs.
 * - Values of a nested field are counted only where its parents aren't null, and then the field is null, too.
 */
export function extraFileReason(path: string, filter: FilterJson, expected: ExpectedTable): string | null {
  const file = expected.liveFiles.find((one) => one.path === path);
  return file ? reasonOf(filter, false, file, schemaFromJson(expected.exact.schema)) : null;
}

type Schema = ReturnType<typeof schemaFromJson>;

function reasonOf(filter: FilterJson, negated: boolean, file: ExpectedFile, schema: Schema): string | null {
  switch (filter.op) {
    case 'true':
    case 'false':
      return null;
    case 'not':
      return reasonOf(filter.child, !negated, file, schema);
    case 'and':
    case 'or': {
      const left = reasonOf(filter.left, negated, file, schema);
      return left ?? reasonOf(filter.right, negated, file, schema);
    }
    default: {
      const { type, fieldId } = termOf(schema, filter.term);
      const leaf = negated ? negation(filter) : filter;
      return leafReason(leaf, type, factsOf(file, fieldId));
    }
  }
}

const NEGATIONS = {
  isNull: 'notNull',
  notNull: 'isNull',
  isNaN: 'notNaN',
  notNaN: 'isNaN',
  eq: 'neq',
  neq: 'eq',
  lt: 'gteq',
  lteq: 'gt',
  gt: 'lteq',
  gteq: 'lt',
  startsWith: 'notStartsWith',
  notStartsWith: 'startsWith',
  in: 'notIn',
  notIn: 'in',
} as const;

function negation(filter: FilterLeaf): FilterLeaf {
  return { ...filter, op: NEGATIONS[filter.op] } as FilterLeaf;
}

/** What a manifest says of one column of a file. */
interface Facts {
  readonly records: number;
  readonly values: number | null;
  readonly nans: number | null;
  /** Hex of the single-value binary form. */
  readonly lower: string | null;
  readonly upper: string | null;
}

function factsOf(file: ExpectedFile, fieldId: number): Facts {
  return {
    records: file.recordCount,
    values: file.valueCounts?.[fieldId] ?? null,
    nans: file.nanValueCounts?.[fieldId] ?? null,
    lower: file.lowerBounds?.[fieldId] ?? null,
    upper: file.upperBounds?.[fieldId] ?? null,
  };
}

function leafReason(leaf: FilterLeaf, type: IcebergType, facts: Facts): string | null {
  if (leaf.op === 'isNull') {
    return facts.values !== null && facts.values < facts.records ? 'parents of a nested field are null' : null;
  }
  if (type.kind === 'uuid') return uuidReason(leaf, facts);
  return type.kind === 'float' || type.kind === 'double' ? numberReason(leaf, type.kind, facts) : null;
}

function numberReason(leaf: FilterLeaf, kind: 'float' | 'double', { nans, lower, upper }: Facts): string | null {
  if (nans !== 0 && matchesNaN(leaf)) return 'it may hold NaN';
  const values = literals(leaf).map(numberOf);
  const bounds = [lower, upper].map((hex) => (hex === null ? null : boundNumber(hex, kind)));
  const endsInZero = bounds.some((bound) => bound === 0);
  return endsInZero && values.some((value) => value === 0) ? 'its bounds and the filter hold zeros' : null;
}

/** Whether the predicate is TRUE for NaN, which is greater than all and equal to itself. */
function matchesNaN(leaf: FilterLeaf): boolean {
  const values = literals(leaf).map(numberOf);
  const hasNaN = values.some((value) => Number.isNaN(value));
  switch (leaf.op) {
    case 'gt':
    case 'neq':
    case 'notIn':
      return !hasNaN;
    case 'gteq':
      return true;
    case 'eq':
    case 'in':
    case 'lteq':
      return hasNaN;
    default:
      return false;
  }
}

function boundNumber(hex: string, kind: 'float' | 'double'): number {
  const bytes = Buffer.from(hex, 'hex');
  // A column that was float once has 4-byte bounds in old files.
  return kind === 'float' || bytes.length === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
}

/** Hex of the bytes orders as the bytes do. */
function uuidReason(leaf: FilterLeaf, { lower, upper }: Facts): string | null {
  if (lower === null || upper === null) return null;
  const values = literals(leaf).map((value) => String(value).replaceAll('-', ''));
  const mayMatch = values.some((value) => {
    if (leaf.op === 'eq' || leaf.op === 'in') return lower <= value && value <= upper;
    if (leaf.op === 'lt') return lower < value;
    if (leaf.op === 'lteq') return lower <= value;
    if (leaf.op === 'gt') return upper > value;
    return leaf.op === 'gteq' && upper >= value;
  });
  return mayMatch ? 'its bounds hold the UUID as unsigned bytes' : null;
}

function literals(leaf: FilterLeaf): readonly unknown[] {
  if ('values' in leaf) return leaf.values;
  return 'value' in leaf ? [leaf.value] : [];
}
