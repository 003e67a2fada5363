import { invalidArgument } from '@lh/core/engine';
import type { Edit } from './edits.ts';
import { quoteBytes, quoteName, quoteString } from './quote.ts';
import type { Token } from './tokens.ts';

/** Values for `?` and `$1` (an array), or for `$name` (an object). */
export type SqlParameters = readonly unknown[] | Readonly<Record<string, unknown>>;

/**
 * Puts the parameters into the statement as typed constants. Planning needs to see the values (a bound parameter is
 * opaque to the optimizer), and planning and running the very same text is what makes pruning safe. With `allAreUsed`,
 * INVALID_ARGUMENT for more values than the statement has places.
 */
export function parameterEdits(
  tokens: readonly Token[],
  parameters: SqlParameters | undefined,
  allAreUsed: boolean,
): readonly Edit[] {
  const used = new Set<string>();
  let anonymous = 0;
  const edits = tokens
    .filter((token) => token.kind === 'parameter')
    .map((token) => {
      // `?` counts up on its own, as in DuckDB.
      const name = token.value === '' ? String(++anonymous) : token.value;
      used.add(name);
      return { start: token.start, end: token.end, text: literal(valueOf(parameters, name), `Parameter $${name}`) };
    });
  if (allAreUsed && isArray(parameters) && parameters.length > used.size) {
    throw invalidArgument(`The statement has ${used.size} parameters, but ${parameters.length} values were given.`);
  }
  return edits;
}

function valueOf(parameters: SqlParameters | undefined, name: string): unknown {
  if (isArray(parameters)) {
    const index = Number(name) - 1;
    if (Number.isInteger(index) && index >= 0 && index < parameters.length) return parameters[index];
  } else if (parameters && Object.hasOwn(parameters, name)) {
    return parameters[name];
  }
  const given = isArray(parameters) ? `${parameters.length} values` : `{ ${Object.keys(parameters ?? {}).join(', ')} }`;
  throw invalidArgument(`The statement uses the parameter $${name}, but ${parameters ? given : 'nothing'} was given.`);
}

function isArray(parameters: SqlParameters | undefined): parameters is readonly unknown[] {
  return Array.isArray(parameters);
}

/** An expression that takes a parameter's place as it is: the user wrote it as SQL. */
export class SqlText {
  readonly sql: string;

  constructor(sql: string) {
    this.sql = sql;
  }
}

/** SQL text of a JavaScript value: exact, and of the type that DuckDB would bind it with. */
export function literal(value: unknown, place: string): string {
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'number':
      return numberLiteral(value);
    case 'bigint':
      return bigintLiteral(value);
    case 'string':
      return quoteString(value);
    case 'object':
      return value === null ? 'NULL' : objectLiteral(value, place);
    case 'undefined':
      throw invalidArgument(`${place} is undefined: give a value, or null.`);
    case 'function':
    case 'symbol':
      throw invalidArgument(`${place} is a ${typeof value}, which SQL has no value for.`);
  }
}

function numberLiteral(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return bigintLiteral(BigInt(value));
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  return `CAST('${text}' AS DOUBLE)`;
}

const INT64_MAX = 2n ** 63n - 1n;
const INT128_MAX = 2n ** 127n - 1n;

function bigintLiteral(value: bigint): string {
  if (value >= 0n && value <= INT64_MAX) return String(value);
  // `-9223372036854775808` would be parsed as the negation of a number that needs 128 bits.
  if (value < 0n && value > -INT64_MAX) return `(${value})`;
  const type =
    value < 0n && value >= -INT64_MAX - 1n
      ? 'BIGINT'
      : value <= INT128_MAX && value >= -INT128_MAX
        ? 'HUGEINT'
        : 'BIGNUM';
  return `CAST('${value}' AS ${type})`;
}

function objectLiteral(value: object, place: string): string {
  if (value instanceof SqlText) return `(${value.sql})`;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw invalidArgument(`${place} is an invalid Date.`);
    return `CAST(make_timestamp(${BigInt(value.getTime()) * 1000n}) AT TIME ZONE 'UTC' AS TIMESTAMPTZ)`;
  }
  if (value instanceof Uint8Array) return quoteBytes(value);
  if (Array.isArray(value)) return `[${value.map((item, i) => literal(item, `${place}[${i}]`)).join(', ')}]`;
  if (value instanceof Map) {
    const entries = [...value].map(
      ([key, item]) => `${literal(key, `${place} key`)}: ${literal(item, `${place} value`)}`,
    );
    return `MAP {${entries.join(', ')}}`;
  }
  const fields = Object.entries(value);
  if (fields.length === 0) throw invalidArgument(`${place} is an object without fields, which SQL has no value for.`);
  return `struct_pack(${fields.map(([name, item]) => `${quoteName(name)} := ${literal(item, `${place}.${name}`)}`).join(', ')})`;
}
