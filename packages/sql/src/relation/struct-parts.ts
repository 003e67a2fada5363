import type { IcebergType, NestedField, StructType } from '@lh/core';
import type { FieldPath } from '../plan/column-parts.ts';
import { quoteName, quoteString } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';

/** A field with the parts of its struct that are at the paths, by DuckDB's names of them. */
export function keepParts(field: NestedField, paths: readonly FieldPath[]): NestedField {
  const { type } = field;
  if (type.kind !== 'struct' || paths.some((path) => path.length === 0)) return field;
  const names = duckdbNames(type).map((name) => name.toLowerCase());
  const fields = type.fields.flatMap((child, i) => {
    const below = paths.filter(([first]) => first!.toLowerCase() === names[i]).map((path) => path.slice(1));
    return below.length === 0 ? [] : [keepParts(child, below)];
  });
  return { ...field, type: { ...type, fields } };
}

/** SQL of a value of the full type, made of one that has some parts only; the others are null. */
export function withAbsentParts(access: string, full: IcebergType, kept: IcebergType): string {
  if (full.kind !== 'struct' || kept.kind !== 'struct' || isWhole(full, kept)) return access;
  const names = duckdbNames(full);
  const keptNames = duckdbNames(kept);
  const parts = full.fields.map(({ id, type }, i) => {
    const at = kept.fields.findIndex((field) => field.id === id);
    const part =
      at < 0
        ? valueLiteral(type, null)
        : withAbsentParts(`struct_extract(${access}, ${quoteString(keptNames[at]!)})`, type, kept.fields[at]!.type);
    return `${quoteName(names[i]!)} := ${part}`;
  });
  return `CASE WHEN ${access} IS NULL THEN NULL ELSE struct_pack(${parts.join(', ')}) END`;
}

function isWhole(full: StructType, kept: StructType): boolean {
  return (
    full.fields.length === kept.fields.length &&
    full.fields.every(({ type }, i) => {
      const other = kept.fields[i]!.type;
      return type.kind !== 'struct' || (other.kind === 'struct' && isWhole(type, other));
    })
  );
}
