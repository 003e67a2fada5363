import { invalidArgument } from '../../errors.ts';
import type { FileField } from '../../formats/data-file.ts';
import { icebergTypeOf, parquetTypeText } from '../../formats/parquet/iceberg-type.ts';
import type { ParquetNode } from '../../formats/parquet/parquet-schema.ts';
import { defaultValue } from '../../columns/default-value.ts';
import { elementField, keyField, valueField } from '../../spec/schema-fields.ts';
import type { FormatVersion } from '../../spec/table-metadata.ts';
import { typeToText } from '../../spec/type-text.ts';
import type { IcebergType, NestedField, PrimitiveType, StructType } from '../../spec/types.ts';
import { isPrimitive } from '../../spec/types.ts';
import { promotionOf } from '../type-promotion.ts';
import type { StoredFile } from './stored-file.ts';

/**
 * Checks that a file's columns can be read as the table's: types are the same, or such that the specification lets
 * them grow into the table's ("Schema Evolution"); what is required surely has no nulls. INVALID_ARGUMENT that names file
 * and column. Returns required columns of the table that the file lacks: its partition may give their value.
 */
export function checkFit(file: StoredFile, schema: StructType, version: FormatVersion): readonly NestedField[] {
  if (schema.fields.every(({ id }) => !file.fields.has(id))) {
    const names = file.footer.root.children.map(({ name }) => `'${name}'`).join(', ');
    throw misfit(file, `it has none of the table's columns, but ${names === '' ? 'none at all' : names}`);
  }
  const missing: NestedField[] = [];
  for (const field of schema.fields) {
    const stored = file.fields.get(field.id);
    if (stored !== undefined) checkColumn(file, field, stored, [field.name], version);
    else if (isNeeded(field)) missing.push(field);
  }
  return missing;
}

export function missingColumn(file: StoredFile, path: readonly string[]): Error {
  return misfit(file, `the column '${path.join('.')}' is required, but the file does not have it`);
}

function misfit({ location }: StoredFile, why: string): Error {
  return invalidArgument(`${location} can't be added to the table: ${why}.`, { path: location });
}

function isNeeded(field: NestedField): boolean {
  return field.required && defaultValue(field, 'initialDefault') === null;
}

/** A repeated field that is no list is a list all the same in protocol buffers; not every reader knows. */
function checkColumn(
  file: StoredFile,
  field: NestedField,
  stored: FileField,
  path: readonly string[],
  version: FormatVersion,
): void {
  if (file.nodes.get(stored.index)!.repetition === 'repeated') {
    throw misfit(file, `the column '${path.join('.')}' is repeated in the file without being annotated as a list`);
  }
  checkField(file, field, stored, path, version);
}

function checkField(
  file: StoredFile,
  field: NestedField,
  stored: FileField,
  path: readonly string[],
  version: FormatVersion,
): void {
  const node = file.nodes.get(stored.index)!;
  checkType(file, field.type, stored, path, version);
  if (field.required && mayHaveNulls(file, node)) {
    throw misfit(file, `the column '${path.join('.')}' is required, but may have nulls in the file`);
  }
}

/** A group that is null makes all of its leaves null: one that surely has none tells. */
function mayHaveNulls({ rowGroups }: StoredFile, node: ParquetNode): boolean {
  if (node.repetition !== 'optional') return false;
  const [first, end] = node.leaves;
  for (let leaf = first; leaf < end; leaf++) {
    if (rowGroups.every(({ columns }) => columns[leaf]!.statistics?.nullCount === 0)) return false;
  }
  return true;
}

function checkType(
  file: StoredFile,
  type: IcebergType,
  stored: FileField,
  path: readonly string[],
  version: FormatVersion,
): void {
  const { shape } = stored;
  const node = file.nodes.get(stored.index)!;
  const inside = (field: NestedField, part: FileField): void =>
    checkField(file, field, part, [...path, field.name], version);
  if (type.kind === 'struct' && shape.kind === 'struct' && node.logical === null) {
    const parts = new Set(shape.fields.map(({ index }) => index));
    for (const field of type.fields) {
      const part = file.fields.get(field.id);
      if (part !== undefined && parts.has(part.index)) checkColumn(file, field, part, [...path, field.name], version);
      else if (isNeeded(field)) throw missingColumn(file, [...path, field.name]);
    }
  } else if (type.kind === 'list' && shape.kind === 'list') {
    inside(elementField(type), shape.element);
  } else if (type.kind === 'map' && shape.kind === 'map') {
    inside(keyField(type), shape.key);
    inside(valueField(type), shape.value);
  } else if (!(shape.kind === 'leaf' && fitsLeaf(node, type, version)) && !isVariant(node, type)) {
    throw misfit(
      file,
      `the column '${path.join('.')}' is ${typeToText(type)} in the table, but ${nodeText(node, stored)} in the file`,
    );
  }
}

function isVariant(node: ParquetNode, type: IcebergType): boolean {
  return type.kind === 'variant' && node.logical?.kind === 'variant';
}

function fitsLeaf(node: ParquetNode, type: IcebergType, version: FormatVersion): boolean {
  const stored = icebergTypeOf(node);
  if (stored === null || !isPrimitive(type)) return false;
  if (promotionOf(stored, type, version) !== undefined) return true;
  // Old writers left text without an annotation, and instants were theirs to tell from local times.
  if (stored.kind === 'binary') return type.kind === 'string' && node.logical === null;
  return node.physical === 'INT96' && type.kind === 'timestamp';
}

function nodeText(node: ParquetNode, { shape }: FileField): string {
  if (shape.kind !== 'leaf') return node.logical?.kind === 'variant' ? 'a variant' : `a ${shape.kind}`;
  return parquetTypeText(node, (type: PrimitiveType) => typeToText(type));
}
