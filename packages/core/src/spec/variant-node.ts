import { invalidArgument } from '../errors.ts';
import { formatDate, formatTime, formatTimestamp } from './datetime-text.ts';
import { formatDecimal } from './decimal-text.ts';
import { MAX_INT, MIN_INT, isLong } from './integers.ts';
import { childPlace, placeText, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import { isBytes, isDate, isPlainObject } from './recognise.ts';

/** A decoded variant: a tree tagged with the physical types of Parquet's "Variant Binary Encoding". */
export type VariantNode =
  | { readonly type: 'null' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'int8' | 'int16' | 'int32' | 'float' | 'double'; readonly value: number }
  | { readonly type: 'int64'; readonly value: bigint }
  | { readonly type: 'decimal4' | 'decimal8' | 'decimal16'; readonly unscaled: bigint; readonly scale: number }
  /** Days since the epoch. */
  | { readonly type: 'date'; readonly value: number }
  /** Microseconds (nanoseconds for `_ns`) since midnight or the epoch. */
  | {
      readonly type: 'time' | 'timestamp' | 'timestamptz' | 'timestamp_ns' | 'timestamptz_ns';
      readonly value: bigint;
    }
  | { readonly type: 'string' | 'uuid'; readonly value: string }
  | { readonly type: 'binary'; readonly value: Uint8Array }
  | { readonly type: 'array'; readonly items: readonly VariantNode[] }
  | { readonly type: 'object'; readonly fields: ReadonlyMap<string, VariantNode> };

/** Nesting beyond this is refused both ways, so that no recursion runs out of stack. */
export const MAX_VARIANT_DEPTH = 500;

export function nodeToJson(node: VariantNode): unknown {
  switch (node.type) {
    case 'null':
      return null;
    case 'int64':
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value.toString();
    case 'decimal4':
    case 'decimal8':
    case 'decimal16':
      return formatDecimal(node.unscaled, node.scale);
    case 'date':
      return formatDate(node.value);
    case 'time':
      return formatTime(node.value);
    case 'timestamp':
      return formatTimestamp(node.value, 6);
    case 'timestamptz':
      return `${formatTimestamp(node.value, 6)}Z`;
    case 'timestamp_ns':
      return formatTimestamp(node.value, 9);
    case 'timestamptz_ns':
      return `${formatTimestamp(node.value, 9)}Z`;
    case 'binary':
      return base64(node.value);
    case 'array':
      return node.items.map(nodeToJson);
    case 'object':
      // fromEntries defines properties, so a field called __proto__ is one like any other.
      return Object.fromEntries(Array.from(node.fields, ([name, field]) => [name, nodeToJson(field)]));
    default:
      return node.value;
  }
}

/** INVALID_ARGUMENT for what JSON, bigint, Date and Uint8Array don't cover. */
export function nodeFromInput(input: unknown, what: string): VariantNode {
  return inputNode(input, rootPlace(what), 0);
}

function inputNode(input: unknown, place: Place, depth: number): VariantNode {
  if (depth > MAX_VARIANT_DEPTH) {
    throw invalidArgument(
      `A variant can be nested ${MAX_VARIANT_DEPTH} levels deep at most (${placeText(rootOf(place))}).`,
    );
  }
  if (input === null) return { type: 'null' };
  if (typeof input === 'boolean') return { type: 'boolean', value: input };
  if (typeof input === 'number') return numberNode(input);
  if (typeof input === 'string') return { type: 'string', value: input };
  if (isLong(input)) return integerNode(input);
  if (isBytes(input)) return { type: 'binary', value: input };
  if (isDate(input) && !Number.isNaN(input.getTime())) {
    return { type: 'timestamptz', value: BigInt(input.getTime()) * 1000n };
  }
  if (Array.isArray(input)) {
    return { type: 'array', items: input.map((item, i) => inputNode(item ?? null, childPlace(place, i), depth + 1)) };
  }
  if (typeof input === 'object' && isPlainObject(input)) {
    const fields = new Map<string, VariantNode>();
    for (const [name, field] of Object.entries(input)) {
      // As JSON.stringify does, a field set to undefined is one that isn't there.
      if (field !== undefined) fields.set(name, inputNode(field, childPlace(place, name), depth + 1));
    }
    return { type: 'object', fields };
  }
  throw invalidArgument(
    `${placeText(place)} can't be a variant's value: give JSON values, bigint (64 bits), Date or Uint8Array.`,
  );
}

function rootOf(place: Place): Place {
  let at = place;
  while (at.parent !== null) at = at.parent;
  return at;
}

function numberNode(value: number): VariantNode {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? integerNode(BigInt(value)) : { type: 'double', value };
}

function integerNode(value: bigint): VariantNode {
  if (value < BigInt(MIN_INT) || value > BigInt(MAX_INT)) return { type: 'int64', value };
  const small = Number(value);
  if (small >= -0x80 && small <= 0x7f) return { type: 'int8', value: small };
  return { type: small >= -0x8000 && small <= 0x7fff ? 'int16' : 'int32', value: small };
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
