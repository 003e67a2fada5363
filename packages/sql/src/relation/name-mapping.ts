import type { NameMapping } from '@lh/core/engine';
import type { FileNode, FileSchema } from './file-schema.ts';

const withIds = new WeakMap<FileSchema, { readonly mapping: NameMapping; readonly schema: FileSchema }>();

/** Gives the columns of a file that has no field ids those of the table's name mapping. */
export function withMappedIds(file: FileSchema, mapping: NameMapping): FileSchema {
  // Files of one schema share the object, with ids too.
  const known = withIds.get(file);
  if (known?.mapping === mapping) return known.schema;
  const schema = { fields: mapNodes(file.fields, (node) => node.name, mapping), hasIds: true };
  withIds.set(file, { mapping, schema });
  return schema;
}

function mapNodes(
  nodes: readonly FileNode[],
  nameOf: (node: FileNode, index: number) => string,
  mapping: NameMapping,
): readonly FileNode[] {
  return nodes.map((node, index) => {
    const mapped = mapping.find(({ names }) => names.includes(nameOf(node, index)));
    const children = mapNodes(node.children, CHILD_NAMES[node.kind], mapped?.fields ?? []);
    return { ...node, fieldId: mapped?.fieldId ?? null, children };
  });
}

/** Lists and maps are mapped by fixed names (spec: "Name Mapping Serialization"). */
const CHILD_NAMES: Readonly<Record<FileNode['kind'], (node: FileNode, index: number) => string>> = {
  leaf: (node) => node.name,
  struct: (node) => node.name,
  list: () => 'element',
  map: (_, index) => (index === 0 ? 'key' : 'value'),
};
