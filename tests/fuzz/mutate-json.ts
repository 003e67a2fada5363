import type { SeededRuntime } from '@lh/core/testing';

import { pick } from './mutate-bytes.ts';

/** Values that may stand anywhere in a JSON text; written as text, for numbers that JavaScript doesn't have. */
const VALUES = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '1e400',
  '-0.0',
  '12345678901234567890123456789012345678901234567890',
  '""',
  '"x"',
  '"\\u0000"',
  '"\\ud800"',
  '"NaN"',
  '"__proto__"',
  '"constructor"',
  '"decimal(99, 98)"',
  '"fixed[0]"',
  '"fixed[99999999999]"',
  '"bucket[0]"',
  '"truncate[-1]"',
  '[]',
  '{}',
  '[[[[]]]]',
  '{"a":{"a":{}}}',
  '[null]',
];

/** The same JSON with one thing changed that a parser takes without complaint. */
export function mutateJson(text: string, random: SeededRuntime): { readonly text: string; readonly what: string } {
  // Numbers of 64 bits pass through as they are written.
  const kept = text.replaceAll(/(?<=[:[,]\s*)-?\d{16,}(?=\s*[,\]}])/g, (digits) => `"@long ${digits}"`);
  const root: unknown = JSON.parse(kept);
  const nodes = containers(root);
  const node = pick(nodes, random);
  const keys = Object.keys(node);
  const key = keys.length === 0 ? 'new' : pick(keys, random);
  const what = change(node, key, nodes, random);
  const written = JSON.stringify(root)
    .replaceAll(/"@long (-?\d+)"/g, '$1')
    .replaceAll(/"@value (\d+)"/g, (_, index) => VALUES[Number(index)]!);
  return { text: written, what: `${what} '${key}'` };
}

type Container = Record<string, unknown>;

/** Every list and object of a JSON value. */
function containers(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Container, ...Object.values(value).flatMap(containers)];
}

function change(node: Container, key: string, nodes: readonly Container[], random: SeededRuntime): string {
  switch (random.randomInteger(6)) {
    case 0:
      if (Array.isArray(node)) node.splice(Number(key), 1);
      else delete node[key];
      return 'without';
    case 1: {
      // A value of somewhere else; a copy, so that nothing contains itself.
      const other = pick(nodes, random);
      const value = pick(Object.values(other).concat(null), random);
      node[key] = JSON.parse(JSON.stringify(value ?? null));
      return "with another's value for";
    }
    case 2:
      if (!Array.isArray(node)) node[pick(['id', 'type', 'name', '__proto__x', 'required'], random)] = node[key];
      else node.push(JSON.parse(JSON.stringify(node[Number(key)] ?? null)));
      return 'doubled';
    default: {
      const index = random.randomInteger(VALUES.length);
      node[key] = `@value ${index}`;
      return `with ${VALUES[index]} for`;
    }
  }
}
