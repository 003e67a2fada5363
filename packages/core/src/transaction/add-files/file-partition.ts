import { invalidArgument, unsupported } from '../../errors.ts';
import { compareValues, valuesEqual } from '../../spec/compare-values.ts';
import { mappedFieldId } from '../../spec/name-mapping.ts';
import type { NameMapping } from '../../spec/name-mapping.ts';
import type { PartitionField, PartitionSpec, PartitionTuple } from '../../spec/partition-spec.ts';
import { findField, findFieldByName, fieldPath, indexById } from '../../spec/schema-fields.ts';
import { bytesToValue } from '../../spec/single-value.ts';
import type { Transform } from '../../spec/transform.ts';
import { isPrimitive } from '../../spec/types.ts';
import type { PrimitiveType, StructType } from '../../spec/types.ts';
import { fromValue, toValue } from '../../spec/user-values.ts';
import type { Value } from '../../spec/values.ts';
import { applyTransform, preservesOrder, transformResultType } from '../../transforms/transforms.ts';
import { fileMetrics } from '../../write/metrics.ts';
import type { FileMetrics } from '../../write/metrics.ts';
import { directoryValueCandidates, directoryValues } from './path-values.ts';
import { withFieldIds } from './stored-file.ts';
import type { StoredFile } from './stored-file.ts';

/** Values by the names of partition fields, as users give values. */
export type PartitionInput = Readonly<Record<string, unknown>>;

export interface PartitionedTable {
  readonly schema: StructType;
  readonly spec: PartitionSpec;
  readonly nameMapping: NameMapping;
}

/**
 * The partition that a file's rows are all in. Of each field: what was given; for identity fields what a directory of
 * the path says, `country=KR`; else what the column's bounds say, where they leave one value only. What the file itself
 * holds is believed first: INVALID_ARGUMENT if that is another value, several, or can't be told.
 */
export function filePartition(
  file: StoredFile,
  { schema, spec, nameMapping }: PartitionedTable,
  hivePath: string,
  given: PartitionInput | undefined,
): PartitionTuple {
  const fail = (name: string, why: string): never => {
    throw invalidArgument(`${file.location} can't be added: its value of the partition field '${name}' ${why}.`, {
      path: file.location,
    });
  };
  const directories = directoryValues(hivePath);
  checkNames(given, spec, file.location);
  checkDirectories(file, directories, { schema, spec, nameMapping });
  const statistics = partitionStatistics(file, schema, spec);
  const constants = new Map<number, Value>();
  const valueOf = (field: PartitionField): Value => {
    const { name, transform } = field;
    if (transform.kind === 'void') return null;
    const source = sourceOf(field, schema);
    if (source === null) return fail(name, 'has no source column that this version knows');
    const result = transformResultType(transform, source.type);
    const known = knownValues(file, source, transform, statistics, constants);
    const candidates = givenValues(field, result, given, directories, { schema, nameMapping });
    const own = ownValue(known);
    const fitting = candidates === null ? own : candidates.find((value) => isPossible(known, value, result));
    const value = candidates?.length === 0 ? own : fitting;
    if (value === undefined) return fail(name, candidates ? contradiction(candidates, known, result) : unclear(known));
    if (transform.kind === 'identity') constants.set(source.id, value);
    return value;
  };
  // Identity fields tell the values of columns that the file lacks, which others are made of.
  const isIdentity = ({ transform }: PartitionField): boolean => transform.kind === 'identity';
  const inOrder = [...spec.fields.filter(isIdentity), ...spec.fields.filter((field) => !isIdentity(field))];
  const values = new Map(inOrder.map((field) => [field.fieldId, valueOf(field)]));
  return spec.fields.map(({ fieldId }) => values.get(fieldId) ?? null);
}

interface SourceColumn {
  readonly id: number;
  readonly type: PrimitiveType;
  readonly initialDefault: Value;
}

function sourceOf({ sourceIds, transform }: PartitionField, schema: StructType): SourceColumn | null {
  if (transform.kind === 'unknown') {
    throw unsupported(`Files can't be added to a table partitioned by '${transform.text}', which is not known.`);
  }
  const [id, ...more] = sourceIds;
  const field = id === undefined || more.length > 0 ? undefined : findField(schema, id);
  if (!field || !isPrimitive(field.type)) return null;
  return { id: field.id, type: field.type, initialDefault: field.initialDefault ?? null };
}

/** Full bounds of the columns that the spec is about, whatever metrics the table keeps. */
function partitionStatistics(file: StoredFile, schema: StructType, { fields }: PartitionSpec): FileMetrics {
  const modes = new Map(fields.flatMap(({ sourceIds }) => sourceIds.map((id) => [id, { mode: 'full' }] as const)));
  const footer = { root: withFieldIds(file, schema), leaves: file.footer.leaves };
  return fileMetrics(schema, footer, file.rowGroups, modes, new Map());
}

/** What a file's own columns say of a partition field's value. */
type Known =
  | { readonly kind: 'one'; readonly value: Value }
  /** Not null, and between these; `several` if there are surely more values than one. */
  | { readonly kind: 'within'; readonly lower: Value; readonly upper: Value; readonly several: boolean }
  | { readonly kind: 'mixed with nulls' }
  | { readonly kind: 'absent'; readonly initialDefault: Value }
  | { readonly kind: 'unknown' };

