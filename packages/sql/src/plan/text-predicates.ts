import type { Expression } from '@lh/core';
import { expr } from '@lh/core';
import { MICROS_PER_DAY } from './calendar.ts';
import { typeId } from './constants.ts';
import { castFormat, dateFormat, daysOfText } from './date-text.ts';
import type { DateFormat, TextOp } from './date-text.ts';
import type { PlanExpression } from './plan-expression.ts';
import { rangesOf, scaled } from './ranges.ts';
import type { OrderOp, RangeSet } from './ranges.ts';
import { whole } from './rationals.ts';
import { ZONED, idOf, measureOf, textOf } from './step.ts';
import type { StepContext } from './step.ts';
import { instantsOf } from './time-steps.ts';

/** What follows for an expression from a condition on a text that is made of it. */
export type TextConsequence =
  | { readonly child: PlanExpression; readonly ranges: RangeSet }
  | { readonly child: PlanExpression; readonly strings: (column: string) => Expression };

/** `text op constant`; undefined for texts that nothing is known of. */
export function textComparison(
  text: PlanExpression,
  op: OrderOp,
  constant: string,
  context: StepContext,
): TextConsequence | undefined {
  if (op === 'neq') return undefined;
  const start = startOfText(text);
  if (start) return { child: start.child, strings: (column) => startComparison(column, op, constant, start.length) };
  return dateConsequence(text, op, constant, context) ?? numberConsequence(text, op, constant, context);
}

/** `text` begins with `prefix`. */
export function textPrefix(text: PlanExpression, prefix: string, context: StepContext): TextConsequence | undefined {
  const start = startOfText(text);
  if (start) return { child: start.child, strings: (column) => expr.startsWith(column, prefix) };
  return dateConsequence(text, 'prefix', prefix, context);
}

interface TextStart {
  readonly child: PlanExpression;
  /** In characters; null if that isn't constant. */
  readonly length: number | null;
}

/** Functions that give the first characters of a text. */
function startOfText(text: PlanExpression): TextStart | undefined {
  if (text.kind !== 'call') return undefined;
  const [child, ...rest] = text.args;
  if (!child || child.kind === 'constant') return undefined;
  const numbers = rest.map((arg) => Number(measureOf(arg)?.numerator ?? Number.NaN));
  switch (text.name) {
    case 'left':
      return { child, length: numbers[0]! > 0 ? numbers[0]! : null };
    case 'substring':
    case 'substr':
    case 'array_slice':
      return numbers.length === 2 && numbers[0] === 1 && numbers[1]! > 0 ? { child, length: numbers[1]! } : undefined;
    default:
      return undefined;
  }
}

/** What a column is whose first characters compare so with a text. */
function startComparison(column: string, op: Exclude<OrderOp, 'neq'>, text: string, length: number | null): Expression {
  // The start of a text is never above it.
  if (op === 'gt' || op === 'gteq') return expr.gteq(column, text);
  if (op === 'eq') return expr.startsWith(column, text);
  const characters = Array.from(text);
  if (length === null) return expr.or(expr.lteq(column, text), expr.startsWith(column, characters[0] ?? ''));
  if (characters.length < length) return expr.lteq(column, text);
  // A longer text that isn't above has the same start.
  return expr.or(expr.lteq(column, text), expr.startsWith(column, characters.slice(0, length).join('')));
}

function dateConsequence(
  text: PlanExpression,
  op: TextOp,
  constant: string,
  context: StepContext,
): TextConsequence | undefined {
  const written = writtenDate(text, context);
  if (!written) return undefined;
  const { child, id, format } = written;
  const days = daysOfText(format, op, constant);
  if (id === 'DATE') return { child, ranges: days };
  const times = scaled(days, whole(MICROS_PER_DAY));
  if (id === 'TIMESTAMP') return { child, ranges: times };
  return context.zone ? { child, ranges: instantsOf(times, context.zone) } : undefined;
}

interface WrittenDate {
  readonly child: PlanExpression;
  readonly id: string;
  readonly format: DateFormat;
}

function writtenDate(text: PlanExpression, context: StepContext): WrittenDate | undefined {
  const isCast = text.kind === 'cast' && typeId(text.type) === 'VARCHAR';
  const child = isCast ? text.child : text.kind === 'call' && text.name === 'strftime' ? text.args[0] : undefined;
  const id = child && idOf(child, context);
  if (!child || (id !== 'DATE' && id !== 'TIMESTAMP' && id !== ZONED)) return undefined;
  if (isCast) return { child, id, format: castFormat(id !== 'DATE') };
  const format = dateFormat(textOf(text.kind === 'call' ? text.args[1] : undefined) ?? '');
  return format && { child, id, format };
}

/** A whole number has one text. */
function numberConsequence(
  text: PlanExpression,
  op: OrderOp,
  constant: string,
  context: StepContext,
): TextConsequence | undefined {
  if (op !== 'eq' || text.kind !== 'cast' || typeId(text.type) !== 'VARCHAR') return undefined;
  if (!/^(?:INTEGER|BIGINT)$/.test(idOf(text.child, context) ?? '')) return undefined;
  const isNumber = /^-?\d{1,19}$/.test(constant) && String(BigInt(constant)) === constant;
  return {
    child: text.child,
    ranges: isNumber ? rangesOf('eq', whole(BigInt(constant))) : { ranges: [], holdsNaN: false },
  };
}
