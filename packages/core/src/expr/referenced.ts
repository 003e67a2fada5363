import type { BoundExpression } from './bound-expression.ts';
import { chainOperands } from './logic.ts';

/** The ids of the columns that an expression needs to be evaluated. */
export function referencedFieldIds(expression: BoundExpression): ReadonlySet<number> {
  const ids = new Set<number>();
  collect(expression, ids);
  return ids;
}

function collect(expression: BoundExpression, ids: Set<number>): void {
  switch (expression.op) {
    case 'true':
    case 'false':
      return;
    case 'not':
      return collect(expression.child, ids);
    case 'and':
    case 'or':
      for (const operand of chainOperands(expression, expression.op)) collect(operand, ids);
      return;
    default:
      ids.add(expression.term.field.id);
  }
}
