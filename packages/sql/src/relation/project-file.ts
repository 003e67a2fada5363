import type { DataFile, FileScanTask, IcebergType, NestedField, Schema, StructType } from '@lh/core';
import { isPrimitive } from '@lh/core';
import { absentValue, invalidData, partitionConstants } from '@lh/core/engine';
import { quoteName, quoteString } from '../text/quote.ts';
import { duckdbNames, duckdbType } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';
import { holdsVariant } from '../types/variant-bytes.ts';
import { isVariant } from './file-schema.ts';
import type { FileNode, FileSchema } from './file-schema.ts';
import { leafCast } from './leaf-casts.ts';

/** A file that DuckDB can't read exactly, and why. */
class NeedsCoreReader extends Error {}

/** A select list that turns a file's columns into the table's, by field id (spec: "Column Projection"). */
export type SelectList = readonly string[];

/** Whether the column of an index is read. */
export type IsRead = (index: number) => boolean;

/** Builds the select lists of a scan's files; those that are read alike share one. */
export class FileProjector {
  readonly #schema: Schema;
  readonly #guarded: ReadonlySet<number>;
  readonly #isRead: IsRead;
  readonly #known = new Map<FileSchema, FileShape>();

  /**
   * `guarded` are the indexes of columns that DuckDB must not judge by statistics. Columns that `isRead` says are not
   * read are null, and the files' are not touched.
   */
  constructor(schema: Schema, guarded: ReadonlySet<number>, isRead: IsRead = () => true) {
    this.#schema = schema;
    this.#guarded = guarded;
    this.#isRead = isRead;
  }

  /** Null if DuckDB would not give the file's exact values. */
  tryProject(file: FileSchema, task: FileScanTask): SelectList | null {
    try {
      return this.#project(file, task);
    } catch (error) {
      if (error instanceof NeedsCoreReader) return null;
      throw error;
    }
  }

  #project(fileSchema: FileSchema, task: FileScanTask): SelectList {
    let shape = this.#known.get(fileSchema);
    if (!shape) {
      shape = fileShape(this.#schema, fileSchema, this.#isRead);
      this.#known.set(fileSchema, shape);
    }
    const constants = shape.missing.map(({ field, isRead }) =>
      isRead ? absent(field, task) : valueLiteral(field.type, null),
    );
    const withNaN = shape.floats.filter(({ leafIds }) => leafIds.some((id) => mayHoldNaN(task.file, id)));
    const guarded = new Set([...this.#guarded, ...withNaN.map(({ index }) => index)]);
    const key = `${[...guarded].join()};${constants.join()}`;
    let list = shape.lists.get(key);
    if (!list) {
      list = selectList(this.#schema, shape, constants, guarded);
      shape.lists.set(key, list);
    }
    return list;
  }
}

/** What is the same for all files of one schema. */
interface FileShape {
  /** Columns of the table that the files have, as SQL; null for those that they lack. */
  readonly stored: readonly (string | null)[];
  readonly missing: readonly { readonly field: NestedField; readonly isRead: boolean }[];
  /** Columns with floating-point numbers that DuckDB has statistics of. */
  readonly floats: readonly { readonly index: number; readonly leafIds: readonly number[] }[];
  /** By what differs between files of one schema. */
  readonly lists: Map<string, SelectList>;
}

function fileShape(schema: Schema, file: FileSchema, isRead: IsRead): FileShape {
  const names = duckdbNames({
    kind: 'struct',
    fields: file.fields.map((node) => ({ id: 0, name: node.name, required: false, type: { kind: 'unknown' } })),
  });
  const byId = new Map(file.fields.map((node, i) => [node.fieldId, { node, access: quoteName(names[i]!) }]));
  const stored = schema.fields.map(({ id, type }, i) => {
    const found = isRead(i) ? byId.get(id) : undefined;
    return found ? project(type, found.node, found.access) : null;
  });
  const floats = schema.fields.flatMap(({ id, type }, index) => {
    const leafIds = stored[index] === null ? [] : floatLeaves(type, id);
    return leafIds.length > 0 ? [{ index, leafIds }] : [];
  });
  const missing = schema.fields.flatMap((field, i) => (stored[i] === null ? [{ field, isRead: isRead(i) }] : []));
  return { stored, missing, floats, lists: new Map() };
}

/** Leaves that filters reach: what is inside lists and maps is not compared with statistics. */
function floatLeaves(type: IcebergType, id: number): readonly number[] {
  if (type.kind === 'float' || type.kind === 'double') return [id];
  return type.kind === 'struct' ? type.fields.flatMap((field) => floatLeaves(field.type, field.id)) : [];
}

/** Statistics that aren't there say nothing. */
function mayHoldNaN(file: DataFile, fieldId: number): boolean {
  return file.nanValueCounts?.get(fieldId) !== 0;
}

function selectList(
  schema: Schema,
  { stored }: FileShape,
  constants: readonly string[],
  guarded: ReadonlySet<number>,
): SelectList {
  const names = duckdbNames(schema).map(quoteName);
  const values = constants.values();
  return stored.map((access, i) => {
    const expression = access ?? (values.next().value as string);
    const name = names[i]!;
    if (access !== null && (guarded.has(i) || hasVariantInside(schema.fields[i]!.type)))
      return `${guard(expression)} AS ${name}`;
    return expression === name ? name : `${expression} AS ${name}`;
  });
}

/** DuckDB 1.5 fails (`INTERNAL Error`) where a path into a struct goes on into a variant, if its reader may follow it. */
function hasVariantInside(type: IcebergType): boolean {
  return type.kind === 'struct' && holdsVariant(type);
}

/**
 * DuckDB believes Parquet's minimum and maximum, which leave NaN out, although to DuckDB NaN is the greatest number: it
 * skips row groups that hold matching rows, and folds comparisons (`x > 5` is false of NaN then, and `x <= 5` true). It
 * also skips row groups of nulls only for `x IS DISTINCT FROM 0 OR x = 1`, though null is distinct from 0. TRY is the cheapest thing that changes no value and that no statistics pass through.
 */
function guard(expression: string): string {
  return `try(${expression})`;
}

/** The value of a column that a file lacks, as SQL. */
function absent(field: NestedField, task: FileScanTask): string {
  const value = absentValue(field, partitionConstants(task));
  if (value === null && field.required) {
    throw invalidData(
      `The column '${field.name}' is required, but missing in the data file ${task.file.path}, and it has no default.`,
      { path: task.file.path },
    );
  }
  return valueLiteral(field.type, value);
}

/** `access`, which reads the file's node, as the column's type; `access` itself if nothing has to change. */
function project(type: IcebergType, node: FileNode, access: string): string {
  if (type.kind === 'variant') {
    if (isVariant(node)) return access;
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
