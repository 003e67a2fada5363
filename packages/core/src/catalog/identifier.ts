import { invalidArgument } from '../errors.ts';
import type { Identifier } from './catalog.ts';

/** 'a.b.c' or ['a', 'b', 'c'] as levels. INVALID_ARGUMENT if one is empty. No levels at all name the root. */
export function identifierLevels(identifier: Identifier): readonly string[] {
  const levels = typeof identifier === 'string' ? identifier.split('.') : identifier;
  if (levels.includes('')) {
    throw invalidArgument(`'${identifierText(levels)}' can't be a name: one of its levels is empty.`);
  }
  return levels;
}

/** A table's namespace and its own name. */
export function tableLevels(identifier: Identifier): { readonly namespace: readonly string[]; readonly name: string } {
  const levels = identifierLevels(identifier);
  const name = levels.at(-1);
  if (name === undefined) throw invalidArgument('The name of a table needs at least one level.');
  return { namespace: levels.slice(0, -1), name };
}

/** For messages and as a table's full name: 'web.events'; a level that holds a dot is quoted. */
export function identifierText(levels: readonly string[]): string {
  return levels.map((level) => (level.includes('.') ? JSON.stringify(level) : level)).join('.');
}
