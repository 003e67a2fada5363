import { invalidArgument } from '../errors.ts';

/** What an option is, as far as whoever uses it doesn't look: numbers, times and filters are checked there. */
export type OptionKind = 'boolean' | 'function' | 'list' | 'object' | 'required text' | 'text' | 'any';

/** Every option of a call. */
export type OptionKinds<T> = Readonly<Record<keyof T, OptionKind>>;

/**
 * INVALID_ARGUMENT for an option that there isn't, or of another kind: a misspelt `dryRun` must not delete anything.
 * `what` begins the sentence that says so; `prefix` is what the options are a part of, with a dot.
 */
export function checkOptions<T extends object>(what: string, options: T, kinds: OptionKinds<T>, prefix = ''): void {
  if (!IS_KIND.object(options)) throw invalidArgument(`${what} takes an object of options, not ${String(options)}.`);
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(kinds, key));
  if (unknown !== undefined) {
    const names = Object.keys(kinds).map((name) => `${prefix}${name}`);
    throw invalidArgument(`${what} has no option '${prefix}${unknown}'; it has ${names.join(', ')}.`);
  }
  const given = new Map<string, unknown>(Object.entries(options));
  for (const [name, kind] of Object.entries<OptionKind>(kinds)) {
    const value = given.get(name);
    if ((value === undefined && kind !== 'required text') || IS_KIND[kind](value)) continue;
    throw invalidArgument(`${what}: ${prefix}${name} must be ${DESCRIPTIONS[kind]}, not ${String(value)}.`);
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';

const IS_KIND: Readonly<Record<OptionKind, (value: unknown) => boolean>> = {
  boolean: (value) => typeof value === 'boolean',
  function: (value) => typeof value === 'function',
  list: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'required text': isText,
  text: isText,
  any: () => true,
};

const DESCRIPTIONS: Readonly<Record<OptionKind, string>> = {
  boolean: 'true or false',
  function: 'a function',
  list: 'a list',
  object: 'an object',
  'required text': 'a text',
  text: 'a text',
  any: 'anything',
};
