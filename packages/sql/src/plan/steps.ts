import { castStep } from './cast-steps.ts';
import { typeId } from './constants.ts';
import { NUMBER_STEPS } from './number-steps.ts';
import type { PlanExpression } from './plan-expression.ts';
import type { CallStep, Step, StepContext } from './step.ts';
import { TIME_STEPS } from './time-steps.ts';

const CALLS: Readonly<Record<string, CallStep>> = { ...NUMBER_STEPS, ...TIME_STEPS };

/** Undefined for what isn't a monotonic function of one operand, or isn't known to be. */
export function stepOf(expression: PlanExpression, context: StepContext): Step | undefined {
  if (expression.kind === 'cast') {
    return castStep(expression, context);
  }
  if (expression.kind !== 'call' || !Object.hasOwn(CALLS, expression.name)) return undefined;
  return CALLS[expression.name]!(expression.args, context, typeId(expression.type));
}
