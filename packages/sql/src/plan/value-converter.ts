import type { Expression, Literal } from '@lh/core';
import { expr } from '@lh/core';
import { typeToText } from '@lh/core/engine';
import type { JsonValue } from '@lh/core/engine';
import { list, object } from '../query/serialized.ts';
import { columnRanges } from './column-ranges.ts';
import type { Derived } from './column-ranges.ts';
import { Unpushable } from './column-terms.ts';
import type { ColumnTerms } from './column-terms.ts';
import { constantLiteral, constantMeasure, typeId } from './constants.ts';
import type { PlanCheck, PlanColumn, PlanConstant, PlanExpression } from './plan-expression.ts';
import { contains, downFrom, isOpen, rangesOf, upFrom } from './ranges.ts';
import type { OrderOp, RangeSet } from './ranges.ts';
import type { StepContext } from './step.ts';
import { stepOf } from './steps.ts';
import { textComparison, textPrefix } from './text-predicates.ts';
import type { TextConsequence } from './text-predicates.ts';
import type { TimeZone } from './time-zone.ts';

/** What an expression has to be: as a comparison, or in ranges once a function of it was looked through. */
type Wanted =
  | { readonly kind: 'compared'; readonly op: OrderOp; readonly constant: PlanConstant }
  | { readonly kind: 'ranged'; readonly ranges: RangeSet };

/** Turns conditions on the value of an expression into conditions on columns. */
export class ValueConverter {
  readonly #columns: ColumnTerms;
  readonly #context: StepContext;
  readonly #predicate: (predicate: PlanExpression) => Derived;

  /** `predicate` converts predicates, which an expression may have inside. */
  constructor(columns: ColumnTerms, zone: TimeZone | null, predicate: (predicate: PlanExpression) => Derived) {
    this.#columns = columns;
    this.#context = { zone, typeOf: (column) => columns.term(column).type };
    this.#predicate = predicate;
  }

  /** `expression op constant`, the constant not null. */
  compared(op: OrderOp, expression: PlanExpression, constant: PlanConstant): Derived {
    return this.#wanted(expression, { kind: 'compared', op, constant });
  }

  membership(kind: 'in' | 'notIn', child: PlanExpression, values: readonly PlanExpression[]): Derived {
    const constants = values.map((value) => {
      if (value.kind !== 'constant') throw new Unpushable('Its list holds something else than constants.');
      return value.constant;
    });
    const known = constants.filter(({ value }) => value !== null);
    // `x NOT IN (…, NULL)` is never true; `x IN (…, NULL)` is true for the others, else unknown.
    if (kind === 'notIn' && known.length < constants.length) return { expression: expr.alwaysFalse(), exact: false };
    if (child.kind === 'column') {
      const { name, type } = this.#columns.term(child.column);
      const literals = known.map((constant) => constantLiteral(type, constant));
      if (literals.every((value): value is Literal => value !== undefined)) {
        const expression = kind === 'in' ? expr.in(name, literals) : expr.notIn(name, literals);
        return { expression, exact: known.length === constants.length };
      }
    }
    const parts = known.map((constant) => this.compared(kind === 'in' ? 'eq' : 'neq', child, constant));
    const expressions = parts.map((part) => part.expression);
    const exact = known.length === constants.length && parts.every((part) => part.exact);
    return { expression: kind === 'in' ? expr.or(...expressions) : expr.and(...expressions), exact };
  }

  /** A column of truth values as a predicate. */
  truth(column: PlanColumn): Derived {
    const { name, type } = this.#columns.term(column);
    if (type.kind !== 'boolean') throw new Unpushable('The column is no truth value.');
    return { expression: expr.eq(name, true), exact: true };
  }

  /** Undefined for a column that is no floating-point number. */
  isNaN(column: PlanColumn): Derived | undefined {
    const { name, type } = this.#columns.term(column);
    // Of a null, isnan() is null, and Iceberg's is-nan false.
    return type.kind === 'float' || type.kind === 'double' ? { expression: expr.isNaN(name), exact: false } : undefined;
  }

  nullTest(kind: 'isNull' | 'isNotNull', child: PlanExpression): Expression {
    // A cast that can't fail is null exactly where its column is.
    const column = child.kind === 'cast' && !child.isTry ? child.child : child;
    if (column.kind !== 'column') throw new Unpushable('It tests something else than a column for null.');
    const { name } = this.#columns.term(column.column);
    return kind === 'isNull' ? expr.isNull(name) : expr.notNull(name);
  }

