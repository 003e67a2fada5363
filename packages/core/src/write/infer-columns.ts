import type { ArrowFieldLike } from '../columns/from-arrow.ts';
import { sourceField } from '../columns/from-arrow.ts';
import type { SourceField, SourceType } from '../columns/source-type.ts';
import { sourceTypeToText } from '../columns/source-type.ts';
import { invalidArgument } from '../errors.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { IcebergType, NestedField, StructType } from '../spec/types.ts';
import { Variant } from '../spec/variant.ts';
import { arrowBatches, inputItems } from './input.ts';
import type { AppendData, InputItem } from './input.ts';

export interface InferredColumns {
  /**
   * The columns that the data has and the schema lacks, all optional, to be added by name (`unionByName`); new fields of
   * structs come inside their structs. Null if there are none.
   */
  readonly newColumns: StructType | null;
  /** The data, to be written instead of what was given: an iterable that can be read only once has been begun. */
  readonly data: AppendData;
}

export interface InferOptions {
  readonly formatVersion: FormatVersion;
  /** A column without a value is of type unknown; an error otherwise. */
  readonly unknownTypes?: boolean;
}

/** Of a stream, so many items are looked at; of an array or Arrow table, all. */
const PEEKED_ITEMS = 1000;

/**
 * Finds the columns that writing would add with `mergeSchema`. JS numbers become double, bigints long, Dates
 * timestamptz. INVALID_ARGUMENT where a type can't be told.
 */
export async function inferSchema(
  data: AppendData,
  schema: StructType,
  options: InferOptions,
): Promise<InferredColumns> {
  const items = inputItems(data);
  const peeked = Array.isArray(items) ? { first: items as readonly InputItem[], data } : await peek(items);
  let found: Inferred = { kind: 'struct', fields: new Map() };
  for (const item of peeked.first) {
    const batches = arrowBatches(item);
    // A table without rows has its columns all the same.
    const shape =
      batches === null
        ? inferRow(item)
        : inferArrow((item as { schema: { fields: readonly ArrowFieldLike[] } }).schema.fields);
    found = merge(found, shape, []);
  }
  const newColumns = newFields(found as InferredStruct, schema, [], new FieldIds(), options);
  return { newColumns, data: peeked.data };
}

async function peek(
  items: Iterable<InputItem> | AsyncIterable<InputItem>,
): Promise<{ readonly first: readonly InputItem[]; readonly data: AppendData }> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const first: InputItem[] = [];
  while (first.length < PEEKED_ITEMS) {
    const next = await iterator.next();
    if (next.done) return { first, data: first };
    first.push(next.value);
  }
  const rest = async function* (): AsyncGenerator<InputItem> {
    try {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  return { first, data: rest() };
}

/** What is known of a column's type. 'nothing': only nulls so far. */
type Inferred =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'leaf'; readonly type: (version: FormatVersion) => IcebergType; readonly text: string }
  | InferredStruct
  | { readonly kind: 'list'; readonly element: Inferred }
  | { readonly kind: 'map'; readonly key: Inferred; readonly value: Inferred };

interface InferredStruct {
  readonly kind: 'struct';
  readonly fields: ReadonlyMap<string, Inferred>;
}

const NOTHING: Inferred = { kind: 'nothing' };

function leaf(type: IcebergType): Inferred {
  return { kind: 'leaf', type: () => type, text: type.kind };
}

function inferRow(row: object): Inferred {
  // What is no row is refused when it is written.
  if (typeof row !== 'object' || row === null) return { kind: 'struct', fields: new Map() };
  return { kind: 'struct', fields: new Map(Object.entries(row).map(([name, value]) => [name, inferValue(value)])) };
}

function inferValue(value: unknown): Inferred {
  switch (typeof value) {
    case 'boolean':
      return leaf({ kind: 'boolean' });
    case 'number':
      return leaf({ kind: 'double' });
    case 'bigint':
      return leaf({ kind: 'long' });
    case 'string':
      return leaf({ kind: 'string' });
    case 'object':
      return value === null ? NOTHING : inferObject(value);
    default:
      return NOTHING;
  }
}

function inferObject(value: object): Inferred {
  if (value instanceof Date) return leaf({ kind: 'timestamptz' });
  if (value instanceof Uint8Array) return leaf({ kind: 'binary' });
  if (value instanceof Variant) return leaf({ kind: 'variant' });
  if (Array.isArray(value)) {
    return {
      kind: 'list',
      element: value.reduce<Inferred>((known, item) => merge(known, inferValue(item), ['element']), NOTHING),
    };
  }
  if (value instanceof Map) {
    let [key, item] = [NOTHING, NOTHING];
    for (const [k, v] of value)
      [key, item] = [merge(key, inferValue(k), ['key']), merge(item, inferValue(v), ['value'])];
    return { kind: 'map', key, value: item };
  }
  return inferRow(value);
}

function inferArrow(fields: readonly ArrowFieldLike[]): Inferred {
  return { kind: 'struct', fields: new Map(fields.map((field) => [field.name, inferSource(sourceField(field))])) };
}

function inferSource({ type, extension, name }: SourceField): Inferred {
  if (extension === 'arrow.parquet.variant') return leaf({ kind: 'variant' });
  switch (type.kind) {
    case 'null':
      return NOTHING;
    case 'struct':
      return { kind: 'struct', fields: new Map(type.fields.map((field) => [field.name, inferSource(field)])) };
    case 'list':
      return { kind: 'list', element: inferSource(type.item) };
    case 'map':
      return { kind: 'map', key: inferSource(type.key), value: inferSource(type.value) };
    default:
      return {
        kind: 'leaf',
        text: sourceTypeToText(type),
        type: (version) => leafOfSource(type, extension, version, name),
      };
  }
}

