import { invalidArgument } from '../errors.ts';
import type { Expression } from './expression.ts';
import { parseExpression } from './parse.ts';

/** A filter as users give it: SQL text, or what `expr` builds. */
export type FilterInput = string | Expression;

export function toExpression(input: FilterInput): Expression {
  if (typeof input === 'string') return parseExpression(input);
  if (typeof input?.op === 'string') return input;
  throw invalidArgument(`A filter is text such as "id = 1" or an expression made with expr, not ${String(input)}.`);
}
