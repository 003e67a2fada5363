import { invalidData } from '../errors.ts';

/** JSON as this library holds it: integers outside ±(2^53 - 1) are bigint, so that 64-bit ids stay exact. */
export type JsonValue = null | boolean | number | bigint | string | JsonNumber | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A number that a double can't hold, kept as it was written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Nesting beyond this is refused: no document of Iceberg's needs it, and no recursion may run out of stack. */
export const MAX_JSON_DEPTH = 500;

/**
 * Reads JSON with exact numbers. Of equal keys in one object the last counts. INVALID_DATA, with the position, for
 * anything else than one JSON value.
 */
export function parseJson(text: string): JsonValue {
  const scanner = new Scanner(text);
  const value = scanner.value(0);
  scanner.end();
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = -MAX_SAFE;

/** Slots of the table of keys seen; a power of two. */
const KEY_SLOTS = 512;

class Scanner {
  readonly #text: string;
  #at = 0;
  /** Keys repeat in every object of a list. Handing out one string for each saves the engine from interning it anew. */
  readonly #keys: string[] = Array.from({ length: KEY_SLOTS }, () => '');

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    switch (this.#skipSpace()) {
      case 0x7b: // {
        return this.#object(depth);
      case 0x5b: // [
        return this.#array(depth);
      case QUOTE:
        return this.#string();
      case 0x74: // t
        return this.#literal('true', true);
      case 0x66: // f
        return this.#literal('false', false);
      case 0x6e: // n
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    if (!Number.isNaN(this.#skipSpace())) throw this.#unexpected();
  }

  /** The code of the next character that isn't white space; NaN at the end. */
  #skipSpace(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (code === SPACE || code === 0x0a || code === 0x0d || code === 0x09) code = this.#text.charCodeAt(++this.#at);
    return code;
  }

  #object(depth: number): JsonObject {
    this.#checkDepth(depth);
    const object: Record<string, JsonValue> = {};
    this.#at++;
    if (this.#skipSpace() === 0x7d) {
      this.#at++;
      return object;
    }
    for (;;) {
      if (this.#skipSpace() !== QUOTE) throw this.#unexpected();
      const key = this.#key();
      if (this.#skipSpace() !== 0x3a) throw this.#unexpected();
      this.#at++;
      setOwn(object, key, this.value(depth + 1));
      const next = this.#skipSpace();
      if (next !== 0x2c && next !== 0x7d) throw this.#unexpected();
      this.#at++;
      if (next === 0x7d) return object;
    }
  }

  #array(depth: number): readonly JsonValue[] {
    this.#checkDepth(depth);
    const array: JsonValue[] = [];
    this.#at++;
    if (this.#skipSpace() === 0x5d) {
      this.#at++;
      return array;
    }
    for (;;) {
      array.push(this.value(depth + 1));
      const next = this.#skipSpace();
      if (next !== 0x2c && next !== 0x5d) throw this.#unexpected();
      this.#at++;
      if (next === 0x5d) return array;
    }
  }

  #key(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let hash = 0;
    for (let at = start; ; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        const slot = hash & (KEY_SLOTS - 1);
        const known = this.#keys[slot]!;
        this.#at = at + 1;
        if (known.length === at - start && text.startsWith(known, start)) return known;
        return (this.#keys[slot] = text.slice(start, at));
      }
      if (code === BACKSLASH || !(code >= SPACE)) return this.#string();
      hash = (Math.imul(hash, 31) + code) | 0;
    }
  }

  #string(): string {
    const text = this.#text;
    const start = ++this.#at;
    for (let at = start; ; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) return this.#escapedString(start, at);
      if (!(code >= SPACE)) {
        this.#at = at;
        throw this.#unexpected();
      }
    }
  }

  /** The rest of a string from its first backslash on. */
  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text;
    let value = text.slice(start, firstEscape);
    let at = firstEscape;
    let plainFrom = at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return value + text.slice(plainFrom, at);
      }
      if (!(code >= SPACE)) {
        this.#at = at;
        throw this.#unexpected();
      }
      if (code !== BACKSLASH) {
        at++;
        continue;
      }
      value += text.slice(plainFrom, at);
      const hex = /^u[0-9a-fA-F]{4}/.test(text.slice(at + 1, at + 6)) ? text.slice(at + 2, at + 6) : null;
      const character = hex === null ? ESCAPES[text.charAt(at + 1)] : String.fromCharCode(Number.parseInt(hex, 16));
      if (character === undefined) {
        this.#at = at + 1;
        throw this.#unexpected();
      }
      value += character;
      at += hex === null ? 2 : 6;
      plainFrom = at;
    }
  }

  #number(): JsonValue {
    return this.#positiveInteger() ?? this.#anyNumber();
  }

  /** A whole number without sign and leading zero, as nearly all are; undefined for others. */
  #positiveInteger(): number | bigint | undefined {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let value = 0;
    let code = text.charCodeAt(at);
    if (code === 0x30) return undefined;
    for (; code >= 0x30 && code <= 0x39; code = text.charCodeAt(++at)) value = value * 10 + (code - 0x30);
    const isFraction = code === 0x2e || code === 0x65 || code === 0x45;
    if (at === start || isFraction) return undefined;
    this.#at = at;
    return at - start <= 15 ? value : safeNumber(BigInt(text.slice(start, at)));
  }

  #anyNumber(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) throw this.#unexpected();
    this.#at = NUMBER.lastIndex;
    return exactNumber(match[0]);
  }

  #literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #checkDepth(depth: number): void {
    if (depth >= MAX_JSON_DEPTH) {
      throw invalidData(`The JSON is nested more than ${MAX_JSON_DEPTH} levels deep at character ${this.#at}.`);
    }
  }

  #unexpected(): Error {
    const found = this.#at < this.#text.length ? `'${this.#text.charAt(this.#at)}'` : 'the end of the text';
    return invalidData(`The text is not valid JSON: unexpected ${found} at character ${this.#at}.`);
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The number that the text spells: as a number if a double holds it, else as bigint or as its text. */
function exactNumber(text: string): number | bigint | JsonNumber {
  const value = Number(text);
  // Up to 15 significant digits survive the way through a double (IEEE 754), as long as it is in range.
  if (text.length <= 15 && !/[eE]/.test(text)) return value;
  if (/^-?\d+$/.test(text)) return safeNumber(BigInt(text));
  return Number.isFinite(value) && sameDecimal(text, String(value)) ? value : new JsonNumber(text);
}

