import { isUnpartitioned, type PartitionSpec, type PartitionTuple } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import type { StructType } from '../spec/types.ts';
import { partitionValueToText } from './human-text.ts';
import { transformResultType } from './transforms.ts';

/**
 * The directory of a partition, `ts_day=2024-01-01/id_bucket=3`; '' for a spec that puts all files into one. Names and values are
 * encoded as web forms are, as Java has it. Only writers need this: what partition a file is in is said by its manifest,
 * never by its path.
 */
export function partitionPath(spec: PartitionSpec, schema: StructType, tuple: PartitionTuple): string {
  if (isUnpartitioned(spec)) return '';
  return spec.fields
    .map(({ name, transform, sourceIds }, i) => {
      const source = findField(schema, sourceIds[0]!)?.type;
      const type = source ? transformResultType(transform, source) : ({ kind: 'string' } as const);
      return `${formEncode(name)}=${formEncode(partitionValueToText(transform, type, tuple[i] ?? null))}`;
    })
    .join('/');
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** `application/x-www-form-urlencoded`, upper-case: letters, digits and `.-*_` stay, a space becomes a plus. */
function formEncode(text: string): string {
  // Half of a surrogate pair becomes U+FFFD, as in any UTF-8.
  const wellFormed = utf8Decoder.decode(utf8Encoder.encode(text));
  return encodeURIComponent(wellFormed)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, percentEncode);
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
