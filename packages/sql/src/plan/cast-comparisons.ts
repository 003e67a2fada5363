import type { Expression, Literal, PrimitiveType } from '@lh/core';
import { expr } from '@lh/core';
import { daysFromCivil, formatDate, formatDecimal } from '@lh/core/engine';
import { decimalScale, floatingNumber, typeId, wholeNumber } from './constants.ts';
import type { PlanConstant } from './plan-expression.ts';
import { ceil, decimalRational, doubleRational, floor, isWhole, scaleBy } from './rationals.ts';
import type { Rational } from './rationals.ts';

/** A column comparison that is put in the place of one about a cast or function of the column. */
export interface Derived {
  readonly expression: Expression;
  /** False if it only follows from the original: then it can't stand under a NOT. */
  readonly exact: boolean;
}

export type OrderOp = 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq';

export interface CastContext {
  readonly column: string;
  readonly type: PrimitiveType;
  /** The session's time zone is UTC: dates and local times then map to instants without rules. */
  readonly utc: boolean;
}

const MICROS_PER_DAY = 86_400_000_000n;
const ZONED = 'TIMESTAMP WITH TIME ZONE';

/** `CAST(column AS target) op constant` as a comparison of the column itself; undefined where there is none. */
export function castComparison(
  context: CastContext,
  target: string,
  op: OrderOp,
  constant: PlanConstant,
): Derived | undefined {
  return numericCast(context, target, op, constant) ?? temporalCast(context, target, op, constant);
}

function numericCast(context: CastContext, target: string, op: OrderOp, constant: PlanConstant): Derived | undefined {
  const { type } = context;
  if (type.kind === 'float' && target === 'DOUBLE') return floatCast(context, op, constant);
  const value = rationalOf(constant);
  if (value === undefined) return undefined;
  if (type.kind === 'int' || type.kind === 'long') {
    const exactTargets = type.kind === 'int' ? ['BIGINT', 'HUGEINT', 'DECIMAL', 'DOUBLE'] : ['HUGEINT', 'DECIMAL'];
    if (!exactTargets.includes(target)) return undefined;
    return wholeComparison(context.column, op, value, (bound) => bound);
  }
  if (type.kind === 'decimal') {
    const scaled = scaleBy(value, 10n ** BigInt(type.scale));
    const literal = (unscaled: bigint) => formatDecimal(unscaled, type.scale);
    // A wider decimal holds every value; a double rounds, so the range is widened and what it says merely follows.
    if (target === 'DECIMAL' && decimalScale(constant.type) >= type.scale) {
      return wholeComparison(context.column, op, scaled, literal);
    }
    return target === 'DOUBLE' ? roundedComparison(context.column, op, scaled, literal) : undefined;
  }
  return undefined;
}

function rationalOf(constant: PlanConstant): Rational | undefined {
  if (constant.value === null) return undefined;
  const id = typeId(constant.type);
  if (id === 'DOUBLE' || id === 'FLOAT') {
    const value = floatingNumber(constant.value);
    return value !== undefined && Number.isFinite(value) ? doubleRational(value) : undefined;
  }
  const whole = wholeNumber(constant.value);
  if (whole === undefined) return undefined;
  if (id === 'DECIMAL') return decimalRational(whole, decimalScale(constant.type));
  return /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(id) ? decimalRational(whole, 0) : undefined;
}

const exact = (expression: Expression): Derived => ({ expression, exact: true });
const follows = (expression: Expression): Derived => ({ expression, exact: false });

/** `column op value` for a column that holds whole multiples of one unit. */
function wholeComparison(column: string, op: OrderOp, value: Rational, literal: (units: bigint) => Literal): Derived {
  switch (op) {
    case 'gt':
      return exact(expr.gt(column, literal(floor(value))));
    case 'gteq':
      return exact(expr.gteq(column, literal(ceil(value))));
    case 'lt':
      return exact(expr.lt(column, literal(ceil(value))));
    case 'lteq':
      return exact(expr.lteq(column, literal(floor(value))));
    case 'eq':
      return isWhole(value) ? exact(expr.eq(column, literal(floor(value)))) : follows(expr.alwaysFalse());
    case 'neq':
      return isWhole(value) ? exact(expr.neq(column, literal(floor(value)))) : follows(expr.notNull(column));
  }
}

