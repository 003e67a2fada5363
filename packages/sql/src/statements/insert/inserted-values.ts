import type { NestedField } from '@lh/core';
import type { Edit } from '../../text/edits.ts';
import { isKeyword } from '../../text/tokens.ts';
import type { Token } from '../../text/tokens.ts';
import { duckdbType } from '../../types/duckdb-types.ts';
import type { InsertedValue } from './insert-syntax.ts';

/**
 * What becomes of VALUES: DEFAULT is that of its column, and values are cast one by one, as DuckDB's INSERT does it; a
 * query would first bring those of one column to one type, which may not hold them all.
 */
export function valueEdits(
  tokens: readonly Token[],
  values: readonly InsertedValue[],
  fields: readonly NestedField[],
  defaultOf: (field: NestedField, token: number) => string,
): readonly Edit[] {
  const mixed = mixedColumns(tokens, values);
  return values.flatMap((value): readonly Edit[] => {
    const { first, next, column } = value;
    const field = fields[column];
    // There are more values than columns, which is found out later.
    if (!field) return [];
    const [start, end] = [tokens[first]!.start, tokens[next - 1]!.end];
    if (isDefault(tokens, value)) return [{ start, end, text: defaultOf(field, first) }];
    if (!mixed.has(column)) return [];
    return [
      { start, end: start, text: 'CAST(' },
      { start: end, end, text: ` AS ${duckdbType(field.type)})` },
    ];
  });
}

function isDefault(tokens: readonly Token[], { first, next }: InsertedValue): boolean {
  return next === first + 1 && isKeyword(tokens[first], 'default');
}

/** Columns with values in several rows that are not all texts or all whole numbers: those are cast well together. */
function mixedColumns(tokens: readonly Token[], values: readonly InsertedValue[]): ReadonlySet<number> {
  const kinds = new Map<number, string>();
  const mixed = new Set<number>();
  for (const value of values) {
    const kind = kindOf(tokens, value);
    if (kind === null) continue;
    const known = kinds.get(value.column);
    if (known !== undefined && (known !== kind || kind === 'other')) mixed.add(value.column);
    kinds.set(value.column, kind);
  }
  return mixed;
}

/** Null for those without a type of their own: NULL and DEFAULT. */
function kindOf(tokens: readonly Token[], { first, next }: InsertedValue): 'text' | 'integer' | 'other' | null {
  const token = tokens[next - 1]!;
  const isOne = next === first + 1;
  if (isOne && isKeyword(token, 'null', 'default')) return null;
  if (isOne && token.kind === 'string') return 'text';
  const isNegative = next === first + 2 && tokens[first]!.value === '-';
  return (isOne || isNegative) && token.kind === 'number' && /^\d+$/.test(token.value) ? 'integer' : 'other';
}
