import { invalidArgument, unsupported } from '../errors.ts';
import { transformAccepts } from '../spec/transform-sources.ts';
import { transformToText } from '../spec/transform-text.ts';
import type { Transform, TransformKind } from '../spec/transform.ts';
import { typeToText } from '../spec/type-text.ts';
import { isPrimitive, type IcebergType, type PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { bucketOf, hashFunction } from './bucket.ts';
import { timeFunction, type TimeTransformKind } from './time.ts';
import { truncateFunction } from './truncate.ts';

/** What one transform does; everything that differs from transform to transform is here. */
interface TransformHandler<T extends Transform> {
  /** The function for non-null values of a type; null if the transform doesn't take the type. */
  readonly bind: (transform: T, source: PrimitiveType) => ((value: Value) => Value) | null;
  readonly resultType: (source: PrimitiveType) => PrimitiveType;
  /** a < b implies f(a) <= f(b). */
  readonly preservesOrder: boolean;
}

type TransformOf<K extends TransformKind> = Extract<Transform, { kind: K }> & { readonly kind: K };

const INT: PrimitiveType = { kind: 'int' };

function timeHandler(kind: TimeTransformKind, result: PrimitiveType): TransformHandler<Transform> {
  return { bind: (_, source) => timeFunction(kind, source.kind), resultType: () => result, preservesOrder: true };
}

const HANDLERS: { readonly [K in TransformKind]: TransformHandler<TransformOf<K>> } = {
  identity: {
    bind: () => (value) => value,
    resultType: (source) => source,
    preservesOrder: true,
  },
  bucket: {
    bind: ({ buckets }, source) => {
      const hash = hashFunction(source.kind);
      return hash && ((value) => bucketOf(hash(value), buckets));
    },
    resultType: () => INT,
    preservesOrder: false,
  },
  truncate: {
    bind: ({ width }, source) => {
      const truncate = truncateFunction(source.kind);
      return truncate && ((value) => truncate(value, width));
    },
    resultType: (source) => source,
    preservesOrder: true,
  },
  year: timeHandler('year', INT),
  month: timeHandler('month', INT),
  // The spec gives `day` the result type date; readers take ints, which are the same days.
  day: timeHandler('day', { kind: 'date' }),
  hour: timeHandler('hour', INT),
  void: { bind: () => () => null, resultType: (source) => source, preservesOrder: false },
  unknown: { bind: () => null, resultType: () => ({ kind: 'string' }), preservesOrder: false },
};

function handlerOf(transform: Transform): TransformHandler<Transform> {
  return HANDLERS[transform.kind] as TransformHandler<Transform>;
}

/** Whether a column of this type can be transformed. An unknown transform is assumed to take anything. */
export function canTransform(transform: Transform, source: IcebergType): boolean {
  return transformAccepts(transform, source);
}

/** The type of a transform's results. INVALID_ARGUMENT if it doesn't take the source type. */
export function transformResultType(transform: Transform, source: IcebergType): PrimitiveType {
  if (!canTransform(transform, source)) throw wrongSource(transform, source);
  // A void field's values are all null; where its source has no single-value form, any type does for it.
  return handlerOf(transform).resultType(isPrimitive(source) ? source : INT);
}

/**
 * The transform as a function of a column's values; null maps to null (spec: "Partition Transforms").
 * INVALID_ARGUMENT if it doesn't take the source type, UNSUPPORTED for a transform of unknown name.
 */
export function applyTransform(transform: Transform, source: PrimitiveType): (value: Value) => Value {
  if (transform.kind === 'unknown') {
    throw unsupported(`The transform '${transform.text}' is not known, so its values can't be computed.`);
  }
  const apply = canTransform(transform, source) ? handlerOf(transform).bind(transform, source) : null;
  if (!apply) throw wrongSource(transform, source);
  return (value) => (value === null ? null : apply(value));
}

/** Whether a < b implies f(a) <= f(b), so that a file's bounds stay bounds when they are transformed. */
export function preservesOrder(transform: Transform): boolean {
  return handlerOf(transform).preservesOrder;
}

/** Coarser time units come later: what is sorted by hour is sorted by day. */
const GRANULARITY: Partial<Record<TransformKind, number>> = { hour: 0, day: 1, month: 2, year: 3 };

/** Whether rows that are sorted by `transform` of a column are sorted by `other` of the same column too. */
export function satisfiesOrder(transform: Transform, other: Transform): boolean {
  if (transform.kind === 'identity') return preservesOrder(other);
  const [finer, coarser] = [GRANULARITY[transform.kind], GRANULARITY[other.kind]];
  if (finer !== undefined && coarser !== undefined) return finer <= coarser;
  return transformToText(transform) === transformToText(other);
}

function wrongSource(transform: Transform, source: IcebergType): Error {
  return invalidArgument(
    `The transform ${transformToText(transform)} can't be applied to a column of type ${typeToText(source)}.`,
  );
}