type LeafSource = Exclude<SourceType, { kind: 'null' | 'struct' | 'list' | 'map' }>;

function leafOfSource(
  type: LeafSource,
  extension: string | undefined,
  version: FormatVersion,
  name: string,
): IcebergType {
  switch (type.kind) {
    case 'bool':
      return { kind: 'boolean' };
    case 'int': {
      const bits = type.signed ? type.bits : type.bits * 2;
      if (bits > 64)
        throw invalidArgument(
          `The new column '${name}' is of type uint64, which no Iceberg type holds; cast it first.`,
        );
      return { kind: bits > 32 ? 'long' : 'int' };
    }
    case 'float':
      return { kind: type.bits === 32 ? 'float' : 'double' };
    case 'decimal':
      return { kind: 'decimal', precision: type.precision, scale: type.scale };
    case 'date':
      return { kind: 'date' };
    case 'time':
      return { kind: 'time' };
    case 'timestamp': {
      // Before v3 nanoseconds can't be kept; writing them as microseconds fails if it would lose any.
      const base = type.zoned ? 'timestamptz' : 'timestamp';
      return { kind: type.unit === 'ns' && version >= 3 ? `${base}_ns` : base };
    }
    case 'utf8':
      return { kind: 'string' };
    case 'binary':
      return version >= 3 && extension === 'geoarrow.wkb' ? { kind: 'geometry', crs: null } : { kind: 'binary' };
    case 'fixed':
      return extension === 'arrow.uuid' && type.width === 16 ? { kind: 'uuid' } : { kind: 'fixed', length: type.width };
  }
}

/** What holds for both: nulls fit anything, structs have the fields of both. */
function merge(a: Inferred, b: Inferred, path: readonly string[]): Inferred {
  if (a.kind === 'nothing') return b;
  if (b.kind === 'nothing') return a;
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = new Map(a.fields);
    for (const [name, field] of b.fields) fields.set(name, merge(fields.get(name) ?? NOTHING, field, [...path, name]));
    return { kind: 'struct', fields };
  }
  if (a.kind === 'list' && b.kind === 'list')
    return { kind: 'list', element: merge(a.element, b.element, [...path, 'element']) };
  if (a.kind === 'map' && b.kind === 'map') {
    return {
      kind: 'map',
      key: merge(a.key, b.key, [...path, 'key']),
      value: merge(a.value, b.value, [...path, 'value']),
    };
  }
  // Which of two leaf types wins matters for new columns only, and then writing the other's values fails with its place.
  if (a.kind === 'leaf' && b.kind === 'leaf') return a;
  throw invalidArgument(
    `The column '${path.join('.')}' holds values of different kinds: ${textOf(a)} and ${textOf(b)}.`,
  );
}

function textOf(inferred: Inferred): string {
  return inferred.kind === 'leaf' ? inferred.text : inferred.kind;
}

/** Field ids for the inferred fields: they only have to differ, as columns are added by name. */
class FieldIds {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

function newFields(
  found: InferredStruct,
  known: StructType | null,
  path: readonly string[],
  ids: FieldIds,
  options: InferOptions,
): StructType | null {
  const fields: NestedField[] = [];
  for (const [name, inferred] of found.fields) {
    const type = newType(
      inferred,
      known?.fields.find((field) => field.name === name)?.type ?? null,
      [...path, name],
      ids,
      options,
    );
    if (type !== null) fields.push({ id: ids.next(), name, required: false, type });
  }
  return fields.length === 0 ? null : { kind: 'struct', fields };
}

/** The type of a new column, or the part of a known one's type that is new; null if nothing is. */
function newType(
  inferred: Inferred,
  known: IcebergType | null,
  path: readonly string[],
  ids: FieldIds,
  options: InferOptions,
): IcebergType | null {
  switch (inferred.kind) {
    case 'nothing':
      if (known !== null) return null;
      if (options.unknownTypes) return { kind: 'unknown' };
      throw invalidArgument(
        `The new column '${path.join('.')}' has no values, so its type can't be told; add it with updateSchema().`,
      );
    case 'leaf':
      return known === null ? inferred.type(options.formatVersion) : null;
    case 'struct':
      // An object may also be what is given for a map, and anything for a variant.
      if (known !== null && known.kind !== 'struct') return null;
      return newFields(inferred, known, path, ids, options) ?? (known === null ? { kind: 'struct', fields: [] } : null);
    case 'list': {
      if (known !== null && known.kind !== 'list') return null;
      const element = newType(inferred.element, known?.element ?? null, [...path, 'element'], ids, options);
      return (
        element && { kind: 'list', elementId: ids.next(), elementRequired: known?.elementRequired ?? false, element }
      );
    }
    case 'map': {
      if (known !== null && known.kind !== 'map') return null;
      const [key, value] = [known?.key ?? null, known?.value ?? null];
      const newKey = newType(inferred.key, key, [...path, 'key'], ids, options);
      const newValue = newType(inferred.value, value, [...path, 'value'], ids, options);
      if (known !== null && newValue === null) return null;
      return {
        kind: 'map',
        keyId: ids.next(),
        key: newKey ?? key!,
        valueId: ids.next(),
        valueRequired: known?.valueRequired ?? false,
        value: newValue ?? value!,
      };
    }
  }
}