function knownValues(
  { fields, rowGroups }: StoredFile,
  source: SourceColumn,
  transform: Transform,
  statistics: FileMetrics,
  constants: ReadonlyMap<number, Value>,
): Known {
  const { id, type } = source;
  const apply = applyTransform(transform, type);
  if (!fields.has(id)) {
    // An identity field itself says what is read of a column that the file lacks (spec: "Column Projection").
    if (transform.kind === 'identity') return { kind: 'absent', initialDefault: source.initialDefault };
    const constant = constants.get(id);
    return { kind: 'one', value: apply(constant === undefined ? source.initialDefault : constant) };
  }
  const rows = rowGroups.reduce((sum, group) => sum + group.rowCount, 0);
  const nulls = statistics.nullValueCounts?.get(id);
  if (nulls === undefined) return { kind: 'unknown' };
  if (nulls === rows) return { kind: 'one', value: null };
  if (nulls > 0) return { kind: 'mixed with nulls' };
  const [lowerBytes, upperBytes] = [statistics.lowerBounds?.get(id), statistics.upperBounds?.get(id)];
  if (lowerBytes === undefined || upperBytes === undefined) return { kind: 'unknown' };
  const [lower, upper] = [bytesToValue(type, lowerBytes), bytesToValue(type, upperBytes)];
  if (!preservesOrder(transform) && !valuesEqual(type, lower, upper)) return { kind: 'unknown' };
  const [first, last] = [apply(lower), apply(upper)];
  // Bounds say nothing of NaNs, and a zero in them may be either zero.
  const isFloating = type.kind === 'float' || type.kind === 'double';
  if (!isFloating && valuesEqual(transformResultType(transform, type), first, last))
    return { kind: 'one', value: first };
  // Those of text and bytes may have been cut.
  const isExact = !isFloating && !['string', 'binary', 'fixed'].includes(type.kind);
  return { kind: 'within', lower: first, upper: last, several: isExact };
}

/** What the file says of itself. A column of nulls it may mean by having none, but a mistake is likelier. */
function ownValue(known: Known): Value | undefined {
  if (known.kind === 'one') return known.value;
  return known.kind === 'absent' ? (known.initialDefault ?? undefined) : undefined;
}

function isPossible(known: Known, value: Value, type: PrimitiveType): boolean {
  switch (known.kind) {
    case 'one':
      return valuesEqual(type, known.value, value);
    case 'within': {
      if (value === null || known.several) return false;
      const compare = compareValues(type);
      return compare(known.lower, value) <= 0 && compare(value, known.upper) <= 0;
    }
    case 'mixed with nulls':
      return false;
    case 'absent':
    case 'unknown':
      return true;
  }
}

function givenValues(
  { name, transform, sourceIds }: PartitionField,
  type: PrimitiveType,
  given: PartitionInput | undefined,
  directories: ReadonlyMap<string, string>,
  { schema, nameMapping }: Pick<PartitionedTable, 'schema' | 'nameMapping'>,
): readonly Value[] | null {
  if (given !== undefined && Object.hasOwn(given, name)) return [toValue(type, given[name], `partition.${name}`)];
  if (transform.kind !== 'identity') return null;
  const id = sourceIds[0]!;
  const isName = (directory: string): boolean =>
    directory === name ||
    directory === fieldPath(schema, id)?.join('.') ||
    mappedFieldId(nameMapping, [directory]) === id;
  const directory = [...directories.keys()].find(isName);
  return directory === undefined ? null : directoryValueCandidates(directories.get(directory)!, type);
}

function contradiction(candidates: readonly Value[], known: Known, type: PrimitiveType): string {
  const [first] = candidates;
  if (first === undefined) return 'is given by a directory whose name is none of its type; give it as `partition`';
  const textOf = (value: Value): string => `'${String(fromValue(type, value))}'`;
  const holds = known.kind === 'one' ? `holds ${textOf(known.value)} only` : 'holds other values';
  return `would be ${textOf(first)}, but the file ${holds}; files must be put where their rows belong, or rewritten`;
}

function unclear(known: Known): string {
  switch (known.kind) {
    case 'within':
    case 'mixed with nulls':
      return 'is not the same in all of its rows, as far as its footer tells; append its rows instead';
    case 'absent':
      return "can't be told: it has no such column, and no directory of its path names it; give it as `partition`";
    default:
      return "can't be told from its footer; give it as `partition`, or append its rows instead";
  }
}

function checkNames(given: PartitionInput | undefined, { fields }: PartitionSpec, location: string): void {
  const names = fields.map(({ name }) => name);
  const unknown = Object.keys(given ?? {}).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const known =
    names.length === 0 ? 'it is not partitioned' : `they are ${names.map((name) => `'${name}'`).join(', ')}`;
  throw invalidArgument(`The table has no partition field '${unknown}' for ${location}: ${known}.`, { path: location });
}

/** A column that only the path has is kept by an identity field alone: its values would be lost without one. */
function checkDirectories(
  { fields, location }: StoredFile,
  directories: ReadonlyMap<string, string>,
  { schema, spec, nameMapping }: PartitionedTable,
): void {
  const kept = new Set(
    spec.fields.filter(({ transform }) => transform.kind === 'identity').flatMap(({ sourceIds }) => sourceIds),
  );
  for (const directory of directories.keys()) {
    const id = findFieldByName(schema, directory)?.field.id ?? mappedFieldId(nameMapping, [directory]);
    if (id === null || !indexById(schema).has(id) || kept.has(id) || fields.has(id)) continue;
    throw invalidArgument(
      `${location} can't be added: the column '${directory}' is in its path only, and the table is not partitioned by it as it is (partitionBy.identity). Append its rows instead.`,
      { path: location },
    );
  }
}
