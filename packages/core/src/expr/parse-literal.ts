import { hexToBytes } from '../spec/bytes-text.ts';
import { parseDate, parseTime, parseTimestamp } from '../spec/datetime-text.ts';
import { parseDecimal } from '../spec/decimal-text.ts';
import type { Literal, TypedLiteral, TypedLiteralKind } from './expression.ts';
import type { TokenReader } from './token-reader.ts';

export function isConstantWord(word: string): boolean {
  return /^(true|false)$/i.test(word);
}

/** Takes a literal if one comes next. */
export function parseLiteral(reader: TokenReader): Literal | undefined {
  const token = reader.peek();
  switch (token.kind) {
    case 'string':
      return reader.next().text;
    case 'bytes':
      return parseBytes(reader);
    case 'number':
      return parseNumber(reader, '');
    case 'symbol':
      if (token.text !== '-' && token.text !== '+') return undefined;
      reader.next();
      if (reader.peek().kind !== 'number') throw reader.unexpected('a number after the sign');
      return parseNumber(reader, token.text === '-' ? '-' : '');
    case 'word':
      return parseWordLiteral(reader);
    default:
      return undefined;
  }
}

function parseBytes(reader: TokenReader): Uint8Array {
  const bytes = hexToBytes(reader.peek().text);
  if (!bytes) throw reader.error("Bytes are written as pairs of hexadecimal digits: X'00ff'");
  reader.next();
  return bytes;
}

function parseNumber(reader: TokenReader, sign: string): Literal {
  const text = sign + reader.next().text;
  if (/^-?\d+$/.test(text)) {
    const whole = BigInt(text);
    // Zero has a sign only in floating point.
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }
  const number = Number(text);
  return sameDecimal(text, number) ? number : { type: 'decimal', text };
}

/** Enough digits for any double that is written out in full. */
const COMPARED_SCALE = 400;

function sameDecimal(text: string, number: number): boolean {
  return Number.isFinite(number) && parseDecimal(text, COMPARED_SCALE) === parseDecimal(String(number), COMPARED_SCALE);
}

interface TypedText {
  /** Words after the first, as in TIMESTAMP WITH TIME ZONE. */
  readonly read: (text: string) => Literal | undefined;
  readonly example: string;
}

function typed(type: TypedLiteralKind, isValid: (text: string) => boolean): (text: string) => TypedLiteral | undefined {
  return (text) => (isValid(text) ? { type, text } : undefined);
}

const TYPED_TEXTS: Readonly<Record<string, TypedText>> = {
  DATE: { read: typed('date', (text) => parseDate(text) !== undefined), example: '2024-01-31' },
  TIME: { read: typed('time', (text) => parseTime(text, 9) !== undefined), example: '12:30:00' },
  TIMESTAMP: { read: typed('timestamp', isTimestamp), example: '2024-01-31 12:30:00' },
  TIMESTAMPTZ: { read: typed('timestamptz', isTimestamp), example: '2024-01-31 12:30:00Z' },
  DOUBLE: { read: parseDouble, example: 'NaN' },
};

function isTimestamp(text: string): boolean {
  return parseTimestamp(text, 9) !== undefined;
}

function parseDouble(text: string): number | undefined {
  return /^(nan|[+-]?inf(inity)?)$/i.test(text)
    ? Number(text.replace(/^([+-]?)inf.*$/i, '$1Infinity').replace(/nan/i, 'NaN'))
    : undefined;
}

function parseWordLiteral(reader: TokenReader): Literal | undefined {
  const word = reader.peek().text.toUpperCase();
  if (isConstantWord(word)) {
    reader.next();
    return word === 'TRUE';
  }
  const typedText = Object.hasOwn(TYPED_TEXTS, word) ? TYPED_TEXTS[word] : undefined;
  // Without text after it, the word is a column's name.
  if (!typedText || reader.peek(1).kind !== 'string') return undefined;
  const literal = typedText.read(reader.peek(1).text.trim());
  reader.next();
  if (literal === undefined) throw reader.error(`${word} needs text like '${typedText.example}'`);
  reader.next();
  return literal;
}
