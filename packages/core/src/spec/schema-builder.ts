import { invalidArgument } from '../errors.ts';
import { assignIds, freshIds } from './assign-ids.ts';
import { checkIdentifierFields } from './identifier-fields.ts';
import { findFieldByName } from './schema-fields.ts';
import type { Schema } from './schema.ts';
import { decimalType, fixedType, geographyType, geometryType, simpleType, typeToText } from './type-text.ts';
import type { IcebergType, NestedField, SimpleKind } from './types.ts';
import { toValue } from './user-values.ts';
import type { Value } from './values.ts';
import type { Variant } from './variant.ts';

declare const valueType: unique symbol;

/**
 * A column before it has a name and an id: what `t.long()` makes. Immutable; every method gives a new one. `T` is the
 * type of the column's values, `Required` whether null is ruled out.
 */
export interface ColumnType<T = unknown, Required extends boolean = boolean> {
  /** Ids inside a nested type are made up; the schema gives the real ones. */
  readonly type: IcebergType;
  readonly isRequired: boolean;
  readonly docText: string | null;
  /** What `default` was given, as an exact value; null for none. */
  readonly defaultValue: Value;
  readonly [valueType]?: T;

  /** No nulls. */
  required(): ColumnType<T, true>;
  /** Nulls are fine: how columns are unless `required()` is called. */
  optional(): ColumnType<T, false>;
  doc(text: string): ColumnType<T, Required>;
  /** v3: the value where rows have none, given as in a row. Rows written before the column was added have it too. */
  default(value: unknown): ColumnType<T, Required>;
}

export type Columns = Readonly<Record<string, ColumnType>>;

/** The type of one column's values. */
export type ColumnValue<C> =
  C extends ColumnType<infer T, infer Required> ? (Required extends true ? T : T | null) : never;

/** The type of rows with these columns. */
export type RowOf<C> = { -readonly [K in keyof C]: ColumnValue<C[K]> };

/** The types of columns: `t.long().required()`, `t.list(t.string())`, `t.struct({ lat: t.double() })`. */
export interface TypeBuilder {
  boolean(): ColumnType<boolean, false>;
  int(): ColumnType<number, false>;
  long(): ColumnType<bigint, false>;
  float(): ColumnType<number, false>;
  double(): ColumnType<number, false>;
  decimal(precision: number, scale: number): ColumnType<string, false>;
  date(): ColumnType<string, false>;
  time(): ColumnType<string, false>;
  timestamp(): ColumnType<string, false>;
  timestamptz(): ColumnType<string, false>;
  /** v3 */
  timestamp_ns(): ColumnType<string, false>;
  /** v3 */
  timestamptz_ns(): ColumnType<string, false>;
  string(): ColumnType<string, false>;
  uuid(): ColumnType<string, false>;
  /** `length` in bytes. */
  fixed(length: number): ColumnType<Uint8Array, false>;
  binary(): ColumnType<Uint8Array, false>;
  /** v3: always null. */
  unknown(): ColumnType<null, false>;
  /** v3 */
  variant(): ColumnType<Variant, false>;
  /** v3: WKB. */
  geometry(crs?: string): ColumnType<Uint8Array, false>;
  /** v3: WKB. */
  geography(crs?: string, algorithm?: string): ColumnType<Uint8Array, false>;
  struct<const C extends Columns>(fields: C): ColumnType<RowOf<C>, false>;
  list<E extends ColumnType>(element: E): ColumnType<ColumnValue<E>[], false>;
  /** Keys are never null. */
  map<K extends ColumnType, V extends ColumnType>(
    key: K,
    value: V,
  ): ColumnType<Map<NonNullable<ColumnValue<K>>, ColumnValue<V>>, false>;
}

interface ColumnParts {
  readonly isRequired: boolean;
  readonly docText: string | null;
  readonly defaultValue: Value;
}

const OPTIONAL: ColumnParts = { isRequired: false, docText: null, defaultValue: null };

function column<T, Required extends boolean>(type: IcebergType, parts: ColumnParts): ColumnType<T, Required> {
  return {
    type,
    ...parts,
    required: () => column(type, { ...parts, isRequired: true }),
    optional: () => column(type, { ...parts, isRequired: false }),
    doc: (text) => column(type, { ...parts, docText: text }),
    default: (value) => column(type, { ...parts, defaultValue: defaultOf(type, value) }),
  };
}

