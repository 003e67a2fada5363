import type { Transform } from '../spec/transform.ts';

/**
 * Predicates with SQL's three-valued logic: a row matches when the expression is TRUE. Unbound expressions name
 * columns and hold literals as the user gave them; `bind` resolves both against a schema.
 */
export type Expression =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'not'; readonly child: Expression }
  | UnaryPredicate
  | ComparisonPredicate
  | SetPredicate;

export interface UnaryPredicate {
  readonly op: 'isNull' | 'notNull' | 'isNaN' | 'notNaN';
  readonly term: Term;
}

export interface ComparisonPredicate {
  readonly op: 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'startsWith' | 'notStartsWith';
  readonly term: Term;
  readonly value: Literal;
}

export interface SetPredicate {
  readonly op: 'in' | 'notIn';
  readonly term: Term;
  readonly values: readonly Literal[];
}

/** A column by its full name ('a.b' for a struct's field), or a transform of one. */
export interface Term {
  readonly column: string;
  readonly transform?: Transform;
}

/** What users may give as a literal; it is turned into the column type's exact `Value` when the expression is bound. */
export type Literal = boolean | number | bigint | string | Date | Uint8Array | TypedLiteral;

/** A literal that says its type: `DATE '2024-01-01'`, or a decimal with more digits than a number can hold. */
export interface TypedLiteral {
  readonly type: TypedLiteralKind;
  readonly text: string;
}

export type TypedLiteralKind = 'date' | 'time' | 'timestamp' | 'timestamptz' | 'decimal';

export type PredicateOp = UnaryPredicate['op'] | ComparisonPredicate['op'] | SetPredicate['op'];
