import { invalidArgument } from '../errors.ts';
import type { SortFieldInput } from './inputs.ts';
import { transformSource } from './partition-by.ts';
import { UNSORTED } from './sort-order.ts';
import type { SortField, SortOrder } from './sort-order.ts';
import { transformToText } from './transform-text.ts';
import type { StructType } from './types.ts';

/**
 * Resolves columns to ids. Ascending puts nulls first and descending last, unless said otherwise (spec: "Sorting").
 * No fields make the unsorted order, whatever the id. INVALID_ARGUMENT for a field that the schema doesn't allow.
 */
export function bindSortOrder(schema: StructType, inputs: readonly SortFieldInput[], orderId: number): SortOrder {
  if (inputs.length === 0) return UNSORTED;
  const fields = inputs.map((input) => bindSortField(schema, typeof input === 'string' ? { field: input } : input));
  const meanings = fields.map((field) => `${field.sourceIds.join(',')}:${transformToText(field.transform)}`);
  const again = meanings.findIndex((meaning, i) => meanings.indexOf(meaning) !== i);
  if (again >= 0)
    throw invalidArgument(`The sort order names the same column twice (field ${again + 1}); leave out one.`);
  return { orderId, fields };
}

function bindSortField(schema: StructType, input: Exclude<SortFieldInput, string>): SortField {
  const { field, direction = 'asc', transform = { kind: 'identity' } } = input;
  const source = transformSource(schema, field, transform, 'sort by');
  const nulls = input.nulls ?? (direction === 'asc' ? 'first' : 'last');
  if (direction !== 'asc' && direction !== 'desc')
    throw invalidArgument(`A sort direction is 'asc' or 'desc', not '${String(direction)}'.`);
  if (nulls !== 'first' && nulls !== 'last')
    throw invalidArgument(`Nulls sort 'first' or 'last', not '${String(nulls)}'.`);
  return { sourceIds: [source.id], transform, direction, nullOrder: `nulls-${nulls}` };
}
