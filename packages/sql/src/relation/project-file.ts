import type { IcebergType, NestedField, PartitionSpec, PartitionTuple, Schema, StructType, Value } from '@lh/core';
import { isPrimitive } from '@lh/core';
import { invalidData } from '@lh/core/engine';
import { quoteName, quoteString } from '../text/quote.ts';
import { duckdbNames, duckdbType } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';
import type { FileNode, FileSchema } from './file-schema.ts';
import { leafCast } from './leaf-casts.ts';

/** A file that DuckDB can't read exactly, and why. */
export class NeedsCoreReader extends Error {}

export interface PartitionValues {
  readonly spec: PartitionSpec;
  readonly tuple: PartitionTuple;
}

/** A select list that turns a file's columns into the table's, by field id (spec: "Column Projection"). */
export interface FileProjection {
  readonly expressions: readonly string[];
  /** What differs between files of one schema: values of columns that they don't store. Part of a group's identity. */
  readonly key: string;
}

export function projectFile(
  schema: Schema,
  file: FileSchema,
  partition: PartitionValues,
  path: string,
): FileProjection {
  const names = duckdbNames({
    kind: 'struct',
    fields: file.fields.map((node) => ({ id: 0, name: node.name, required: false, type: { kind: 'unknown' } })),
  });
  const byId = new Map(file.fields.map((node, i) => [node.fieldId, { node, access: quoteName(names[i]!) }]));
  const missing: string[] = [];
  const expressions = schema.fields.map((field) => {
    const found = byId.get(field.id);
    if (found) return project(field.type, found.node, found.access);
    const value = absent(field, partition);
    if (value === null && field.required) {
      throw invalidData(
        `The column '${field.name}' is required, but missing in the data file ${path}, and it has no default.`,
        { path },
      );
    }
    const text = valueLiteral(field.type, value);
    missing.push(text);
    return text;
  });
  return { expressions, key: missing.join(',') };
}

/** The value of a column that a file lacks: from an identity partition, else its initial default, else null. */
function absent(field: NestedField, { spec, tuple }: PartitionValues): Value {
  const index = spec.fields.findIndex(
    ({ transform, sourceIds }) => transform.kind === 'identity' && sourceIds.length === 1 && sourceIds[0] === field.id,
  );
  const fromPartition = index < 0 ? undefined : tuple[index];
  return fromPartition ?? field.initialDefault ?? null;
}

/** `access`, which reads the file's node, as the column's type; `access` itself if nothing has to change. */
function project(type: IcebergType, node: FileNode, access: string): string {
  if (type.kind === 'variant') {
    if (node.children.some((child) => child.name === 'metadata')) return access;
    throw new NeedsCoreReader('a variant in a form of its own');
  }
  if (isPrimitive(type)) {
    const cast = node.kind === 'leaf' ? leafCast(type, node.type ?? '', access) : null;
    if (cast === null) throw new NeedsCoreReader(`a ${node.type ?? node.kind} as ${duckdbType(type)}`);
    return cast;
  }
  if (type.kind !== node.kind) throw new NeedsCoreReader(`a ${node.kind} as ${type.kind}`);
  switch (type.kind) {
    case 'struct':
      return projectStruct(type, node, access);
    case 'list': {
      const element = project(type.element, node.children[0]!, ELEMENT);
      return element === ELEMENT ? access : `list_transform(${access}, lambda ${ELEMENT}: ${element})`;
    }
    case 'map': {
      const [key, value] = [fieldOf(ELEMENT, 'key'), fieldOf(ELEMENT, 'value')];
      const newKey = project(type.key, node.children[0]!, key);
      const newValue = project(type.value, node.children[1]!, value);
      if (newKey === key && newValue === value) return access;
      const entries = `list_transform(map_entries(${access}), lambda ${ELEMENT}: struct_pack(key := ${newKey}, value := ${newValue}))`;
      return `CASE WHEN ${access} IS NULL THEN NULL ELSE map_from_entries(${entries}) END`;
    }
  }
}

/** `access."name"` could as well be a column of a table called `access`. */
function fieldOf(access: string, name: string): string {
  return `struct_extract(${access}, ${quoteString(name)})`;
}

/** Lambdas nest, and each hides the names of those around it, which it doesn't need. */
const ELEMENT = 'x';

function projectStruct(type: StructType, node: FileNode, access: string): string {
  const names = duckdbNames(type);
  const parts = type.fields.map(({ id, type: fieldType, initialDefault }) => {
    const child = node.children.find(({ fieldId }) => fieldId === id);
    return child
      ? project(fieldType, child, fieldOf(access, child.name))
      : valueLiteral(fieldType, initialDefault ?? null);
  });
  const unchanged =
    node.children.length === type.fields.length &&
    node.children.every(({ name }, i) => name === names[i] && parts[i] === fieldOf(access, name));
  if (unchanged) return access;
  const fields = parts.map((part, i) => `${quoteName(names[i]!)} := ${part}`).join(', ');
  return `CASE WHEN ${access} IS NULL THEN NULL ELSE struct_pack(${fields}) END`;
}
