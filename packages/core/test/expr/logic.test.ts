import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoundExpression } from '../../src/expr/bound-expression.ts';
import { and, FALSE, mapPredicates, or, pushNotDown, TRUE } from '../../src/expr/logic.ts';
import { ORDERED_TYPES, valueOf } from './arbitraries.ts';
import { columnTerm, combined, evaluate, predicateOn } from './expressions.ts';

const INT = columnTerm({ kind: 'int' });
const is = (value: number): BoundExpression => ({ op: 'eq', term: INT, value });

function hasNot(expression: BoundExpression): boolean {
  if (expression.op === 'and' || expression.op === 'or') return hasNot(expression.left) || hasNot(expression.right);
  return expression.op === 'not';
}

describe('pushNotDown', () => {
  it('keeps the three-valued result of every row', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...ORDERED_TYPES)
          .chain((type) =>
            fc.tuple(combined(predicateOn(columnTerm(type))), fc.array(fc.option(valueOf(type)), { maxLength: 6 })),
          ),
        fc.boolean(),
        ([expression, rows], negated) => {
          const pushed = pushNotDown(expression, negated);
          expect(hasNot(pushed)).toBe(false);
          for (const value of rows) {
            const row = new Map([[1, value]]);
            expect(evaluate(pushed, row)).toBe(evaluate(negated ? { op: 'not', child: expression } : expression, row));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('and, or', () => {
  it('drop what decides nothing and stop at what decides all', () => {
    expect(and([])).toBe(TRUE);
    expect(or([])).toBe(FALSE);
    expect(and([TRUE, is(1), TRUE])).toEqual(is(1));
    expect(or([FALSE, is(1), FALSE])).toEqual(is(1));
    expect(and([is(1), FALSE])).toBe(FALSE);
    expect(or([is(1), TRUE])).toBe(TRUE);
  });

  it('make trees that are no deeper than they must be', () => {
    const depth = (expression: BoundExpression): number =>
      expression.op === 'and' || expression.op === 'or'
        ? 1 + Math.max(depth(expression.left), depth(expression.right))
        : 0;
    expect(depth(or(Array.from({ length: 1024 }, (_, i) => is(i))))).toBe(10);
    const leftDeep = Array.from({ length: 1024 }, (_, i) => is(i)).reduce((left, right): BoundExpression => ({
      op: 'or',
      left,
      right,
    }));
    expect(depth(pushNotDown(leftDeep))).toBe(10);
  });
});

describe('mapPredicates', () => {
  const both: BoundExpression = { op: 'and', left: is(1), right: { op: 'or', left: is(2), right: is(3) } };

  it('gives the very same object back where nothing changes', () => {
    expect(mapPredicates(both, (predicate) => predicate)).toBe(both);
  });

  it('simplifies what it makes', () => {
    const replace = (truths: Record<number, BoundExpression>) =>
      mapPredicates(both, (predicate) => ('value' in predicate && truths[predicate.value as number]) || predicate);
    expect(replace({ 1: FALSE })).toBe(FALSE);
    expect(replace({ 1: TRUE, 2: FALSE })).toEqual(is(3));
    expect(replace({ 2: TRUE })).toEqual(is(1));
    expect(replace({ 2: FALSE, 3: FALSE })).toBe(FALSE);
  });
});
