import { invalidData, unsupported } from '../errors.ts';
import type { ParquetFooter } from '../formats/parquet/footer.ts';
import { shapeOf } from '../formats/parquet/parquet-schema.ts';
import type { ParquetNode } from '../formats/parquet/parquet-schema.ts';
import { childFields } from '../spec/schema-fields.ts';
import { isPrimitive } from '../spec/types.ts';
import type { IcebergType, StructType } from '../spec/types.ts';
import { mappedField } from '../spec/name-mapping.ts';
import type { NameMapping } from '../spec/name-mapping.ts';

/** Which element of a file's schema stores which field. */
export type FileFields = ReadonlyMap<number, ParquetNode>;

/**
 * Field ids as the file has them; those of a file without any come from the table's name mapping (spec: "Column
 * Projection"). INVALID_DATA if there is neither: columns are never matched by name or position alone.
 */
export function fileFields(footer: ParquetFooter, nameMapping: NameMapping | null, location: string): FileFields {
  const fields = new Map<number, ParquetNode>();
  const add = (id: number, node: ParquetNode): void => {
    if (fields.has(id))
      throw invalidData(`The data file ${location} uses the field id ${id} twice.`, { path: location });
    fields.set(id, node);
  };
  collectIds(footer.root, add);
  if (fields.size > 0 || footer.leaves.length === 0) return fields;
  if (nameMapping === null) {
    throw invalidData(
      `The data file ${location} has no field ids and its table has no name mapping, so its columns can't be told apart. ` +
        "Set the table property 'schema.name-mapping.default'.",
      { path: location },
    );
  }
  mapNames(footer.root, nameMapping, add);
  return fields;
}

function collectIds(node: ParquetNode, add: (id: number, node: ParquetNode) => void): void {
  for (const child of node.children) {
    if (child.fieldId !== null) add(child.fieldId, child);
    collectIds(child, add);
  }
}

/** Lists and maps are mapped by the names 'element', 'key' and 'value' (spec: "Name Mapping Serialization"). */
function mapNames(node: ParquetNode, mapping: NameMapping, add: (id: number, node: ParquetNode) => void): void {
  for (const [name, child] of namedChildren(node)) {
    const mapped = mappedField(mapping, name);
    if (mapped === undefined) continue;
    if (mapped.fieldId !== null) add(mapped.fieldId, child);
    mapNames(child, mapped.fields, add);
  }
}

function namedChildren(node: ParquetNode): readonly (readonly [string, ParquetNode])[] {
  const shape = shapeOf(node);
  switch (shape.kind) {
    case 'leaf':
      return [];
    case 'struct':
      return shape.fields.map((field) => [field.name, field]);
    case 'list':
      return [['element', shape.element]];
    case 'map':
      return [
        ['key', shape.key],
        ['value', shape.value],
      ];
  }
}

/** The leaves to decode for a struct's fields, ascending. Fields that the file lacks need none. */
export function leavesFor(type: StructType, fields: FileFields): readonly number[] {
  const leaves = new Set<number>();
  for (const field of type.fields) addLeaves(field.type, fields.get(field.id), fields, leaves);
  return [...leaves].toSorted((a, b) => a - b);
}

function addLeaves(type: IcebergType, node: ParquetNode | undefined, fields: FileFields, leaves: Set<number>): void {
  if (node === undefined) return;
  const inside = (id: number): ParquetNode | undefined => {
    const child = fields.get(id);
    return child && child.leaves[0] >= node.leaves[0] && child.leaves[1] <= node.leaves[1] ? child : undefined;
  };
  const before = leaves.size;
  if (isPrimitive(type) || isTwoLevelList(node))
    for (let leaf = node.leaves[0]; leaf < node.leaves[1]; leaf++) leaves.add(leaf);
  else for (const child of childFields(type)) addLeaves(child.type, inside(child.id), fields, leaves);
  // Of a struct or list none of whose wanted fields is in the file, one leaf still tells which rows are null, and how long.
  if (leaves.size === before && node.leaves[1] > node.leaves[0]) leaves.add(node.leaves[0]);
}

/** Old writers' lists without a level of their own: with only some columns left they would be taken for new ones. */
function isTwoLevelList(node: ParquetNode): boolean {
  const shape = shapeOf(node);
  return shape.kind === 'list' && shape.element.repetition === 'repeated';
}

/** UNSUPPORTED if a wanted variant column is shredded: its parts would have to be put together again. */
export function refuseShreddedVariants(type: IcebergType, fields: FileFields, location: string): void {
  for (const field of childFields(type)) {
    if (field.type.kind === 'variant' && fields.get(field.id)?.children.some((child) => child.name === 'typed_value')) {
      throw unsupported(
        `The variant column '${field.name}' of the data file ${location} is shredded, which can't be read yet.`,
        {
          path: location,
        },
      );
    }
    refuseShreddedVariants(field.type, fields, location);
  }
}
