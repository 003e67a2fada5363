import type { NestedField, PrimitiveType } from '../spec/types.ts';
import type { Transform } from '../spec/transform.ts';
import type { Value } from '../spec/values.ts';

/** An expression whose columns are field ids and whose literals are exact values of the term's type. */
export type BoundExpression =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and'; readonly left: BoundExpression; readonly right: BoundExpression }
  | { readonly op: 'or'; readonly left: BoundExpression; readonly right: BoundExpression }
  | { readonly op: 'not'; readonly child: BoundExpression }
  | BoundPredicate;

export type BoundPredicate =
  | { readonly op: 'isNull' | 'notNull' | 'isNaN' | 'notNaN'; readonly term: BoundTerm }
  | {
      readonly op: 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'startsWith' | 'notStartsWith';
      readonly term: BoundTerm;
      readonly value: Value;
    }
  | { readonly op: 'in' | 'notIn'; readonly term: BoundTerm; readonly values: readonly Value[] };

export interface BoundTerm {
  /** The column's field; `field.type` is a leaf type. */
  readonly field: NestedField;
  /** Names from the root of the schema to the field. */
  readonly path: readonly string[];
  readonly transform: Transform | null;
  /** The type of the term's values: the column's, or the transform's result type. */
  readonly type: PrimitiveType;
  /** False when a null anywhere on the path is impossible. */
  readonly nullable: boolean;
}