function safeNumber(value: bigint): number | bigint {
  return value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value;
}

function sameDecimal(a: string, b: string): boolean {
  return canonicalDecimal(a) === canonicalDecimal(b);
}

/** Digits without zeros at either end, and the power of ten of the last one. */
function canonicalDecimal(text: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return `${sign}0`;
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** Sets a property without minding what the key means to the language: '__proto__' is a name like any other. */
export function setOwn<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/**
 * Writes JSON: bigint as an integer, -0 as `-0.0`, undefined as a field that isn't there. INVALID_DATA for what JSON
 * can't hold, NaN for one.
 */
export function stringifyJson(value: unknown): string {
  const parts: string[] = [];
  write(value, parts, 0);
  return parts.join('');
}

function write(value: unknown, parts: string[], depth: number): void {
  if (depth > MAX_JSON_DEPTH) throw invalidData(`The value is nested more than ${MAX_JSON_DEPTH} levels deep.`);
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) {
    parts.push(scalarText(value));
  } else if (Array.isArray(value)) {
    writeArray(value, parts, depth);
  } else if (holdsStringsOnly(value)) {
    // Most of a large document is maps of strings, and the engine writes these fastest.
    parts.push(JSON.stringify(value));
  } else {
    writeObject(value, parts, depth);
  }
}

function scalarText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) return value.text;
  if (typeof value !== 'number') throw invalidData(`A ${typeof value} can't be written as JSON.`);
  if (!Number.isFinite(value)) throw invalidData(`JSON has no number ${value}.`);
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  // The language's own text rounds large whole numbers to the digits that tell doubles apart.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}

function holdsStringsOnly(object: object): boolean {
  for (const key in object) {
    if (typeof (object as Readonly<Record<string, unknown>>)[key] !== 'string') return false;
  }
  return true;
}

function writeArray(items: readonly unknown[], parts: string[], depth: number): void {
  parts.push('[');
  for (let i = 0; i < items.length; i++) {
    if (i > 0) parts.push(',');
    write(items[i] ?? null, parts, depth + 1);
  }
  parts.push(']');
}

function writeObject(object: object, parts: string[], depth: number): void {
  let separator = '{';
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    parts.push(separator, JSON.stringify(key), ':');
    separator = ',';
    write(value, parts, depth + 1);
  }
  parts.push(separator === '{' ? '{}' : '}');
}
