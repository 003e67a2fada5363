import { isUuid } from '../../spec/bytes-text.ts';
import { parseDate } from '../../spec/datetime-text.ts';
import { isInt, isLong } from '../../spec/integers.ts';
import type { PrimitiveKind, PrimitiveType } from '../../spec/types.ts';
import { USER_SCALARS } from '../../spec/user-scalars.ts';
import type { UserScalar } from '../../spec/user-scalars.ts';
import type { Value } from '../../spec/values.ts';

/** What Hive calls the directory of rows whose value is null. */
const HIVE_NULL = '__HIVE_DEFAULT_PARTITION__';

/** What the directories of a path say, `country=KR`: decoded names, with values as they are. The innermost counts. */
export function directoryValues(path: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const directory of path.split('/').slice(0, -1)) {
    const at = directory.indexOf('=');
    if (at > 0) values.set(percentDecoded(directory.slice(0, at)), directory.slice(at + 1));
  }
  return values;
}

/** A directory's value as text; null for Hive's null. */
export function directoryText(raw: string): string | null {
  return raw === HIVE_NULL ? null : percentDecoded(raw);
}

/**
 * The values of a type that a directory's name may stand for, the likeliest first. Hive leaves a plus sign as it is, and
 * Iceberg means a space by it; Iceberg writes `null` for null. What a file holds decides between them.
 */
export function directoryValueCandidates(raw: string, type: PrimitiveType): readonly Value[] {
  if (raw === HIVE_NULL) return [null];
  const texts = [percentDecoded(raw), ...(raw.includes('+') ? [percentDecoded(raw.replaceAll('+', ' '))] : [])];
  const values = texts.flatMap((text) => parseValue(text, type) ?? []);
  return raw === 'null' ? [...values, null] : values;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not everyone encodes: a lone percent sign is one.
    return text;
  }
}

type Parse<T> = (text: string, type: T) => Value | undefined;

const asUserGives =
  <K extends PrimitiveKind>(kind: K): Parse<Extract<PrimitiveType, { kind: K }>> =>
  (text, type) =>
    (USER_SCALARS[kind] as unknown as UserScalar<typeof type>).fromUser(text, type, () => 'a directory');

const timestamp =
  <K extends PrimitiveKind>(kind: K): Parse<Extract<PrimitiveType, { kind: K }>> =>
  (text, type) =>
    asUserGives(kind)(text.replace(' ', 'T'), type);

/** From text; undefined for what isn't one. Bytes have no text that writers agree on. */
const PARSERS: { readonly [K in PrimitiveKind]?: Parse<Extract<PrimitiveType, { kind: K }>> } = {
  boolean: (text) => (/^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined),
  int: (text) => (isInt(wholeNumber(text)) ? Number(text) : undefined),
  long: (text) => {
    const value = wholeNumber(text) === undefined ? undefined : BigInt(text);
    return isLong(value) ? value : undefined;
  },
  float: (text) => floating(text, Math.fround),
  double: (text) => floating(text, (value) => value),
  decimal: asUserGives('decimal'),
  date: (text) => parseDate(text),
  time: asUserGives('time'),
  timestamp: timestamp('timestamp'),
  timestamptz: timestamp('timestamptz'),
  timestamp_ns: timestamp('timestamp_ns'),
  timestamptz_ns: timestamp('timestamptz_ns'),
  string: asUserGives('string'),
  uuid: (text) => (isUuid(text) ? text.toLowerCase() : undefined),
};

function parseValue(text: string, type: PrimitiveType): Value | undefined {
  return (PARSERS[type.kind] as Parse<PrimitiveType> | undefined)?.(text, type);
}

function wholeNumber(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function floating(text: string, round: (value: number) => number): number | undefined {
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) {
    if (/nan/i.test(text)) return NaN;
    return text.startsWith('-') ? -Infinity : Infinity;
  }
  return text.trim() === '' || Number.isNaN(Number(text)) ? undefined : round(Number(text));
}
