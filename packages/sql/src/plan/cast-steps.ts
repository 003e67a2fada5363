import { MICROS_PER_DAY } from './calendar.ts';
import { decimalScale, typeId } from './constants.ts';
import type { PlanExpression } from './plan-expression.ts';
import { scaled, widened } from './ranges.ts';
import type { RangeSet } from './ranges.ts';
import { fraction, plus, whole } from './rationals.ts';
import { DOUBLE_SLACK, FLOAT_SLACK, ZONED, floored, idOf } from './step.ts';
import type { Step, StepContext } from './step.ts';
import { instantsOf, localTimesOf } from './time-steps.ts';
import type { TimeZone } from './time-zone.ts';

type Cast = PlanExpression & { readonly kind: 'cast' };

/** Where a cast gives values in some ranges, what it was given was in these. */
interface CastPreimage {
  readonly preimage: (set: RangeSet) => RangeSet;
  readonly exact: boolean;
}

const same: CastPreimage = { preimage: (set) => set, exact: true };

export function castStep(cast: Cast, context: StepContext): Step | undefined {
  const from = idOf(cast.child, context);
  if (from === undefined) return undefined;
  const found = numberCast(from, cast, context) ?? timeCast(from, typeId(cast.type), context.zone);
  // Where TRY_CAST fails it gives NULL, and not for a null only.
  return found && { child: cast.child, preimage: found.preimage, exact: found.exact && !cast.isTry };
}

const WHOLE = /^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$/;
/** They have no more digits than a double. */
const SHORT = /^U?(?:TINYINT|SMALLINT|INTEGER)$/;

function numberCast(from: string, { child, type }: Cast, context: StepContext): CastPreimage | undefined {
  const to = typeId(type);
  const isWhole = WHOLE.test(from);
  const isFloating = from === 'FLOAT' || from === 'DOUBLE';
  if (!isWhole && !isFloating && from !== 'DECIMAL') return undefined;
  if (WHOLE.test(to)) return isWhole ? same : unitCast(1n);
  if (to === 'DECIMAL') {
    const scale = decimalScale(type);
    const keepsDigits = isWhole || (!isFloating && scale >= scaleOf(child, context));
    return keepsDigits ? same : unitCast(10n ** BigInt(scale));
  }
  if (to === 'DOUBLE') return SHORT.test(from) || from === 'FLOAT' ? same : slackCast(DOUBLE_SLACK);
  return to === 'FLOAT' ? slackCast(FLOAT_SLACK) : undefined;
}

/** Rounded to a fraction of 1, with what a double may be off in addition. */
function unitCast(perWhole: bigint): CastPreimage {
  return {
    preimage: (set) => widened(set, (at) => plus(fraction(1n, 2n * perWhole), DOUBLE_SLACK(at))),
    exact: false,
  };
}

function slackCast(slack: typeof DOUBLE_SLACK): CastPreimage {
  return { preimage: (set) => widened(set, slack), exact: false };
}

function scaleOf(expression: PlanExpression, context: StepContext): number {
  if (expression.kind === 'cast' || expression.kind === 'call') return decimalScale(expression.type);
  const type = expression.kind === 'column' ? context.typeOf(expression.column) : null;
  return type?.kind === 'decimal' ? type.scale : 38;
}

function timeCast(from: string, to: string, zone: TimeZone | null): CastPreimage | undefined {
  const days = (set: RangeSet): RangeSet => scaled(set, fraction(1n, MICROS_PER_DAY));
  const midnights = (set: RangeSet): RangeSet => scaled(floored(set), whole(MICROS_PER_DAY));
  if (from === 'DATE' && to === 'TIMESTAMP') return { preimage: days, exact: true };
  if (from === 'TIMESTAMP' && to === 'DATE') return { preimage: midnights, exact: true };
  if (zone === null) return undefined;
  const instants = (set: RangeSet): RangeSet => instantsOf(set, zone);
  const locals = (set: RangeSet): RangeSet => localTimesOf(set, zone);
  const exact = zone.isUtc;
  if (from === ZONED && to === 'TIMESTAMP') return { preimage: instants, exact };
  if (from === ZONED && to === 'DATE') return { preimage: (set) => instants(midnights(set)), exact };
  if (from === 'TIMESTAMP' && to === ZONED) return { preimage: locals, exact };
  if (from === 'DATE' && to === ZONED) return { preimage: (set) => days(locals(set)), exact };
  return undefined;
}
