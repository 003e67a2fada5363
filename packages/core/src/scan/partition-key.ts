import { bytesToHex } from '../spec/bytes-text.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { Value } from '../spec/values.ts';

/**
 * Text that is equal for files of the same partition: same spec, equal values. Nulls are equal to each other, and so are
 * NaNs; -0 and +0 are not (spec: "Scan Planning", note 3).
 */
export function partitionKey(specId: number, tuple: PartitionTuple): string {
  let key = String(specId);
  for (const value of tuple) key += valueKey(value);
  return key;
}

/** Starts with a character that no other kind of value goes on with, so that keys can be strung together. */
function valueKey(value: Value): string {
  switch (typeof value) {
    case 'string':
      return `"${value.length}:${value}`;
    case 'number':
      return Object.is(value, -0) ? '#-0' : `#${value}`;
    case 'bigint':
    case 'boolean':
      return `#${String(value)}`;
    default:
      return value instanceof Uint8Array ? `x${bytesToHex(value)}` : '_';
  }
}
