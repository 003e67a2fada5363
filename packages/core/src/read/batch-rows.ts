import type { RecordBatch } from 'apache-arrow';

import { columnReader } from '../columns/column-reader.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { sourceColumn } from '../columns/from-arrow.ts';
import type { ArrowDataLike } from '../columns/from-arrow.ts';
import { invalidArgument } from '../errors.ts';
import type { NestedField, StructType, TypeKind } from '../spec/types.ts';
import { fromValue } from '../spec/user-values.ts';
import type { FromValueOptions } from '../spec/user-values.ts';
import { METADATA_COLUMNS, isMetadataColumn } from './metadata-columns.ts';

export type RowOptions = FromValueOptions;

/**
 * The rows of a batch that a scan yielded, as objects: types look as the README's table says. `schema` is what was
 * projected; metadata columns of the batch are understood without it.
 */
export function* batchToRows(
  batch: RecordBatch,
  schema: StructType,
  options: RowOptions = {},
): Generator<Record<string, unknown>> {
  const data = batch.data as unknown as ArrowDataLike;
  const fields = batch.schema.fields.map((field) => fieldNamed(schema, field.name));
  const columns = data.children.map((child) => sourceColumn(child));
  yield* columnsToRows({ length: batch.numRows, columns }, fields, options);
}

function fieldNamed(schema: StructType, name: string): NestedField {
  const field = schema.fields.find((one) => one.name === name);
  if (field) return field;
  if (isMetadataColumn(name)) return METADATA_COLUMNS[name];
  throw invalidArgument(`The batch has a column '${name}' that its schema lacks.`);
}

export function* columnsToRows(
  batch: ColumnBatch,
  fields: readonly NestedField[],
  options: RowOptions = {},
): Generator<Record<string, unknown>> {
  const readers = fields.map((field, i) => userReader(field, batch.columns[i]!, options));
  const names = fields.map((field) => field.name);
  // An assignment to this name would set the row's prototype.
  const plain = !names.includes('__proto__');
  for (let row = 0; row < batch.length; row++) {
    if (!plain) {
      yield Object.fromEntries(names.map((name, i) => [name, readers[i]!(row)]));
      continue;
    }
    const object: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) object[names[i]!] = readers[i]!(row);
    yield object;
  }
}

/** Types whose values users get as the library has them. */
const AS_THEY_ARE: ReadonlySet<TypeKind> = new Set<TypeKind>([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'string',
  'uuid',
  'fixed',
  'binary',
  'geometry',
  'geography',
  'variant',
  'unknown',
]);

function userReader(
  { type }: NestedField,
  column: ColumnBatch['columns'][number],
  options: RowOptions,
): (row: number) => unknown {
  const read = columnReader(type, column);
  return AS_THEY_ARE.has(type.kind) ? read : (row) => fromValue(type, read(row), options);
}
