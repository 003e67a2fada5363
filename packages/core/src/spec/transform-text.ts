import { invalidData } from '../errors.ts';
import type { Transform } from './transform.ts';

const SIMPLE = new Map<string, Transform>(
  (['identity', 'year', 'month', 'day', 'hour', 'void'] as const).map((kind) => [kind, { kind }]),
);

const MAX_PARAMETER = 0x7fff_ffff;

/**
 * Reads a transform as specs and sort orders spell it. A name that isn't known stays as it is: readers must accept
 * tables with such transforms (spec: "Partition Transforms"). INVALID_DATA for `bucket[0]` and the like.
 */
export function parseTransform(text: string): Transform {
  const simple = SIMPLE.get(text.toLowerCase());
  if (simple) return simple;
  const match = /^(bucket|truncate)\[(\d+)\]$/i.exec(text);
  if (!match) return { kind: 'unknown', text };
  const parameter = Number(match[2]);
  if (parameter < 1 || parameter > MAX_PARAMETER) {
    throw invalidData(`The transform '${text}' needs a parameter from 1 to ${MAX_PARAMETER}.`);
  }
  return match[1]!.toLowerCase() === 'bucket'
    ? { kind: 'bucket', buckets: parameter }
    : { kind: 'truncate', width: parameter };
}

export function transformToText(transform: Transform): string {
  switch (transform.kind) {
    case 'bucket':
      return `bucket[${transform.buckets}]`;
    case 'truncate':
      return `truncate[${transform.width}]`;
    case 'unknown':
      return transform.text;
    default:
      return transform.kind;
  }
}

export function transformsEqual(a: Transform, b: Transform): boolean {
  return transformToText(a) === transformToText(b);
}
