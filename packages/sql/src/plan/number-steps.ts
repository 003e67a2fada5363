import type { PlanExpression } from './plan-expression.ts';
import { scaled, shifted, widened } from './ranges.ts';
import type { RangeSet } from './ranges.ts';
import { compare, floor, fraction, inverse, times, whole } from './rationals.ts';
import { MINUS_ONE, floored, idOf, measureOf, rounded, truncated } from './step.ts';
import type { CallStep, StepContext } from './step.ts';
import { constantInterval, intervalStep } from './time-steps.ts';

const FLOATING: ReadonlySet<string> = new Set(['FLOAT', 'DOUBLE']);
const HALF = fraction(1n, 2n);
const NUMBERS = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DECIMAL|FLOAT|DOUBLE)$/;

/** Numbers, or dates and days: then what is added is added, in the same unit. */
function isLinear(sides: readonly PlanExpression[], context: StepContext, type: string): boolean {
  const ids = [...sides.map((side) => idOf(side, context)), type];
  const days = ids.filter((id) => id === 'DATE').length;
  return ids.every((id) => id !== undefined && (id === 'DATE' || NUMBERS.test(id))) && (days === 0 || days === 2);
}

/** The operand that isn't constant, and the one that is. */
function operands([left, right]: readonly PlanExpression[]): readonly [PlanExpression, PlanExpression] | undefined {
  if (!left || !right || (left.kind === 'constant') === (right.kind === 'constant')) return undefined;
  return left.kind === 'constant' ? [right, left] : [left, right];
}

const plusStep: CallStep = (args, context, type) => {
  const [child, constant] = operands(args) ?? [];
  if (!child || !constant) return undefined;
  const interval = constantInterval(constant);
  if (interval) return intervalStep(child, interval, context, 1);
  const by = measureOf(constant);
  if (!by || !isLinear([child, constant], context, type)) return undefined;
  return {
    child,
    exact: !FLOATING.has(type),
    preimage: (set) => shifted(rounded(set, type), times(by, MINUS_ONE)),
  };
};

const minusStep: CallStep = (args, context, type) => {
  const [left, right] = args;
  if (left && !right) {
    const isNumber = NUMBERS.test(type);
    return isNumber ? { child: left, exact: true, preimage: (set) => scaled(set, MINUS_ONE) } : undefined;
  }
  const [child, constant] = operands(args) ?? [];
  if (!child || !constant) return undefined;
  const interval = constantInterval(constant);
  if (interval) return child === left ? intervalStep(child, interval, context, -1) : undefined;
  const by = measureOf(constant);
  if (!by || !isLinear([child, constant], context, type)) return undefined;
  const exact = !FLOATING.has(type);
  if (child === left) return { child, exact, preimage: (set) => shifted(rounded(set, type), by) };
  return {
    child,
    exact,
    preimage: (set) => scaled(shifted(rounded(set, type), times(by, MINUS_ONE)), MINUS_ONE),
  };
};

const timesStep: CallStep = (args, context, type) => {
  const [child, constant] = operands(args) ?? [];
  const by = measureOf(constant);
  if (!child || !by || by.numerator === 0n || !NUMBERS.test(type) || !isLinear(args, context, type)) return undefined;
  return { child, exact: !FLOATING.has(type), preimage: (set) => scaled(rounded(set, type), inverse(by)) };
};

const divideStep: CallStep = (args, _, type) => {
  const [child, constant] = args;
  const by = measureOf(constant);
  if (!child || !by || by.numerator === 0n || !FLOATING.has(type)) return undefined;
  return { child, exact: false, preimage: (set) => scaled(rounded(set, type), by) };
};

/** `x // n` drops the fraction. */
const wholeDivideStep: CallStep = (args, _, type) => {
  const [child, constant] = args;
  const by = measureOf(constant);
  if (!child || !by || by.numerator === 0n || FLOATING.has(type) || !NUMBERS.test(type)) return undefined;
  return { child, exact: true, preimage: (set) => scaled(truncated(set), by) };
};

const floorStep: CallStep = ([child], _, type) =>
  child && NUMBERS.test(type) ? { child, exact: true, preimage: floored } : undefined;

const ceilStep: CallStep = ([child], _, type) => {
  if (!child || !NUMBERS.test(type)) return undefined;
  return { child, exact: true, preimage: (set) => scaled(floored(scaled(set, MINUS_ONE)), MINUS_ONE) };
};

const truncStep: CallStep = ([child, ...others], _, type) =>
  child && others.length === 0 && NUMBERS.test(type) ? { child, exact: true, preimage: truncated } : undefined;

const roundStep: CallStep = ([child, digits, ...others], _, type) => {
  const places = digits === undefined ? whole(0n) : measureOf(digits);
  if (!child || others.length > 0 || !places || !NUMBERS.test(type)) return undefined;
  const power = floor(places);
  if (power < -30n || power > 30n) return undefined;
  const half = times(HALF, power < 0n ? whole(10n ** -power) : fraction(1n, 10n ** power));
  return { child, exact: false, preimage: (set) => widened(rounded(set, type), () => half) };
};

const absStep: CallStep = ([child], _, type) => {
  if (!child || !NUMBERS.test(type)) return undefined;
  const preimage = ({ ranges, holdsNaN }: RangeSet): RangeSet => ({
    ranges: ranges.flatMap((range) => {
      const { low, high } = range;
      const reachesZero = low === null || compare(low.at, whole(0n)) < 0;
      if (reachesZero && high === null) return [{ low: null, high: null }];
      const mirrored = scaled({ ranges: [range], holdsNaN }, MINUS_ONE).ranges[0]!;
      return reachesZero ? [{ low: mirrored.low, high }] : [mirrored, range];
    }),
    holdsNaN,
  });
  return { child, exact: true, preimage };
};

/** Arithmetic, by DuckDB's names. */
export const NUMBER_STEPS: Readonly<Record<string, CallStep>> = {
  '+': plusStep,
  '-': minusStep,
  '*': timesStep,
  '/': divideStep,
  '//': wholeDivideStep,
  floor: floorStep,
  ceil: ceilStep,
  ceiling: ceilStep,
  trunc: truncStep,
  round: roundStep,
  abs: absStep,
  '@': absStep,
};
