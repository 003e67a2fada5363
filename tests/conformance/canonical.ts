import type { IcebergType, StructType } from '@lh/core';

/**
 * The canonical text of rows, one JSON object a line, that expectations are compared in. Exact for every type and
 * the same for every reader: longs and decimals are strings, NaN and infinities are strings, bytes are hex.
 */
export function canonicalRow(schema: StructType, row: Readonly<Record<string, unknown>>): string {
  return structText(schema, row);
}

/** All rows as sorted lines. */
export function canonicalRows(schema: StructType, rows: Iterable<unknown>): string[] {
  const lines = Array.from(rows, (row) => canonicalRow(schema, row as Readonly<Record<string, unknown>>));
  return lines.sort();
}

function structText(type: StructType, value: unknown): string {
  const object = value as Readonly<Record<string, unknown>>;
  return `{${type.fields.map((field) => `${quote(field.name)}:${text(field.type, object[field.name])}`).join(',')}}`;
}

function text(type: IcebergType, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  switch (type.kind) {
    case 'boolean':
    case 'int':
      return String(value);
    case 'long':
    case 'decimal':
      return quote(String(value));
    case 'float':
    case 'double':
      return numberText(value as number);
    case 'fixed':
    case 'binary':
    case 'geometry':
    case 'geography':
      return quote(Buffer.from(value as Uint8Array).toString('hex'));
    case 'struct':
      return structText(type, value);
    case 'list':
      return `[${(value as unknown[]).map((element) => text(type.element, element)).join(',')}]`;
    case 'map': {
      const entries = Array.from(value as Iterable<[unknown, unknown]>, ([key, item]) => {
        const keyText = text(type.key, key);
        return { keyText, line: `[${keyText},${text(type.value, item)}]` };
      });
      entries.sort((a, b) => (a.keyText < b.keyText ? -1 : a.keyText > b.keyText ? 1 : 0));
      return `[${entries.map((entry) => entry.line).join(',')}]`;
    }
    case 'variant':
      return variantText(value);
    default:
      return quote(String(value));
  }
}

export function numberText(value: number): string {
  if (Number.isNaN(value)) return '"NaN"';
  if (value === Infinity) return '"Infinity"';
  if (value === -Infinity) return '"-Infinity"';
  return Object.is(value, -0) ? '"-0.0"' : String(value);
}

function variantText(value: unknown): string {
  throw new Error(`variants are not compared yet: ${String(value)}`);
}

function quote(value: string): string {
  return JSON.stringify(value);
}
