import { invalidArgument } from '../errors.ts';
import { checkIdentifierFields } from './identifier-fields.ts';
import { findFieldByName, indexById } from './schema-fields.ts';
import type { Schema } from './schema.ts';
import type { FormatVersion } from './table-metadata.ts';
import { typeToText } from './type-text.ts';
import type { TypeKind } from './types.ts';

/** Types that came with v3 (spec: "Primitive Types", "Semi-structured Types"). */
const V3_TYPES: ReadonlySet<TypeKind> = new Set([
  'unknown',
  'variant',
  'timestamp_ns',
  'timestamptz_ns',
  'geometry',
  'geography',
]);

/** Ids above are kept for metadata columns (spec: "Reserved Field IDs"). */
export const HIGHEST_FIELD_ID: number = 2_147_483_447;

/**
 * What holds for a schema that is about to be added to a table of a format version: its types and defaults exist in
 * that version, its ids are free to use, its identifier fields are allowed. INVALID_ARGUMENT otherwise.
 */
export function checkNewSchema(schema: Schema, formatVersion: FormatVersion): void {
  // Looking anything up by name finds names that are there twice.
  findFieldByName(schema, '');
  for (const { field, path } of indexById(schema).values()) {
    const name = path.join('.');
    if (!Number.isInteger(field.id) || field.id < 1 || field.id > HIGHEST_FIELD_ID) {
      throw invalidArgument(`The field id ${field.id} of '${name}' is not in the range from 1 to ${HIGHEST_FIELD_ID}.`);
    }
    if (formatVersion < 3 && V3_TYPES.has(field.type.kind)) {
      throw invalidArgument(
        `'${name}' is of type ${typeToText(field.type)}, which needs format version 3 (the table has ${formatVersion}).`,
      );
    }
    const hasDefault = (field.initialDefault ?? null) !== null || (field.writeDefault ?? null) !== null;
    if (formatVersion < 3 && hasDefault) {
      throw invalidArgument(`'${name}' has a default, which needs format version 3 (the table has ${formatVersion}).`);
    }
    if (field.type.kind === 'unknown' && field.required) {
      throw invalidArgument(`'${name}' can't be required: values of type unknown are always null.`);
    }
  }
  checkIdentifierFields(schema);
}
