import { invalidArgument } from '../../errors.ts';
import { parquetFields } from '../../formats/parquet/data-file-reader.ts';
import type { FileField } from '../../formats/data-file.ts';
import type { ParquetFooter } from '../../formats/parquet/footer.ts';
import { icebergTypeOf, parquetTypeText } from '../../formats/parquet/iceberg-type.ts';
import type { ParquetNode } from '../../formats/parquet/parquet-schema.ts';
import type { FormatVersion } from '../../spec/table-metadata.ts';
import { typeToText } from '../../spec/type-text.ts';
import type { IcebergType, NestedField, PrimitiveType } from '../../spec/types.ts';
import { promotionOf } from '../type-promotion.ts';

/** What the files seen so far say of a column; `file` is one that says so. */
type Inferred =
  | { readonly kind: 'leaf'; readonly type: PrimitiveType; readonly file: string }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, Inferred>; readonly file: string }
  | { readonly kind: 'list'; readonly element: Inferred; readonly file: string }
  | { readonly kind: 'map'; readonly key: Inferred; readonly value: Inferred; readonly file: string };

/**
 * The columns of files by name: those of all of them, of types that each file's may grow into. They are optional all,
 * whatever the files say, as the next file may lack them. Columns that have no type in any file, as they are null, are left
 * out before format version 3.
 */
export class FileSchemaUnion {
  readonly #version: FormatVersion;
  #columns: ReadonlyMap<string, Inferred> = new Map();

  constructor(version: FormatVersion) {
    this.#version = version;
  }

  /** INVALID_ARGUMENT that names file and column for types that Iceberg doesn't have or that don't go together. */
  add(footer: ParquetFooter, file: string): void {
    const nodes = new Map<number, ParquetNode>();
    const visit = (node: ParquetNode): void => {
      nodes.set(node.index, node);
      node.children.forEach(visit);
    };
    visit(footer.root);
    const source = { nodes, file };
    this.#columns = mergeFields(this.#columns, fieldsOf(parquetFields(footer), [], source), [], this.#version);
  }

  /** Their ids differ, and mean nothing. */
  columns(): readonly NestedField[] {
    let lastId = 0;
    const nextId = (): number => ++lastId;
    return typedFields(this.#columns, this.#version, nextId);
  }
}

interface Source {
  readonly nodes: ReadonlyMap<number, ParquetNode>;
  readonly file: string;
}

function fieldsOf(
  fields: readonly FileField[],
  path: readonly string[],
  source: Source,
): ReadonlyMap<string, Inferred> {
  const inferred = new Map<string, Inferred>();
  for (const field of fields) {
    const own = [...path, field.name];
    if (inferred.has(field.name)) throw unusable(own, source.file, 'is there twice');
    if (source.nodes.get(field.index)!.repetition === 'repeated') {
      throw unusable(own, source.file, 'is repeated without being annotated as a list');
    }
    inferred.set(field.name, inferField(field, own, source));
  }
  return inferred;
}

function inferField({ shape, index }: FileField, path: readonly string[], source: Source): Inferred {
  const { nodes, file } = source;
  const node = nodes.get(index)!;
  if (node.logical?.kind === 'variant') return { kind: 'leaf', type: { kind: 'variant' }, file };
  switch (shape.kind) {
    case 'leaf': {
      const type = icebergTypeOf(node);
      if (type === null) {
        throw unusable(path, file, `is ${parquetTypeText(node, typeToText)}, which no Iceberg type holds`);
      }
      return { kind: 'leaf', type, file };
    }
    case 'struct':
      return { kind: 'struct', fields: fieldsOf(shape.fields, path, source), file };
    case 'list':
      return { kind: 'list', element: inferField(shape.element, [...path, 'element'], source), file };
    case 'map': {
      const key = inferField(shape.key, [...path, 'key'], source);
      return { kind: 'map', key, value: inferField(shape.value, [...path, 'value'], source), file };
    }
  }
}

function unusable(path: readonly string[], file: string, why: string): Error {
  return invalidArgument(`The column '${path.join('.')}' of ${file} ${why}.`, { path: file });
}

function mergeFields(
  a: ReadonlyMap<string, Inferred>,
  b: ReadonlyMap<string, Inferred>,
  path: readonly string[],
  version: FormatVersion,
): ReadonlyMap<string, Inferred> {
  const fields = new Map(a);
  for (const [name, field] of b) {
    const known = a.get(name);
    fields.set(name, known === undefined ? field : merge(known, field, [...path, name], version));
  }
  return fields;
}

function merge(a: Inferred, b: Inferred, path: readonly string[], version: FormatVersion): Inferred {
  const { file } = a;
  if (a.kind === 'struct' && b.kind === 'struct') {
    return { kind: 'struct', fields: mergeFields(a.fields, b.fields, path, version), file };
  }
  if (a.kind === 'list' && b.kind === 'list') {
    return { kind: 'list', element: merge(a.element, b.element, [...path, 'element'], version), file };
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = merge(a.key, b.key, [...path, 'key'], version);
    return { kind: 'map', key, value: merge(a.value, b.value, [...path, 'value'], version), file };
  }
  const wider = widerLeaf(a, b, version);
  if (wider !== null) return wider;
  const problem = `is ${textOf(b)}, but ${textOf(a)} in ${a.file}`;
  // Files of other writers keep a column without values as one without a type.
  if (version < 3 && (isNothing(a) || isNothing(b)))
    throw unusable(path, b.file, `${problem}: that takes format version 3`);
  throw unusable(path, b.file, `${problem}. Rewrite one of them, or name the files that go together`);
}

function isNothing(inferred: Inferred): boolean {
  return inferred.kind === 'leaf' && inferred.type.kind === 'unknown';
}

function widerLeaf(a: Inferred, b: Inferred, version: FormatVersion): Inferred | null {
  if (a.kind !== 'leaf' || b.kind !== 'leaf') return null;
  if (promotionOf(b.type, a.type, version) !== undefined) return a;
  if (promotionOf(a.type, b.type, version) !== undefined) return b;
  return null;
}

function textOf(inferred: Inferred): string {
  return inferred.kind === 'leaf' ? typeToText(inferred.type) : `a ${inferred.kind}`;
}

function typedFields(
  fields: ReadonlyMap<string, Inferred>,
  version: FormatVersion,
  nextId: () => number,
): readonly NestedField[] {
  return [...fields].flatMap(([name, inferred]): readonly NestedField[] => {
    const type = typed(inferred, version, nextId);
    return type === null ? [] : [{ id: nextId(), name, required: false, type }];
  });
}

/** Null for what has no type in this version. */
function typed(inferred: Inferred, version: FormatVersion, nextId: () => number): IcebergType | null {
  switch (inferred.kind) {
    case 'leaf':
      return isNothing(inferred) && version < 3 ? null : inferred.type;
    case 'struct': {
      const fields = typedFields(inferred.fields, version, nextId);
      return fields.length === 0 && inferred.fields.size > 0 ? null : { kind: 'struct', fields };
    }
    case 'list': {
      const element = typed(inferred.element, version, nextId);
      return element && { kind: 'list', elementId: nextId(), elementRequired: false, element };
    }
    case 'map': {
      const [key, value] = [typed(inferred.key, version, nextId), typed(inferred.value, version, nextId)];
      return key && value && { kind: 'map', keyId: nextId(), key, valueId: nextId(), valueRequired: false, value };
    }
  }
}
