import type { Expression, Schema } from '@lh/core';
import { expr } from '@lh/core';
import { bindExpression } from '@lh/core/engine';
import type { Derived } from './column-ranges.ts';
import { ColumnTerms, Unpushable } from './column-terms.ts';
import { planText } from './plan-expression.ts';
import type { CompareOp, PlanExpression } from './plan-expression.ts';
import { patternPrefix } from './text-patterns.ts';
import type { TimeZone } from './time-zone.ts';
import { ValueConverter } from './value-converter.ts';

export interface PushedFilter {
  /** Follows from the filters of the plan: no row that they keep fails it. */
  readonly expression: Expression;
  /** It says all that the filters say: rows that it is TRUE for pass them. */
  readonly exact: boolean;
  readonly notPushed: readonly NotPushed[];
}

/** A predicate that files can't be pruned with; DuckDB applies it to the rows, as it does with all of them. */
export interface NotPushed {
  readonly predicate: string;
  readonly reason: string;
}

export interface ConversionOptions {
  /** Of the session; null if its calendar is another than Iceberg's, which makes what it says of instants unknown. */
  readonly zone: TimeZone | null;
}

/** Turns a scan's filters into an Iceberg expression over the table's schema. */
export function toExpression(
  schema: Schema,
  filters: readonly PlanExpression[],
  options: ConversionOptions,
): PushedFilter {
  const converter = new Converter(schema, options);
  const parts = conjuncts(filters).map((filter) => converter.pushed(filter));
  return {
    expression: distinct(parts.map(({ expression }) => expression)),
    exact: parts.every(({ exact }) => exact),
    notPushed: converter.notPushed,
  };
}

function conjuncts(filters: readonly PlanExpression[]): readonly PlanExpression[] {
  return filters.flatMap((filter) => (filter.kind === 'and' ? conjuncts(filter.children) : [filter]));
}

/** DuckDB derives some filters twice, at the scan and above it. */
function distinct(parts: readonly Expression[]): Expression {
  const seen = new Map(
    parts.map((part) => [
      JSON.stringify(part, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
      part,
    ]),
  );
  return expr.and(...seen.values());
}

const FLIPPED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'eq',
  neq: 'neq',
  lt: 'gt',
  lteq: 'gteq',
  gt: 'lt',
  gteq: 'lteq',
  distinct: 'distinct',
  notDistinct: 'notDistinct',
};

const NEGATED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'neq',
  neq: 'eq',
  lt: 'gteq',
  lteq: 'gt',
  gt: 'lteq',
  gteq: 'lt',
  distinct: 'notDistinct',
  notDistinct: 'distinct',
};

/** Predicates of a plan as expressions; what can't be one is `Unpushable`. */
class Converter {
  readonly notPushed: NotPushed[] = [];
  readonly #schema: Schema;
  readonly #columns: ColumnTerms;
  readonly #values: ValueConverter;

  constructor(schema: Schema, { zone }: ConversionOptions) {
    this.#schema = schema;
    this.#columns = new ColumnTerms(schema);
    this.#values = new ValueConverter(this.#columns, zone, (predicate) => this.#convert(predicate));
  }

  /** The conjunct as an expression; one that is always true once the reason why not is noted. */
  pushed(filter: PlanExpression): Derived {
    if (filter.kind === 'always') return { expression: expr.alwaysTrue(), exact: true };
    try {
      const derived = this.#convert(filter);
      // Binding checks every literal against its column; a filter that core refuses must not fail the query.
      bindExpression(this.#schema, derived.expression);
      return derived;
    } catch (error) {
      this.#note(filter, error instanceof Error ? error.message : String(error));
      return { expression: expr.alwaysTrue(), exact: false };
    }
  }

  #note(filter: PlanExpression, reason: string): void {
    const predicate = planText(filter, (column) => this.#columns.nameOf(column) ?? '?');
    if (!this.notPushed.some((known) => known.predicate === predicate)) this.notPushed.push({ predicate, reason });
  }

  #convert(filter: PlanExpression): Derived {
    switch (filter.kind) {
      case 'and':
        return this.#and(filter.children);
      case 'or':
        return this.#or(filter.children);
      case 'not':
        return this.#not(filter.child);
      case 'isNull':
      case 'isNotNull':
        return { expression: this.#values.nullTest(filter.kind, filter.child), exact: true };
      case 'compare':
        return this.#compare(filter.op, filter.left, filter.right);
      case 'in':
      case 'notIn':
        return this.#values.membership(filter.kind, filter.child, filter.values);
      case 'column':
        return this.#values.truth(filter.column);
      case 'constant':
        return {
          expression: filter.constant.value === true ? expr.alwaysTrue() : expr.alwaysFalse(),
          exact: filter.constant.value !== null,
        };
      case 'call':
        return this.#call(filter.name, filter.args);
      case 'always':
        return { expression: expr.alwaysTrue(), exact: false };
      case 'case':
        return this.#values.compared('eq', filter, TRUE);
      case 'cast':
        throw new Unpushable('A cast is no predicate by itself.');
      case 'other':
        throw new Unpushable(`It holds ${filter.what}.`);
    }
  }

  /** A part of a conjunction that can't be pushed is left out: what is left still follows. */
  #and(children: readonly PlanExpression[]): Derived {
    const converted = children.map((child) => this.#tryConvert(child));
    const kept = converted.filter((child) => child !== null);
    if (kept.length === 0) throw new Unpushable('None of its parts can be pushed.');
    return {
      expression: expr.and(...kept.map((child) => child.expression)),
      exact: kept.length === converted.length && kept.every((child) => child.exact),
    };
  }

  #tryConvert(child: PlanExpression): Derived | null {
    try {
      return this.#convert(child);
    } catch (error) {
      if (!(error instanceof Unpushable)) throw error;
      return null;
    }
  }

