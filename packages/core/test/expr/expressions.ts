import fc, { type Arbitrary } from 'fast-check';
import type { BoundExpression, BoundPredicate, BoundTerm } from '../../src/expr/bound-expression.ts';
import { rowEvaluator } from '../../src/expr/row-evaluator.ts';
import type { Transform } from '../../src/spec/transform.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { transformResultType } from '../../src/transforms/transforms.ts';
import { valueOf } from './arbitraries.ts';

export function columnTerm(type: PrimitiveType, id = 1, name = `c${id}`): BoundTerm {
  return { field: { id, name, required: false, type }, path: [name], transform: null, type, nullable: true };
}

export function transformTerm(source: PrimitiveType, transform: Transform, id = 1): BoundTerm {
  return { ...columnTerm(source, id), transform, type: transformResultType(transform, source) };
}

const ORDER_OPS = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq'] as const;

/** A predicate on the term with literals out of `literals`. */
export function predicateOn(
  term: BoundTerm,
  literals: Arbitrary<Value> = valueOf(term.type),
): Arbitrary<BoundPredicate> {
  const { kind } = term.type;
  const options: Arbitrary<BoundPredicate>[] = [
    fc.record({ op: fc.constantFrom(...ORDER_OPS), term: fc.constant(term), value: literals }),
    fc.record({
      op: fc.constantFrom('in' as const, 'notIn' as const),
      term: fc.constant(term),
      values: fc.array(literals, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ op: fc.constantFrom('isNull' as const, 'notNull' as const), term: fc.constant(term) }),
  ];
  if (kind === 'string') {
    options.push(
      fc.record({
        op: fc.constantFrom('startsWith' as const, 'notStartsWith' as const),
        term: fc.constant(term),
        value: literals,
      }),
    );
  }
  if (kind === 'float' || kind === 'double') {
    options.push(fc.record({ op: fc.constantFrom('isNaN' as const, 'notNaN' as const), term: fc.constant(term) }));
  }
  return fc.oneof({ withCrossShrink: true }, ...options);
}

/** Predicates under AND, OR and NOT. */
export function combined(predicate: Arbitrary<BoundPredicate>): Arbitrary<BoundExpression> {
  const { tree } = fc.letrec<{ tree: BoundExpression }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      predicate,
      fc.record({ op: fc.constantFrom('and' as const, 'or' as const), left: tie('tree'), right: tie('tree') }),
      fc.record({ op: fc.constant('not' as const), child: tie('tree') }),
      fc.constantFrom<BoundExpression>({ op: 'true' }, { op: 'false' }),
    ),
  }));
  return tree;
}

export type Row = ReadonlyMap<number, Value>;

/** The three-valued result of an expression on a row of values by field id. */
export function evaluate(expression: BoundExpression, row: Row): boolean | null {
  return rowEvaluator(expression)((term) => row.get(term.field.id) ?? null);
}

export function matches(expression: BoundExpression, row: Row): boolean {
  return evaluate(expression, row) === true;
}
