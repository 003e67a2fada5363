import type { FileScanTask, NestedField, Schema } from '@lh/core';
import { bytesToValue, compareValues } from '@lh/core/engine';
import type { JsonValue } from '@lh/core/engine';
import type { CountingCall, CountingQuery } from './counting-query.ts';
import { Unwritable, constantSql } from './expression-sql.ts';
import { nodeSql } from './node-sql.ts';

/** What metadata tells of a query of counts, least and greatest values. */
export interface MetadataAnswer {
  /** The files that it doesn't tell enough of. */
  readonly rest: readonly FileScanTask[];
  /** The query, over the rows of the other files: in parentheses, or null if there are none. */
  readonly sql: (rest: string | null) => string;
}

/** Names of the columns whose statistics the answer takes. */
export function countedColumns({ calls }: CountingQuery, schema: Schema): readonly string[] {
  const indexes = new Set(calls.flatMap(({ column }) => column ?? []));
  return [...indexes].flatMap((index) => schema.fields[index]?.name ?? []);
}

/**
 * Null if metadata tells of no file. That takes files which match as a whole and have no deletes, and, like Iceberg's own
 * aggregate push-down in Spark, bounds that are not truncated.
 */
export function metadataAnswer(
  query: CountingQuery,
  schema: Schema,
  tasks: readonly FileScanTask[],
): MetadataAnswer | null {
  const parts = query.calls.map((call) => partOf(call, schema));
  const isTold = ({ residual, deletes, file }: FileScanTask): boolean =>
    residual.op === 'true' && deletes.length === 0 && parts.every((part) => part.of(file) !== undefined);
  const told = tasks.filter(isTold);
  if (told.length === 0 && tasks.length > 0) return null;
  const rest = told.length === tasks.length ? [] : tasks.filter((task) => !isTold(task));
  try {
    const values = query.calls.map(({ type }, i) => constantSql({ type, value: total(parts[i]!, told) }));
    const sql = (relation: string | null): string => {
      const answers = relation === null ? `SELECT ${named(values)}` : withRest(query, values, relation);
      return nodeSql(query.root, {
        table: (name) => {
          throw new Unwritable(name);
        },
        node: (node) => (node === query.aggregate ? answers : undefined),
      });
    };
    // What can't be written had better show now.
    sql(rest.length === 0 ? null : '()');
    return { rest, sql };
  } catch (error) {
    if (error instanceof Unwritable) return null;
    throw error;
  }
}

function named(values: readonly string[]): string {
  return values.map((value, i) => `${value} AS c${i}`).join(', ');
}

/** `least` and `greatest` leave out nulls, as `min` and `max` do. */
const TOGETHER: Readonly<Record<CountingCall['name'], (a: string, b: string) => string>> = {
  count: (a, b) => `${a} + ${b}`,
  min: (a, b) => `least(${a}, ${b})`,
  max: (a, b) => `greatest(${a}, ${b})`,
};

function withRest(query: CountingQuery, values: readonly string[], relation: string): string {
  const ofRest = nodeSql(query.aggregate, { table: () => relation, node: () => undefined });
  const both = values.map((value, i) => TOGETHER[query.calls[i]!.name](`rest.c${i}`, value));
  return `SELECT ${named(both)} FROM (${ofRest}) AS rest`;
}

/** What one aggregate is of a file. */
interface Part {
  /** Undefined if its metadata doesn't tell; null for a file without a value. */
  readonly of: (file: FileScanTask['file']) => number | bigint | null | undefined;
  readonly together: (a: number | bigint, b: number | bigint) => number | bigint;
  readonly ofNone: bigint | null;
}

const sum = (a: number | bigint, b: number | bigint): bigint => BigInt(a) + BigInt(b);

function partOf({ name, column }: CountingCall, schema: Schema): Part {
  if (column === null) return { of: ({ recordCount }) => recordCount, together: sum, ofNone: 0n };
  const field = schema.fields[column];
  if (!field) return { of: () => undefined, together: sum, ofNone: null };
  const valuesIn = ({ recordCount, nullValueCounts }: FileScanTask['file']): number | undefined => {
    const nulls = field.required ? 0 : nullValueCounts?.get(field.id);
    return nulls === undefined ? undefined : recordCount - nulls;
  };
  if (name === 'count') return { of: valuesIn, together: sum, ofNone: 0n };
  return extremePart(name, field, valuesIn);
}

/** Types whose bounds are values of the file: of texts and bytes only the beginning may be there, and NaN is in none. */
const BOUNDED: ReadonlySet<string> = new Set(['int', 'long', 'decimal', 'date', 'timestamp', 'timestamptz']);

function extremePart(
  name: 'min' | 'max',
  { id, type }: NestedField,
  valuesIn: (file: FileScanTask['file']) => number | undefined,
): Part {
  const isBounded = BOUNDED.has(type.kind) && type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map';
  if (!isBounded) return { of: () => undefined, together: sum, ofNone: null };
  const compare = compareValues(type);
  const sign = name === 'min' ? 1 : -1;
  return {
    of: (file) => {
      const values = valuesIn(file);
      if (values === undefined || values === 0) return values === 0 ? null : undefined;
      const bytes = (name === 'min' ? file.lowerBounds : file.upperBounds)?.get(id);
      const value = bytes && bytesToValue(type, bytes);
      return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
    },
    together: (a, b) => (compare(b, a) * sign < 0 ? b : a),
    ofNone: null,
  };
}

function total(part: Part, tasks: readonly FileScanTask[]): JsonValue {
  let found: number | bigint | null = part.ofNone;
  for (const { file } of tasks) {
    const value = part.of(file) ?? null;
    if (value !== null) found = found === null ? value : part.together(found, value);
  }
  return found;
}
