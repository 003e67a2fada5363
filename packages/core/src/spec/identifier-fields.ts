import { invalidArgument } from '../errors.ts';
import { indexById } from './schema-fields.ts';
import type { Schema } from './schema.ts';
import { isPrimitive } from './types.ts';

/**
 * Identifier fields are required primitives, no floats, and not inside of lists, maps or optional structs (spec:
 * "Identifier Field IDs"). INVALID_ARGUMENT otherwise.
 */
export function checkIdentifierFields(schema: Schema): void {
  const index = indexById(schema);
  for (const id of schema.identifierFieldIds) {
    const entry = index.get(id);
    if (!entry) throw invalidArgument(`There is no column with the id ${id} to be an identifier field.`);
    const { field, path, nullable } = entry;
    const refuse = (why: string): Error => invalidArgument(`'${path.join('.')}' can't be an identifier field: ${why}.`);
    if (!isPrimitive(field.type) || field.type.kind === 'variant') throw refuse('it is not of a primitive type');
    if (field.type.kind === 'float' || field.type.kind === 'double') throw refuse('floats have no exact equality');
    if (!field.required) throw refuse('it is not required');
    for (let parent = entry.parentId; parent !== null; parent = index.get(parent)!.parentId) {
      if (index.get(parent)!.field.type.kind !== 'struct') throw refuse('it is inside a list or map');
    }
    if (nullable) throw refuse('the struct around it is optional');
  }
}
