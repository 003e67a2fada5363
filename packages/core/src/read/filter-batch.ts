import { applyTransform } from '../transforms/transforms.ts';
import type { BoundExpression, BoundPredicate, BoundTerm } from '../expr/bound-expression.ts';
import { ORDER_HOLDS, termTest } from '../expr/row-evaluator.ts';
import { invalidData } from '../errors.ts';
import { getBit } from '../columns/column.ts';
import type { ColumnBatch, NumberArray, VariableColumn } from '../columns/column.ts';
import { columnReader } from '../columns/column-reader.ts';
import { findColumn } from '../columns/find-column.ts';
import type { ColumnFinder } from '../columns/find-column.ts';
import type { PrimitiveType, StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/** Per row: what a predicate says of it in three-valued logic. */
const FALSE = 0;
const TRUE = 1;
const UNKNOWN = 2;

type Truth = Uint8Array;

/** Selects the rows for which an expression is true: ascending row numbers, or null if all of them match. */
export type BatchFilter = (batch: ColumnBatch) => Int32Array | null;

/** Prepares an expression for batches of a schema that has all its columns. */
export function batchFilter(expression: BoundExpression, schema: StructType): BatchFilter {
  if (expression.op === 'true') return () => null;
  const evaluate = evaluator(expression, schema);
  return (batch) => {
    const truth = evaluate(batch);
    let count = 0;
    for (const value of truth) if (value === TRUE) count++;
    if (count === batch.length) return null;
    const rows = new Int32Array(count);
    for (let row = 0, i = 0; i < count; row++) if (truth[row] === TRUE) rows[i++] = row;
    return rows;
  };
}

type Evaluator = (batch: ColumnBatch) => Truth;

function evaluator(expression: BoundExpression, schema: StructType): Evaluator {
  switch (expression.op) {
    case 'true':
      return (batch) => new Uint8Array(batch.length).fill(TRUE);
    case 'false':
      return (batch) => new Uint8Array(batch.length);
    case 'not': {
      const child = evaluator(expression.child, schema);
      return (batch) => child(batch).map((value) => (value === UNKNOWN ? UNKNOWN : 1 - value));
    }
    case 'and':
      return junction(expression.left, expression.right, FALSE, schema);
    case 'or':
      return junction(expression.left, expression.right, TRUE, schema);
    default:
      return predicateEvaluator(expression, schema);
  }
}

/** AND is decided by a FALSE, OR by a TRUE; without it, an unknown side leaves the whole unknown. */
function junction(
  leftSide: BoundExpression,
  rightSide: BoundExpression,
  decisive: number,
  schema: StructType,
): Evaluator {
  const [left, right] = [evaluator(leftSide, schema), evaluator(rightSide, schema)];
  return (batch) => {
    const first = left(batch);
    const second = right(batch);
    for (let row = 0; row < first.length; row++) {
      if (second[row] === decisive || (first[row] !== decisive && second[row] === UNKNOWN)) first[row] = second[row]!;
    }
    return first;
  };
}

function predicateEvaluator(predicate: BoundPredicate, schema: StructType): Evaluator {
  const { term } = predicate;
  const find = columnFinder(term, schema);
  const test = termTest(predicate);
  const compare = numberComparison(predicate);
  const compareText = textComparison(predicate);
  const transform = term.transform && applyTransform(term.transform, term.field.type as PrimitiveType);
  return (batch) => {
    const column = find(batch);
    if (compare && column.layout === 'numbers')
      return compareNumbers(column.values, column.validity, column.length, compare);
    if (compareText && column.layout === 'variable') return compareBytesOf(column, compareText);
    const read = columnReader(term.field.type, column);
    return testValues(column.length, transform ? (row) => transform(read(row)) : read, test);
  };
}

function testValues(length: number, read: (row: number) => Value, test: (value: Value) => boolean | null): Truth {
  const truth = new Uint8Array(length);
  for (let row = 0; row < length; row++) {
    const result = test(read(row));
    truth[row] = result === null ? UNKNOWN : result ? TRUE : FALSE;
  }
  return truth;
}

interface NumberComparison {
  readonly literal: number | bigint;
  readonly holds: (order: number) => boolean;
}

/** Comparisons of numbers need no `Value` per row. NaN literals are left to the general way. */
function numberComparison(predicate: BoundPredicate): NumberComparison | null {
  if (predicate.term.transform || !Object.hasOwn(ORDER_HOLDS, predicate.op) || !('value' in predicate)) return null;
  const literal = predicate.value;
  if ((typeof literal !== 'number' && typeof literal !== 'bigint') || Number.isNaN(literal)) return null;
  return { literal, holds: ORDER_HOLDS[predicate.op as keyof typeof ORDER_HOLDS] };
}

function compareNumbers(
  values: NumberArray,
  validity: Uint8Array | null,
  length: number,
  { literal, holds }: NumberComparison,
): Truth {
  const [less, equal, greater] = [-1, 0, 1].map((order) => (holds(order) ? TRUE : FALSE)) as [number, number, number];
  const truth = new Uint8Array(length);
  for (let row = 0; row < length; row++) {
    const value = values[row]!;
    // NaN is neither less nor equal, and so greater than everything, as it has to be.
    truth[row] = value < literal ? less : value === literal ? equal : greater;
  }
  if (validity !== null) for (let row = 0; row < length; row++) if (!getBit(validity, row)) truth[row] = UNKNOWN;
  return truth;
}

interface TextComparison {
  readonly literal: Uint8Array;
  readonly holds: (order: number) => boolean;
  /** Only as many bytes of a value are compared as the literal has. */
  readonly prefix: boolean;
}

/** Text is compared as the bytes that it is stored in: they sort as its characters do. */
function textComparison(predicate: BoundPredicate): TextComparison | null {
  if (predicate.term.transform || predicate.term.type.kind !== 'string' || !('value' in predicate)) return null;
  const literal = new TextEncoder().encode(predicate.value as string);
  if (predicate.op === 'startsWith') return { literal, holds: ORDER_HOLDS.eq, prefix: true };
  if (predicate.op === 'notStartsWith') return { literal, holds: ORDER_HOLDS.neq, prefix: true };
  return { literal, holds: ORDER_HOLDS[predicate.op], prefix: false };
}

function compareBytesOf(column: VariableColumn, { literal, holds, prefix }: TextComparison): Truth {
  const { bytes, offsets, validity, length } = column;
  const truth = new Uint8Array(length);
  for (let row = 0; row < length; row++) {
    const start = offsets[row]!;
    const size = prefix ? Math.min(literal.length, offsets[row + 1]! - start) : offsets[row + 1]! - start;
    const shared = Math.min(size, literal.length);
    let order = 0;
    for (let i = 0; i < shared && order === 0; i++) order = bytes[start + i]! - literal[i]!;
    truth[row] = holds(order === 0 ? size - literal.length : order) ? TRUE : FALSE;
  }
  if (validity !== null) for (let row = 0; row < length; row++) if (!getBit(validity, row)) truth[row] = UNKNOWN;
  return truth;
}

function columnFinder(term: BoundTerm, schema: StructType): ColumnFinder {
  const found = findColumn(schema, term.field.id);
  if (found) return found.find;
  throw invalidData(`The column '${term.path.join('.')}' of a filter is not in the schema that is read.`);
}