  startsWith(text: PlanExpression, prefix: string, exact: boolean): Derived {
    if (text.kind === 'column') {
      const { name, type } = this.#columns.term(text.column);
      if (type.kind !== 'string') throw new Unpushable('The column is no text.');
      return { expression: expr.startsWith(name, prefix), exact };
    }
    const consequence = textPrefix(text, prefix, this.#context);
    if (!consequence) throw new Unpushable('It is about a text that is computed.');
    return this.#consequence(consequence);
  }

  #wanted(expression: PlanExpression, wanted: Wanted): Derived {
    if (expression.kind === 'column') return this.#ofColumn(expression.column, wanted);
    if (expression.kind === 'constant') {
      const { constant } = expression;
      return { expression: holds(wanted, constant) ? expr.alwaysTrue() : expr.alwaysFalse(), exact: false };
    }
    if (expression.kind === 'case') return this.#ofCase(expression.checks, expression.otherwise, wanted);
    if (expression.kind === 'call') {
      const { name, args } = expression;
      if (name === 'coalesce') return this.#ofCoalesce(args, wanted);
      if (name === 'greatest' || name === 'least') return this.#ofExtreme(name, args, wanted);
      if (name === 'row') return this.#ofRow(args, wanted);
    }
    return this.#throughFunction(expression, wanted);
  }

  #throughFunction(expression: PlanExpression, wanted: Wanted): Derived {
    const step = stepOf(expression, this.#context);
    const ranges = step && rangesWanted(wanted);
    if (ranges) {
      const derived = this.#wanted(step.child, { kind: 'ranged', ranges: step.preimage(ranges) });
      return { ...derived, exact: derived.exact && step.exact };
    }
    const text = wanted.kind === 'compared' ? wanted.constant.value : null;
    const consequence =
      wanted.kind === 'compared' && typeof text === 'string'
        ? textComparison(expression, wanted.op, text, this.#context)
        : undefined;
    if (consequence) return this.#consequence(consequence);
    throw new Unpushable('It compares an expression, not a column, with a constant.');
  }

  #ofColumn(column: PlanColumn, wanted: Wanted): Derived {
    const { name, type } = this.#columns.term(column);
    if (wanted.kind === 'ranged') {
      const derived = columnRanges(name, type, wanted.ranges);
      if (!derived) throw new Unpushable(`The values of a ${typeToText(type)} column are in no ranges.`);
      return derived;
    }
    const value = constantLiteral(type, wanted.constant);
    if (value === undefined) {
      throw new Unpushable(`A ${typeToText(type)} column is compared with a ${typeId(wanted.constant.type)}.`);
    }
    return { expression: expr[wanted.op](name, value), exact: true };
  }

