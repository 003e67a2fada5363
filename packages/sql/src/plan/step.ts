import type { PrimitiveType } from '@lh/core';
import { columnTypeId, constantMeasure, typeId } from './constants.ts';
import type { PlanColumn, PlanConstant, PlanExpression } from './plan-expression.ts';
import { mapBounds, widened } from './ranges.ts';
import type { RangeSet } from './ranges.ts';
import { ceil, floor, fraction, magnitude, plus, times, whole } from './rationals.ts';
import type { Rational } from './rationals.ts';
import type { TimeZone } from './time-zone.ts';

/** One step from an expression down to its column. */
export interface Step {
  readonly child: PlanExpression;
  /** What the child may be where the expression is in the ranges. */
  readonly preimage: (ranges: RangeSet) => RangeSet;
  /** The child is in the preimage only where the expression is in the ranges, and null only where it is. */
  readonly exact: boolean;
}

export interface StepContext {
  /** Of the session; null if its calendar is another than ours. */
  readonly zone: TimeZone | null;
  readonly typeOf: (column: PlanColumn) => PrimitiveType;
}

/** A step through a function, by its operands and the id of the type that it gives; undefined if there is none. */
export type CallStep = (args: readonly PlanExpression[], context: StepContext, type: string) => Step | undefined;

/** The id of an expression's DuckDB type. */
export function idOf(expression: PlanExpression, { typeOf }: StepContext): string | undefined {
  if (expression.kind === 'column') return columnTypeId(typeOf(expression.column));
  if (expression.kind === 'cast' || expression.kind === 'call') return typeId(expression.type);
  return expression.kind === 'constant' ? typeId(expression.constant.type) : undefined;
}

export const ZONED = 'TIMESTAMP WITH TIME ZONE';
export const MINUS_ONE: Rational = whole(-1n);

/** Covers what computing in doubles and in floats loses: of a number so much, and a little more next to 0. */
export const DOUBLE_SLACK: (at: Rational) => Rational = slackOf(50n, 1070n);
export const FLOAT_SLACK: (at: Rational) => Rational = slackOf(21n, 140n);

function slackOf(bits: bigint, least: bigint): (at: Rational) => Rational {
  return (at) => plus(times(magnitude(at), fraction(1n, 1n << bits)), fraction(1n, 1n << least));
}

/** What is computed in floating-point numbers was rounded. */
export function rounded(set: RangeSet, type: string): RangeSet {
  if (type === 'DOUBLE') return widened(set, DOUBLE_SLACK);
  return type === 'FLOAT' ? widened(set, FLOAT_SLACK) : set;
}

export function constantOf(expression: PlanExpression | undefined): PlanConstant | undefined {
  return expression?.kind === 'constant' && expression.constant.value !== null ? expression.constant : undefined;
}

/** A finite number, or a time. */
export function measureOf(expression: PlanExpression | undefined): Rational | undefined {
  const constant = constantOf(expression);
  return constant && constantMeasure(constant);
}

export function textOf(expression: PlanExpression | undefined): string | undefined {
  const value = constantOf(expression)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** The numbers that are in the ranges once their fractions are dropped. */
export function truncated(set: RangeSet): RangeSet {
  return mapBounds(
    set,
    ({ at, inclusive }) => {
      const least = inclusive ? ceil(at) : floor(at) + 1n;
      return least > 0n ? { at: whole(least), inclusive: true } : { at: whole(least - 1n), inclusive: false };
    },
    ({ at, inclusive }) => {
      const most = inclusive ? floor(at) : ceil(at) - 1n;
      return most < 0n ? { at: whole(most), inclusive: true } : { at: whole(most + 1n), inclusive: false };
    },
  );
}

/** The numbers that are in the ranges once they are rounded down to whole ones. */
export function floored(set: RangeSet): RangeSet {
  return mapBounds(
    set,
    ({ at, inclusive }) => ({ at: whole(inclusive ? ceil(at) : floor(at) + 1n), inclusive: true }),
    ({ at, inclusive }) => ({ at: whole(inclusive ? floor(at) + 1n : ceil(at)), inclusive: false }),
  );
}
