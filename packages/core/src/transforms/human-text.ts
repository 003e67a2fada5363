import { civilFromDays, formatDate, formatTime, formatTimestamp } from '../spec/datetime-text.ts';
import { formatDecimal } from '../spec/decimal-text.ts';
import type { Transform, TransformKind } from '../spec/transform.ts';
import type { PrimitiveKind, PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/**
 * A partition value as Iceberg shows it to people and puts it into directory names: `2024-03` for a month, `null` for
 * null. `type` is the transform's result type.
 */
export function partitionValueToText(transform: Transform, type: PrimitiveType, value: Value): string {
  if (value === null) return 'null';
  return (TRANSFORM_TEXT[transform.kind] ?? ((plain) => valueText(type, plain)))(value);
}

type ToText = (value: Value) => string;

const TRANSFORM_TEXT: { readonly [K in TransformKind]?: ToText } = {
  year: (value) => pad(1970 + (value as number), 4),
  month: (value) => monthText(value as number),
  day: (value) => formatDate(value as number),
  hour: (value) => hourText(value as number),
};

function valueText(type: PrimitiveType, value: Value): string {
  return VALUE_TEXT[type.kind](value, type);
}

const plain = (value: Value): string => String(value);
const base64 = (value: Value): string =>
  btoa(Array.from(value as Uint8Array, (byte) => String.fromCharCode(byte)).join(''));
const micros = (value: Value): string => trimFraction(formatTimestamp(value as bigint, 6));
const nanos = (value: Value): string => trimFraction(formatTimestamp(value as bigint, 9));

const VALUE_TEXT: { readonly [K in PrimitiveKind]: (value: Value, type: PrimitiveType) => string } = {
  boolean: plain,
  int: plain,
  long: plain,
  float: (value) => floatText(value as number, shortestFloat),
  double: (value) => floatText(value as number, (number) => number.toExponential()),
  decimal: (value, type) => formatDecimal(value as bigint, type.kind === 'decimal' ? type.scale : 0),
  date: (value) => formatDate(value as number),
  time: (value) => timeText(value as bigint),
  timestamp: micros,
  timestamptz: (value) => `${micros(value)}+00:00`,
  timestamp_ns: nanos,
  timestamptz_ns: (value) => `${nanos(value)}+00:00`,
  string: plain,
  uuid: plain,
  fixed: base64,
  binary: base64,
  unknown: plain,
  variant: plain,
  geometry: plain,
  geography: plain,
};

function monthText(month: number): string {
  const year = Math.floor(month / 12);
  return `${pad(1970 + year, 4)}-${pad(month - 12 * year + 1, 2)}`;
}

function hourText(hour: number): string {
  const days = Math.floor(hour / 24);
  const { year, month, day } = civilFromDays(days);
  return [pad(year, 4), pad(month, 2), pad(day, 2), pad(hour - 24 * days, 2)].join('-');
}

/** Takes the zeros off the end of a fraction, and the point too if nothing else is left. */
function trimFraction(text: string): string {
  return text.replace(/\.?0+$/, '');
}

/** Java's LocalTime prints seconds only if there are any, and fractions in groups of three digits. */
function timeText(value: bigint): string {
  const text = formatTime(value);
  if (text.endsWith(':00.000000')) return text.slice(0, 5);
  return text.endsWith('.000000') ? text.slice(0, 8) : text.replace(/000$/, '');
}

/** Java's text of a floating-point number: at least one digit after the point, `1.0E10` from 10^7 on and below 10^-3. */
function floatText(value: number, toExponential: (value: number) => string): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', exponentText = ''] = toExponential(value).split('e');
  const exponent = Number(exponentText);
  if (exponent < -3 || exponent >= 7) return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent}`;
  const fractionDigits = mantissa.replace(/^-?\d\.?/, '').length - exponent;
  return Number(`${mantissa}e${exponent}`).toFixed(Math.max(1, fractionDigits));
}

/** The shortest decimal that reads back as the same 32-bit float. */
function shortestFloat(value: number): string {
  for (let digits = 0; digits < 8; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text.replace(/\.?0+e/, 'e');
  }
  return value.toExponential(8);
}

function pad(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width - 1, '0')}` : String(value).padStart(width, '0');
}