/** The same for a column that was rounded to a double: 2^-50 of the value covers the rounding of either side. */
function roundedComparison(
  column: string,
  op: OrderOp,
  value: Rational,
  literal: (units: bigint) => Literal,
): Derived | undefined {
  const slack = {
    numerator: value.numerator < 0n ? -value.numerator : value.numerator,
    denominator: value.denominator * 2n ** 50n,
  };
  const low = floor({ numerator: value.numerator * 2n ** 50n - slack.numerator, denominator: slack.denominator });
  const high = ceil({ numerator: value.numerator * 2n ** 50n + slack.numerator, denominator: slack.denominator });
  if (op === 'gt' || op === 'gteq') return follows(expr.gteq(column, literal(low)));
  if (op === 'lt' || op === 'lteq') return follows(expr.lteq(column, literal(high)));
  if (op === 'eq') return follows(expr.and(expr.gteq(column, literal(low)), expr.lteq(column, literal(high))));
  return undefined;
}

/** Every float is a double, so the constant is moved to the next float on the side that the operator looks to. */
function floatCast({ column }: CastContext, op: OrderOp, constant: PlanConstant): Derived | undefined {
  const value = constant.value === null ? undefined : floatingNumber(constant.value);
  if (value === undefined) return undefined;
  const rounded = Math.fround(value);
  if (Object.is(rounded, value) || rounded === value || Number.isNaN(value)) {
    return exact(expr[op](column, rounded));
  }
  if (!Number.isFinite(rounded)) return undefined;
  const isAbove = rounded > value;
  if (op === 'gt' || op === 'gteq') return exact(isAbove ? expr.gteq(column, rounded) : expr.gt(column, rounded));
  if (op === 'lt' || op === 'lteq') return exact(isAbove ? expr.lt(column, rounded) : expr.lteq(column, rounded));
  return op === 'eq' ? follows(expr.alwaysFalse()) : undefined;
}

function temporalCast(context: CastContext, target: string, op: OrderOp, constant: PlanConstant): Derived | undefined {
  const { column, type, utc } = context;
  const value = constant.value === null ? undefined : wholeNumber(constant.value);
  if (value === undefined) return undefined;
  const isInstant = target === ZONED;
  if (type.kind === 'date' && (target === 'TIMESTAMP' || (isInstant && utc))) {
    return wholeComparison(column, op, { numerator: value, denominator: MICROS_PER_DAY }, (days) =>
      formatDate(Number(days)),
    );
  }
  if (
    (type.kind === 'timestamp' && isInstant && utc) ||
    (type.kind === 'timestamptz' && target === 'TIMESTAMP' && utc)
  ) {
    return exact(expr[op](column, value));
  }
  if (target === 'DATE' && (type.kind === 'timestamp' || (type.kind === 'timestamptz' && utc))) {
    return rangeComparison(column, op, value * MICROS_PER_DAY, (value + 1n) * MICROS_PER_DAY);
  }
  return undefined;
}

/** `year(column) op constant`. */
export function yearComparison(context: CastContext, op: OrderOp, constant: PlanConstant): Derived | undefined {
  const { column, type, utc } = context;
  const year = constant.value === null ? undefined : wholeNumber(constant.value);
  // Beyond these years no column's range reaches; DuckDB's own calendar ends at 294247.
  if (year === undefined || year < -9999n || year > 294_000n) return undefined;
  const days = [year, year + 1n].map((of) => BigInt(daysFromCivil({ year: Number(of), month: 1, day: 1 })));
  const [start, end] = days as [bigint, bigint];
  if (type.kind === 'date') return rangeComparison(column, op, start, end, (units) => formatDate(Number(units)));
  if (type.kind === 'timestamp' || (type.kind === 'timestamptz' && utc)) {
    return rangeComparison(column, op, start * MICROS_PER_DAY, end * MICROS_PER_DAY);
  }
  return undefined;
}

/** `floor(column) op x`, where the columns that floor to x are those in [start, end). */
function rangeComparison(
  column: string,
  op: OrderOp,
  start: bigint,
  end: bigint,
  literal: (units: bigint) => Literal = (units) => units,
): Derived {
  const from = literal(start);
  const to = literal(end);
  const ranges: Readonly<Record<OrderOp, () => Expression>> = {
    eq: () => expr.and(expr.gteq(column, from), expr.lt(column, to)),
    neq: () => expr.or(expr.lt(column, from), expr.gteq(column, to)),
    lt: () => expr.lt(column, from),
    lteq: () => expr.lt(column, to),
    gt: () => expr.gteq(column, to),
    gteq: () => expr.gteq(column, from),
  };
  return exact(ranges[op]());
}
