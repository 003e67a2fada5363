import { invalidArgument, unsupported } from '../errors.ts';
import type { PartitionFieldInput } from './inputs.ts';
import type { PartitionField, PartitionSpec } from './partition-spec.ts';
import { findFieldByName, indexById } from './schema-fields.ts';
import type { Transform, TransformKind } from './transform.ts';
import { transformAccepts } from './transform-sources.ts';
import { transformsEqual, transformToText } from './transform-text.ts';
import { typeToText } from './type-text.ts';
import type { NestedField, StructType } from './types.ts';

export interface PartitionFieldOptions {
  /** In place of the name that Iceberg Java gives. */
  readonly name?: string;
}

/** How a table is partitioned, one field a call: `partitionBy.day('ts')`, `partitionBy.bucket(16, 'id')`. */
export interface PartitionBy {
  identity(column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  /** By a hash of the value, into `buckets` buckets. */
  bucket(buckets: number, column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  /** By the first `width` characters or bytes; numbers by their multiple of `width`. */
  truncate(width: number, column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  year(column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  month(column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  day(column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  hour(column: string, options?: PartitionFieldOptions): PartitionFieldInput;
  /** A field that is always null: what v1 tables have in place of a dropped one. */
  void(column: string, options?: PartitionFieldOptions): PartitionFieldInput;
}

type SimpleTransformKind = Exclude<TransformKind, 'bucket' | 'truncate' | 'unknown'>;

const byKind =
  (kind: SimpleTransformKind) =>
  (column: string, options: PartitionFieldOptions = {}): PartitionFieldInput => ({
    column,
    transform: { kind },
    ...options,
  });

export const partitionBy: PartitionBy = {
  identity: byKind('identity'),
  bucket: (buckets, column, options = {}) => ({
    column,
    transform: { kind: 'bucket', buckets: positive(buckets, 'The number of buckets') },
    ...options,
  }),
  truncate: (width, column, options = {}) => ({
    column,
    transform: { kind: 'truncate', width: positive(width, 'The width to truncate to') },
    ...options,
  }),
  year: byKind('year'),
  month: byKind('month'),
  day: byKind('day'),
  hour: byKind('hour'),
  void: byKind('void'),
};

/** The suffix of a partition field's default name, as Iceberg Java has it. */
const NAME_SUFFIXES: Readonly<Record<Exclude<TransformKind, 'unknown'>, string>> = {
  identity: '',
  bucket: '_bucket',
  truncate: '_trunc',
  year: '_year',
  month: '_month',
  day: '_day',
  hour: '_hour',
  void: '_null',
};

/** `ts_day`, `id_bucket`; the column's own name for identity. */
export function defaultPartitionName(column: string, transform: Transform): string {
  return transform.kind === 'unknown' ? column : column + NAME_SUFFIXES[transform.kind];
}

export interface BindPartitionSpecOptions {
  readonly specId: number;
  /** The highest partition field id in use; 999 before there is any. */
  readonly lastPartitionId: number;
  /** The table's other specs: an equal field keeps its id (spec: "Partition Evolution"). */
  readonly existingSpecs?: readonly PartitionSpec[];
}

/** Resolves columns and gives ids and names. INVALID_ARGUMENT for a field that the schema doesn't allow. */
export function bindPartitionSpec(
  schema: StructType,
  inputs: readonly PartitionFieldInput[],
  options: BindPartitionSpecOptions,
): PartitionSpec {
  let lastId = options.lastPartitionId;
  const earlier = (options.existingSpecs ?? []).flatMap((spec) => spec.fields);
  const taken = new Set<number>();
  const fields = inputs.map((input): PartitionField => {
    const { column, transform, name } = checkedInput(input);
    const source = transformSource(schema, column, transform, 'partition by');
    const equal = earlier.find(
      (field) =>
        field.sourceIds.length === 1 &&
        field.sourceIds[0] === source.id &&
        transformsEqual(field.transform, transform) &&
        !taken.has(field.fieldId),
    );
    const fieldId = equal?.fieldId ?? ++lastId;
    taken.add(fieldId);
    return { sourceIds: [source.id], fieldId, name: name ?? defaultPartitionName(column, transform), transform };
  });
  checkPartitionFields(schema, fields);
  return { specId: options.specId, fields };
}

/** Callers without types may give a column's name alone. */
function checkedInput(input: PartitionFieldInput): PartitionFieldInput {
  if (typeof input === 'object' && input?.transform) return input;
  throw invalidArgument(
    `A partition field is made by partitionBy, as in partitionBy.identity('city') or partitionBy.day('ts'), not ${JSON.stringify(input)}.`,
  );
}

/**
 * What holds for the fields of any spec that is written: names are unique, no two fields say the same. Fields that are
 * made together name one time unit of a column; an evolved spec may have several, as in Java.
 */
export function checkPartitionFields(
  schema: StructType,
  fields: readonly Omit<PartitionField, 'fieldId'>[],
  options: { readonly severalTimeUnits?: boolean } = {},
): void {
  const names = new Set<string>();
  const meanings = new Set<string>();
  for (const { name, sourceIds, transform } of fields) {
    if (name === '') throw invalidArgument('A partition field needs a name that is not empty.');
    if (names.has(name))
      throw invalidArgument(`Two partition fields are called '${name}'; name one of them differently.`);
    names.add(name);

    const column = findFieldByName(schema, name)?.field;
    const isOwnColumn = transform.kind === 'identity' && sourceIds.length === 1 && sourceIds[0] === column?.id;
    // A dropped field of a v1 table stays as void under its old name, which may be its column's.
    if (column && !isOwnColumn && transform.kind !== 'void') {
      throw invalidArgument(`The partition field '${name}' would hide the column of that name; give it another name.`);
    }

    if (transform.kind === 'void') continue;
    const meaning = `${sourceIds.join(',')}:${TIME_TRANSFORMS.has(transform.kind) && !options.severalTimeUnits ? 'time' : transformToText(transform)}`;
    if (meanings.has(meaning)) {
      throw invalidArgument(`The partition field '${name}' is redundant: another field partitions the same column so.`);
    }
    meanings.add(meaning);
  }
}

const TIME_TRANSFORMS: ReadonlySet<TransformKind> = new Set(['year', 'month', 'day', 'hour']);

/** The column that a transform reads, if it may. `purpose` completes "can't … the column". */
export function transformSource(
  schema: StructType,
  column: string,
  transform: Transform,
  purpose: string,
): NestedField {
  if (transform.kind === 'unknown') {
    throw unsupported(`The transform '${transform.text}' isn't known to this version, so it can't be written with.`);
  }
  const found = findFieldByName(schema, column);
  if (!found) throw invalidArgument(`There is no column '${column}' to ${purpose}.`);
  const index = indexById(schema);
  for (let id = index.get(found.field.id)!.parentId; id !== null; id = index.get(id)!.parentId) {
    const parent = index.get(id)!;
    if (parent.field.type.kind !== 'struct') {
      throw invalidArgument(
        `Can't ${purpose} '${column}': it is inside the ${parent.field.type.kind} '${parent.path.join('.')}'.`,
      );
    }
  }
  if (!transformAccepts(transform, found.field.type)) {
    throw invalidArgument(
      `Can't ${purpose} ${transformToText(transform)} of '${column}': the transform doesn't take ${typeToText(found.field.type)}.`,
    );
  }
  return found.field;
}

function positive(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= 0x7fff_ffff) return value;
  throw invalidArgument(`${what} must be a positive whole number, not ${value}.`);
}
