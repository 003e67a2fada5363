import { invalidArgument } from '../errors.ts';
import { bytesToHex } from '../spec/bytes-text.ts';
import { compareValues, type Comparator } from '../spec/compare-values.ts';
import { typeToText } from '../spec/type-text.ts';
import type { IcebergType, PrimitiveType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/**
 * The order in which predicates compare values, as SQL has it: -0 equals +0 (the spec's sort order tells them apart),
 * NaN equals itself and is greater than every other number. INVALID_ARGUMENT for types without an order.
 */
export function sqlOrder(type: IcebergType): Comparator {
  if (isFloating(type)) return compareNumbers;
  checkOrdered(type, 'The column');
  return compareValues(type);
}

/** Whether NaN is among the type's values. */
export function isFloating(type: IcebergType): boolean {
  return type.kind === 'float' || type.kind === 'double';
}

const UNORDERED: ReadonlySet<TypeKind> = new Set(['variant', 'geometry', 'geography', 'struct', 'list', 'map']);

/** INVALID_ARGUMENT for types whose values can only be tested for null; `what` names the column. */
export function checkOrdered(type: IcebergType, what: string): asserts type is PrimitiveType {
  if (UNORDERED.has(type.kind)) {
    throw invalidArgument(
      `${what} is of type ${typeToText(type)}, which can't be compared; only IS NULL and IS NOT NULL work on it.`,
    );
  }
}

function compareNumbers(left: Value, right: Value): number {
  const [a, b] = [left as number, right as number];
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** A key that is the same for values that are equal, for use in a Set. */
export function equalityKey(value: Value): boolean | number | bigint | string {
  // A Set takes -0 for +0 and NaN for itself.
  if (value instanceof Uint8Array) return bytesToHex(value);
  return value as boolean | number | bigint | string;
}
