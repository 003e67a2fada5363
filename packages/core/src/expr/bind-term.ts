import { invalidArgument, unsupported } from '../errors.ts';
import { findFieldByName, indexById } from '../spec/schema-fields.ts';
import { transformToText } from '../spec/transform-text.ts';
import { typeToText } from '../spec/type-text.ts';
import type { StructType } from '../spec/types.ts';
import { canTransform, transformResultType } from '../transforms/transforms.ts';
import type { BoundTerm } from './bound-expression.ts';
import type { Term } from './expression.ts';

/** Resolves a column's name. INVALID_ARGUMENT if there is no such column, or it can't be filtered by. */
export function bindTerm(schema: StructType, { column, transform }: Term, caseSensitive: boolean): BoundTerm {
  const found = findFieldByName(schema, column, caseSensitive);
  if (!found) throw unknownColumn(schema, column);
  const { field, path } = found;
  checkNotRepeated(schema, field.id, column);
  const { type } = field;
  const { nullable } = indexById(schema).get(field.id)!;
  if (!transform || transform.kind === 'identity') return { field, path, transform: null, type, nullable };

  if (transform.kind === 'unknown')
    throw unsupported(`The transform '${transform.text}' is not known, so it can't be filtered by.`);
  if (!canTransform(transform, type)) {
    throw invalidArgument(
      `${transformToText(transform)} of '${column}' can't be taken: it is of type ${typeToText(type)}.`,
    );
  }
  return {
    field,
    path,
    transform,
    type: transformResultType(transform, type),
    nullable: nullable || transform.kind === 'void',
  };
}

/** A column inside a list or map has any number of values in a row. */
function checkNotRepeated(schema: StructType, id: number, column: string): void {
  const index = indexById(schema);
  for (let parent = index.get(id)!.parentId; parent !== null; parent = index.get(parent)!.parentId) {
    const { kind } = index.get(parent)!.field.type;
    if (kind !== 'struct')
      throw unsupported(`'${column}' is inside a ${kind}, so it has no single value to filter by.`);
  }
}

const MOST_NAMES = 20;

function unknownColumn(schema: StructType, column: string): Error {
  const names = schema.fields.map((field) => field.name);
  const sameButCase = findFoldedName(schema, column);
  if (sameButCase !== undefined) {
    return invalidArgument(
      `There is no column '${column}'; did you mean '${sameButCase}'? Names are case-sensitive here.`,
    );
  }
  const known = names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), '…'] : names;
  return invalidArgument(`There is no column '${column}' to filter by; the columns are ${known.join(', ')}.`);
}

function findFoldedName(schema: StructType, column: string): string | undefined {
  const folded = column.toLowerCase();
  for (const { path } of indexById(schema).values()) {
    const name = path.join('.');
    if (name.toLowerCase() === folded) return name;
  }
  return undefined;
}