  #consequence(consequence: TextConsequence): Derived {
    if ('ranges' in consequence) {
      const derived = this.#wanted(consequence.child, { kind: 'ranged', ranges: consequence.ranges });
      return { ...derived, exact: false };
    }
    const { child, strings } = consequence;
    if (child.kind !== 'column') throw new Unpushable('It is about a text that is computed.');
    const { name, type } = this.#columns.term(child.column);
    if (type.kind !== 'string') throw new Unpushable('The column is no text.');
    return { expression: strings(name), exact: false };
  }

  /** Some branch gives what is wanted; that the ones before it were not taken is left out where it can't be said. */
  #ofCase(checks: readonly PlanCheck[], otherwise: PlanExpression, wanted: Wanted): Derived {
    const taken = checks.map(({ when, value }) => {
      const isValue = this.#branch(value, wanted);
      if (isValue.op === 'false') return isValue;
      return expr.and(this.#attempt(when)?.expression ?? expr.alwaysTrue(), isValue);
    });
    const last = this.#branch(otherwise, wanted);
    const skipped = last.op === 'false' ? [] : checks.flatMap(({ when }) => this.#notTaken(when) ?? []);
    return { expression: expr.or(...taken, expr.and(...skipped, last)), exact: false };
  }

  #branch(value: PlanExpression, wanted: Wanted): Expression {
    // NULL is never what is wanted.
    if (value.kind === 'constant' && value.constant.value === null) return expr.alwaysFalse();
    return this.#wanted(value, wanted).expression;
  }

  #attempt(predicate: PlanExpression): Derived | undefined {
    try {
      return this.#predicate(predicate);
    } catch (error) {
      if (!(error instanceof Unpushable)) throw error;
      return undefined;
    }
  }

  /** The predicate is FALSE or NULL; undefined if that can't be said. */
  #notTaken(predicate: PlanExpression): Expression | undefined {
    const isTrue = this.#attempt(predicate);
    const isFalse = isTrue?.exact === true ? this.#attempt({ kind: 'not', child: predicate }) : undefined;
    if (!isFalse) return undefined;
    return expr.or(isFalse.expression, ...this.#columns.namesIn(predicate).map((name) => expr.isNull(name)));
  }

  #ofCoalesce([first, ...others]: readonly PlanExpression[], wanted: Wanted): Derived {
    if (!first) throw new Unpushable('It compares nothing.');
    if (others.length === 0) return { ...this.#wanted(first, wanted), exact: false };
    const isThis = this.#branch(first, wanted);
    const rest = this.#ofCoalesce(others, wanted).expression;
    return {
      expression: rest.op === 'false' ? isThis : expr.or(isThis, expr.and(this.#null(first), rest)),
      exact: false,
    };
  }

  /** Anything may be null if it isn't known when. */
  #null(expression: PlanExpression): Expression {
    return expression.kind === 'column' ? this.nullTest('isNull', expression) : expr.alwaysTrue();
  }

  /** `greatest` and `least` are one of their operands, and on one side of all others; nulls among them are left out. */
  #ofExtreme(name: 'greatest' | 'least', args: readonly PlanExpression[], wanted: Wanted): Derived {
    const isOne = args.map((arg) => this.#branch(arg, wanted));
    const ranges = rangesWanted(wanted);
    const side = ranges && (name === 'greatest' ? downFrom(ranges) : upFrom(ranges));
    const areOnSide = side && !isOpen(side) ? args.map((arg) => this.#inOrNull(arg, side)) : [];
    return { expression: expr.and(expr.or(...isOne), ...areOnSide), exact: false };
  }

  #inOrNull(expression: PlanExpression, ranges: RangeSet): Expression {
    const isIn = this.#wanted(expression, { kind: 'ranged', ranges }).expression;
    return expression.kind === 'constant' ? isIn : expr.or(isIn, this.#null(expression));
  }

  /** `(a, b) op (1, 2)`: where it isn't for equality, of the first only. Nulls sort above all else inside of rows. */
  #ofRow(args: readonly PlanExpression[], wanted: Wanted): Derived {
    if (wanted.kind !== 'compared') throw new Unpushable('It compares a row with something else than a row.');
    const values = list(object(wanted.constant.value as JsonValue)['children']).map((value) => rowValue(value));
    if (values.length !== args.length || values.some((value) => value === undefined)) {
      throw new Unpushable('It compares a row with one that holds NULL.');
    }
    const { op } = wanted;
    if (op === 'neq') throw new Unpushable('Rows that differ may be anywhere.');
    if (op === 'eq') {
      const parts = args.map((arg, i) => this.#attemptValue(arg, values[i]!));
      const known = parts.filter((part) => part !== undefined);
      if (known.length === 0) throw new Unpushable('None of its parts can be pushed.');
      return { expression: expr.and(...known), exact: false };
    }
    const weak = op === 'lt' || op === 'lteq' ? 'lteq' : 'gteq';
    const first = this.compared(weak, args[0]!, values[0]!).expression;
    return { expression: expr.or(first, this.#null(args[0]!)), exact: false };
  }

  #attemptValue(expression: PlanExpression, constant: PlanConstant): Expression | undefined {
    return this.#attempt({ kind: 'compare', op: 'eq', left: expression, right: { kind: 'constant', constant } })
      ?.expression;
  }
}

function rowValue(value: JsonValue): PlanConstant | undefined {
  const { type, value: inner } = object(value);
  return inner === undefined || inner === null ? undefined : { type: object(type), value: inner };
}

function rangesWanted(wanted: Wanted): RangeSet | undefined {
  if (wanted.kind === 'ranged') return wanted.ranges;
  const measure = constantMeasure(wanted.constant);
  return measure && rangesOf(wanted.op, measure);
}

/** Whether a constant may be what is wanted: true if that isn't known. */
function holds(wanted: Wanted, constant: PlanConstant): boolean {
  if (constant.value === null) return false;
  const measure = constantMeasure(constant);
  const ranges = measure && rangesWanted(wanted);
  if (measure && ranges) return contains(ranges, measure);
  if (wanted.kind !== 'compared') return true;
  const [given, than] = [constant.value, wanted.constant.value];
  const areTexts = typeof given === 'string' && typeof than === 'string' && typeId(constant.type) === 'VARCHAR';
  if (!areTexts && (typeof given !== 'boolean' || typeof than !== 'boolean')) return true;
  if (wanted.op === 'eq') return given === than;
  return wanted.op === 'neq' ? given !== than : true;
}
