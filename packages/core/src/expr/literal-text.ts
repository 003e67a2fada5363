import { bytesToHex } from '../spec/bytes-text.ts';
import type { Literal, TypedLiteral } from './expression.ts';

/** A literal as the text form of filters has it: `'it''s'`, `X'00ff'`, `DATE '2024-01-01'`. */
export function literalToText(literal: Literal): string {
  switch (typeof literal) {
    case 'string':
      return quoteText(literal);
    case 'number':
      return numberToText(literal);
    case 'bigint':
      return String(literal);
    case 'boolean':
      return literal ? 'TRUE' : 'FALSE';
    default:
      return objectToText(literal);
  }
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function numberToText(value: number): string {
  // These have no digits of their own in SQL.
  if (!Number.isFinite(value)) return `DOUBLE '${value}'`;
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function objectToText(literal: Date | Uint8Array | TypedLiteral): string {
  if (literal instanceof Uint8Array) return `X'${bytesToHex(literal)}'`;
  if (literal instanceof Date) {
    return Number.isNaN(literal.getTime()) ? 'an invalid Date' : `TIMESTAMPTZ '${literal.toISOString()}'`;
  }
  if (typeof literal?.text !== 'string') return `the value ${String(literal)}`;
  return literal.type === 'decimal' ? literal.text : `${literal.type.toUpperCase()} ${quoteText(literal.text)}`;
}
