import type { DuckDBConnection } from '@duckdb/node-api';
import { invalidArgument } from '@lh/core/engine';
import type { CallArgument } from './call-statement.ts';

/** What a procedure takes for an argument; `texts` and `longs` are arrays. */
export interface ArgumentValues {
  readonly text: string;
  readonly long: bigint;
  readonly int: number;
  readonly boolean: boolean;
  readonly timestamp: Date;
  readonly texts: readonly string[];
  readonly longs: readonly bigint[];
  readonly map: Readonly<Record<string, string>>;
}

export type ArgumentType = keyof ArgumentValues;

export interface Parameter {
  readonly type: ArgumentType;
  readonly required: boolean;
}

/** In the order in which arguments without names are given. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The arguments of a call by the names of the parameters; those that are left out or null are not there. */
export type Arguments<P extends Parameters> = {
  readonly [K in keyof P]: P[K]['required'] extends true
    ? ArgumentValues[P[K]['type']]
    : ArgumentValues[P[K]['type']] | undefined;
};

/** Evaluates the expressions. INVALID_ARGUMENT for unknown, missing and doubled arguments, and values of another type. */
export async function evaluateArguments(
  connection: DuckDBConnection,
  procedure: string,
  parameters: Parameters,
  args: readonly CallArgument[],
): Promise<Readonly<Record<string, unknown>>> {
  const named = nameArguments(procedure, Object.keys(parameters), args);
  const values: Record<string, unknown> = {};
  if (named.size > 0) {
    // JSON tells a text from a number, and keeps all digits.
    const columns = [...named.values()].map((sql) => `CAST(to_json(${sql}) AS VARCHAR)`);
    const row = (await connection.runAndReadAll(`SELECT ${columns.join(', ')}`)).getRows()[0]!;
    [...named.keys()].forEach((name, i) => {
      const json = row[i] as string | null;
      if (json !== null && json !== 'null') values[name] = readValue(name, parameters[name]!.type, json);
    });
  }
  for (const [name, { required }] of Object.entries(parameters)) {
    if (required && values[name] === undefined) throw invalidArgument(`${procedure} needs the argument '${name}'.`);
  }
  return values;
}

function nameArguments(
  procedure: string,
  names: readonly string[],
  args: readonly CallArgument[],
): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  args.forEach(({ name, sql }, i) => {
    const own = name ?? names[i];
    if (own === undefined || !names.includes(own)) {
      throw invalidArgument(`${procedure} has no argument '${own ?? sql}'; it has ${names.join(', ')}.`);
    }
    if (named.has(own)) throw invalidArgument(`${procedure} was given the argument '${own}' twice.`);
    named.set(own, sql);
  });
  return named;
}

function readValue(name: string, type: ArgumentType, json: string): ArgumentValues[ArgumentType] {
  const value = READERS[type](json);
  if (value !== null) return value;
  throw invalidArgument(`The argument '${name}' must be ${DESCRIPTIONS[type]}, not ${json}.`);
}

const DESCRIPTIONS: Readonly<Record<ArgumentType, string>> = {
  text: 'a text',
  long: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  timestamp: "a timestamp, such as TIMESTAMP '2024-01-31 12:00:00'",
  texts: "an array of texts, such as array('a', 'b')",
  longs: 'an array of whole numbers, such as array(1, 2)',
  map: "a map of texts, such as map('rewrite-all', 'true')",
};

const READERS: { readonly [K in ArgumentType]: (json: string) => ArgumentValues[K] | null } = {
  text: (json) => (json.startsWith('"') ? (JSON.parse(json) as string) : null),
  long: (json) => longOf(json),
  int: (json) => (/^-?\d{1,10}$/.test(json) ? Number(json) : null),
  boolean: (json) => (json === 'true' ? true : json === 'false' ? false : null),
  timestamp: timestampOf,
  texts: (json) => {
    const values: unknown = JSON.parse(json);
    return Array.isArray(values) && values.every((value) => typeof value === 'string') ? values : null;
  },
  // Not parsed: numbers of JSON are doubles to JavaScript.
  longs: (json) => {
    if (!/^\[[\d,"-]*\]$/.test(json)) return null;
    const values = json
      .slice(1, -1)
      .split(',')
      .filter((item) => item !== '')
      .map(longOf);
    return values.every((value) => value !== null) ? values : null;
  },
  map: (json) => {
    if (!json.startsWith('{')) return null;
    const entries = Object.entries(JSON.parse(json) as Record<string, unknown>);
    return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
  },
};

function longOf(json: string): bigint | null {
  const digits = /^"?(-?\d{1,19})"?$/.exec(json)?.[1];
  return digits === undefined ? null : BigInt(digits);
}

/** As DuckDB writes them, `2024-01-31 12:00:00.5+00`; without a zone they are UTC, as everywhere. */
function timestampOf(json: string): Date | null {
  const [, date, time = '00:00:00', zone] =
    /^"(\d{4,}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d+)?))?(Z|[+-]\d\d(?::?\d\d)?)?"$/.exec(json) ?? [];
  if (date === undefined) return null;
  const offset = zone === undefined || zone === 'Z' ? 'Z' : zone.length === 3 ? `${zone}:00` : zone;
  const parsed = new Date(`${date}T${time}${offset}`);
  return Number.isNaN(parsed.getTime()) ? null : parsed;
}
