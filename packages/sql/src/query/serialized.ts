import { JsonNumber, parseJson } from '@lh/core/engine';
import type { JsonObject, JsonValue } from '@lh/core/engine';

/** What `json_serialize_sql` and `json_serialize_plan` answer: a tree, or what was wrong with the text. */
export type Serialized =
  | { readonly ok: true; readonly root: JsonObject }
  | { readonly ok: false; readonly error: SerializedError };

export interface SerializedError {
  /** 'parser', 'binder', 'catalog', 'not implemented'… */
  readonly type: string;
  readonly message: string;
  readonly subtype: string | null;
  /** UTF-8 byte offset in the text. */
  readonly position: number | null;
}

/** DuckDB writes NaN and infinities of constants bare, which JSON doesn't have; 64-bit integers stay exact. */
export function parseSerialized(json: string): Serialized {
  const root = parseJson(json.replaceAll(BARE_DOUBLE, '"value":"$1"'));
  if (!isObject(root))
    return { ok: false, error: { type: 'internal', message: 'no tree', subtype: null, position: null } };
  if (root['error'] !== true) return { ok: true, root };
  const position = Number(text(root['position']) ?? Number.NaN);
  return {
    ok: false,
    error: {
      type: text(root['error_type']) ?? 'unknown',
      message: text(root['error_message']) ?? 'unknown error',
      subtype: text(root['error_subtype']),
      position: Number.isFinite(position) ? position : null,
    },
  };
}

const BARE_DOUBLE = /(?<!\\)"value":(-?(?:nan|inf(?:inity)?))\b/gi;

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}

export function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

export function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function integer(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
