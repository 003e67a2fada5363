import type { IcebergType, NestedField } from '../spec/types.ts';
import type { Transform } from '../spec/transform.ts';
import type { Value } from '../spec/values.ts';

/**
 * An expression whose columns are field ids and whose literals are exact, non-null values of the term's type. `bind`
 * makes it without `not`, with distinct values in ascending order in `in` and `notIn`, and without NaN as a literal;
 * what evaluates an expression takes any.
 */
export type BoundExpression =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and'; readonly left: BoundExpression; readonly right: BoundExpression }
  | { readonly op: 'or'; readonly left: BoundExpression; readonly right: BoundExpression }
  | { readonly op: 'not'; readonly child: BoundExpression }
  | BoundPredicate;

export type BoundPredicate = BoundUnaryPredicate | BoundComparison | BoundSetPredicate;

export interface BoundUnaryPredicate {
  readonly op: 'isNull' | 'notNull' | 'isNaN' | 'notNaN';
  readonly term: BoundTerm;
}

export interface BoundComparison {
  readonly op: 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'startsWith' | 'notStartsWith';
  readonly term: BoundTerm;
  readonly value: Value;
}

export interface BoundSetPredicate {
  readonly op: 'in' | 'notIn';
  readonly term: BoundTerm;
  readonly values: readonly Value[];
}

export interface BoundTerm {
  /** The column's field. Lists, maps and structs can only be tested for null. */
  readonly field: NestedField;
  /** Names from the root of the schema to the field. */
  readonly path: readonly string[];
  readonly transform: Transform | null;
  /** The type of the term's values: the column's, or the transform's result type. */
  readonly type: IcebergType;
  /** False when a null anywhere on the path is impossible. */
  readonly nullable: boolean;
}