const simple =
  <T>(kind: SimpleKind) =>
  (): ColumnType<T, false> =>
    column(simpleType(kind), OPTIONAL);

export const t: TypeBuilder = {
  boolean: simple('boolean'),
  int: simple('int'),
  long: simple('long'),
  float: simple('float'),
  double: simple('double'),
  decimal: (precision, scale) => column(decimalType(precision, scale), OPTIONAL),
  date: simple('date'),
  time: simple('time'),
  timestamp: simple('timestamp'),
  timestamptz: simple('timestamptz'),
  timestamp_ns: simple('timestamp_ns'),
  timestamptz_ns: simple('timestamptz_ns'),
  string: simple('string'),
  uuid: simple('uuid'),
  fixed: (length) => column(fixedType(length), OPTIONAL),
  binary: simple('binary'),
  unknown: simple('unknown'),
  variant: simple('variant'),
  geometry: (crs) => column(geometryType(crs), OPTIONAL),
  geography: (crs, algorithm) => column(geographyType(crs, algorithm), OPTIONAL),
  struct: (fields) => column({ kind: 'struct', fields: namedFields(fields) }, OPTIONAL),
  list: (element) =>
    column({ kind: 'list', elementId: 0, elementRequired: element.isRequired, element: element.type }, OPTIONAL),
  map: (key, value) =>
    column(
      { kind: 'map', keyId: 0, key: key.type, valueId: 0, valueRequired: value.isRequired, value: value.type },
      OPTIONAL,
    ),
};

export interface SchemaOptions {
  /** Names of the columns that together identify a row; they are required and not floats. */
  readonly identifier?: readonly string[];
}

/**
 * A schema out of columns by name. Ids are given as the reference implementation gives them: all columns first, then
 * what is inside. INVALID_ARGUMENT for what can't be a schema.
 */
export function schema<const C extends Columns>(columns: C, options: SchemaOptions = {}): Schema<RowOf<C>> {
  return schemaOfFields(namedFields(columns), options.identifier ?? []) as Schema<RowOf<C>>;
}

/** The same out of fields whose ids are yet to be given. */
export function schemaOfFields(fields: readonly NestedField[], identifier: readonly string[]): Schema {
  const struct = assignIds({ kind: 'struct', fields }, freshIds(1).newId);
  const identifierFieldIds = identifier.map((name) => {
    const found = findFieldByName(struct, name);
    if (!found) throw invalidArgument(`There is no column '${name}' to be an identifier field.`);
    return found.field.id;
  });
  const result: Schema = { ...struct, schemaId: 0, identifierFieldIds };
  checkIdentifierFields(result);
  return result;
}

/** One column as a field; its id, and those inside its type, are yet to be given. */
export function columnToField(name: string, given: ColumnType): NestedField {
  if (given.type.kind === 'unknown' && given.isRequired) {
    throw invalidArgument(`The column '${name}' can't be required: values of type unknown are always null.`);
  }
  return {
    id: 0,
    name,
    required: given.isRequired,
    type: given.type,
    ...(given.docText !== null && { doc: given.docText }),
    ...(given.defaultValue !== null && { initialDefault: given.defaultValue, writeDefault: given.defaultValue }),
  };
}

function namedFields(columns: Columns): readonly NestedField[] {
  return Object.entries(columns).map(([name, given]) => {
    if (name === '') throw invalidArgument('A column needs a name that is not empty.');
    return columnToField(name, given);
  });
}

/** Some types always default to null, and a struct only to null or `{}` (spec: "Default values"). */
export function defaultOf(type: IcebergType, input: unknown): Value {
  if (input === null || input === undefined) return null;
  if (['unknown', 'variant', 'geometry', 'geography'].includes(type.kind)) {
    throw invalidArgument(`A column of type ${type.kind} can't have a default.`);
  }
  if (type.kind === 'struct') {
    if (typeof input !== 'object' || Object.keys(input).length > 0) {
      throw invalidArgument(`The default of ${typeToText(type)} can only be {}: its fields have their own defaults.`);
    }
    return type.fields.map(() => null);
  }
  return toValue(type, input, 'the default');
}