  #or(children: readonly PlanExpression[]): Derived {
    const converted = children.map((child) => this.#convert(child));
    return {
      expression: expr.or(...converted.map((child) => child.expression)),
      exact: converted.every((child) => child.exact),
    };
  }

  #not(child: PlanExpression): Derived {
    const negated = negation(child);
    if (negated) return this.#convert(negated);
    const { expression, exact } = this.#convert(child);
    if (!exact) throw new Unpushable('Only part of what NOT negates can be pushed.');
    return { expression: expr.not(expression), exact: true };
  }

  #compare(op: CompareOp, left: PlanExpression, right: PlanExpression): Derived {
    if (left.kind === 'constant' && right.kind !== 'constant') return this.#compare(FLIPPED[op], right, left);
    if (right.kind !== 'constant') throw new Unpushable('It compares a column with something else than a constant.');
    const { value } = right.constant;
    if (typeof value === 'boolean' && isPredicate(left)) return this.#truth(op, left, value);
    if (op === 'distinct' || op === 'notDistinct') return this.#distinctness(op, left, right, value === null);
    // Comparing with NULL is never true.
    if (value === null) return { expression: expr.alwaysFalse(), exact: false };
    return this.#values.compared(op, left, right.constant);
  }

  /** A predicate that is compared with TRUE or FALSE. */
  #truth(op: CompareOp, predicate: PlanExpression, value: boolean): Derived {
    const isWanted = (op === 'eq' || op === 'notDistinct' || op === 'lteq' || op === 'gteq') === value;
    if (op !== 'eq' && op !== 'neq' && op !== 'distinct' && op !== 'notDistinct')
      throw new Unpushable('It sorts truth values.');
    const converted = isWanted ? this.#convert(predicate) : this.#not(predicate);
    if (op === 'notDistinct') return { ...converted, exact: false };
    if (op !== 'distinct') return converted;
    // IS NOT TRUE and IS NOT FALSE hold where the predicate is NULL, which takes a null if it is known exactly.
    if (!converted.exact) throw new Unpushable("It isn't known when it is NULL.");
    const nulls = this.#columns.namesIn(predicate).map((name) => expr.isNull(name));
    return { expression: expr.or(converted.expression, ...nulls), exact: false };
  }

  #distinctness(
    op: 'distinct' | 'notDistinct',
    left: PlanExpression,
    right: PlanExpression & { kind: 'constant' },
    isNullConstant: boolean,
  ): Derived {
    if (isNullConstant) {
      return { expression: this.#values.nullTest(op === 'distinct' ? 'isNotNull' : 'isNull', left), exact: true };
    }
    const compared = this.#values.compared(op === 'distinct' ? 'neq' : 'eq', left, right.constant);
    if (op === 'notDistinct') return { ...compared, exact: false };
    return { expression: expr.or(this.#values.nullTest('isNull', left), compared.expression), exact: compared.exact };
  }

  #call(name: string, [subject, argument, ...others]: readonly PlanExpression[]): Derived {
    if (subject && argument && others.length === 0) {
      const text = argument.kind === 'constant' ? argument.constant.value : null;
      const pattern = typeof text === 'string' ? patternPrefix(name, text) : undefined;
      if (pattern) return this.#values.startsWith(subject, pattern.prefix, pattern.exact);
    }
    const isNaN = subject?.kind === 'column' && name === 'isnan' && this.#values.isNaN(subject.column);
    if (isNaN) return isNaN;
    throw new Unpushable(`Files keep no statistics that ${name}() could be judged by.`);
  }
}

const TRUE = { type: { id: 'BOOLEAN' }, value: true };

/** The predicate that is TRUE where the given one is FALSE; null for what isn't made of others. */
function negation(filter: PlanExpression): PlanExpression | null {
  switch (filter.kind) {
    case 'compare':
      return { ...filter, op: NEGATED[filter.op] };
    case 'and':
    case 'or': {
      const children = filter.children.map((child): PlanExpression => ({ kind: 'not', child }));
      return { kind: filter.kind === 'and' ? 'or' : 'and', children };
    }
    case 'not':
      return filter.child;
    case 'isNull':
    case 'isNotNull':
      return { ...filter, kind: filter.kind === 'isNull' ? 'isNotNull' : 'isNull' };
    case 'in':
    case 'notIn':
      return { ...filter, kind: filter.kind === 'in' ? 'notIn' : 'in' };
    default:
      return null;
  }
}

const PREDICATES: ReadonlySet<PlanExpression['kind']> = new Set([
  'compare',
  'and',
  'or',
  'not',
  'isNull',
  'isNotNull',
  'in',
  'notIn',
]);

function isPredicate(expression: PlanExpression): boolean {
  return PREDICATES.has(expression.kind) || (expression.kind === 'call' && expression.type['id'] === 'BOOLEAN');
}
