import * as fc from 'fast-check';
import type { Expression } from '../../../src/expr/expression.ts';
import { expr } from '../../../src/expr/expr.ts';
import type { Literal } from '../../../src/expr/expression.ts';
import { compareStrings } from '../../../src/spec/compare-values.ts';

/** Rows as users see them. `id` is a row's own: it is never used again in a table. */
export type ModelRow = {
  readonly id: bigint;
  readonly k: number | null;
  readonly city: string | null;
  readonly x: number | null;
};

export type ModelColumn = keyof ModelRow;

/** What became of a row in the last step, for the lineage that it must have. */
export type Fate = 'kept' | 'updated' | 'updated-or-kept' | 'new';

export interface TrackedRow {
  readonly row: ModelRow;
  readonly fate: Fate;
}

export const cities = ['Seoul', 'Busan', 'Seogwipo', '', 'Zürich'];
export const city: fc.Arbitrary<string | null> = fc.constantFrom(null, ...cities);
export const k: fc.Arbitrary<number | null> = fc.option(fc.integer({ min: 0, max: 6 }), { nil: null });
export const x: fc.Arbitrary<number | null> = fc.constantFrom(null, NaN, -1.5, -0, 0, 1, 2.25, Infinity);

type Content = Omit<ModelRow, 'id'>;
export const content: fc.Arbitrary<Content> = fc.record({ k, city, x });

/** A filter, and what SQL makes of it for a row; null is unknown. */
export interface ModelFilter {
  readonly expression: Expression;
  readonly test: (row: ModelRow) => boolean | null;
}

type Order = (value: Exclude<ModelRow[ModelColumn], null>, literal: Literal) => number;

/** NaN is the greatest number and equals itself; -0 equals +0. */
const order: Order = (value, literal) => {
  if (typeof value === 'string') return compareStrings(value, literal as string);
  const [a, b] = [Number(value), Number(literal)];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
};

function comparison(
  column: ModelColumn,
  literal: Literal,
  make: (column: string, literal: Literal) => Expression,
  holds: (order: number) => boolean,
): ModelFilter {
  return {
    expression: make(column, literal),
    test: (row) => (row[column] === null ? null : holds(order(row[column], literal))),
  };
}

const literals: Readonly<Record<ModelColumn, fc.Arbitrary<Literal>>> = {
  id: fc.bigInt({ min: 0n, max: 40n }),
  k: fc.integer({ min: 0, max: 6 }),
  city: fc.constantFrom(...cities, 'Seo'),
  x: fc.constantFrom(-1.5, 0, 1, 2.25, NaN),
};

const predicate: fc.Arbitrary<ModelFilter> = fc.constantFrom<ModelColumn>('id', 'k', 'city', 'x').chain((column) =>
  fc.oneof(
    fc
      .tuple(
        literals[column],
        fc.constantFrom<readonly [(column: string, literal: Literal) => Expression, (order: number) => boolean]>(
          [expr.eq, (o) => o === 0],
          [expr.neq, (o) => o !== 0],
          [expr.lt, (o) => o < 0],
          [expr.gteq, (o) => o >= 0],
        ),
      )
      .map(([literal, [make, holds]]) => comparison(column, literal, make, holds)),
    fc.array(literals[column], { maxLength: 3 }).map((values): ModelFilter => ({
      expression: expr.notIn(column, values),
      test: (row) => {
        if (values.length === 0) return true;
        const value = row[column];
        return value === null ? null : values.every((literal) => order(value, literal) !== 0);
      },
    })),
    fc.constant<ModelFilter>({ expression: expr.isNull(column), test: (row) => row[column] === null }),
  ),
);

export const filter: fc.Arbitrary<ModelFilter> = fc.letrec<{ filter: ModelFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    predicate,
    fc.tuple(tie('filter'), tie('filter')).map(([a, b]): ModelFilter => ({
      expression: expr.and(a.expression, b.expression),
      test: (row) => and(a.test(row), b.test(row)),
    })),
    fc.tuple(tie('filter'), tie('filter')).map(([a, b]): ModelFilter => ({
      expression: expr.or(a.expression, b.expression),
      test: (row) => not(and(not(a.test(row)), not(b.test(row)))),
    })),
    tie('filter').map((a): ModelFilter => ({ expression: expr.not(a.expression), test: (row) => not(a.test(row)) })),
  ),
})).filter;

function and(a: boolean | null, b: boolean | null): boolean | null {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

function not(a: boolean | null): boolean | null {
  return a === null ? null : !a;
}

export function sameContent(a: ModelRow, b: ModelRow): boolean {
  return a.k === b.k && a.city === b.city && Object.is(a.x, b.x);
}
