import type { Expression, Literal, NestedField, PrimitiveType, Schema, StructType } from '@lh/core';
import { expr, isPrimitive } from '@lh/core';
import { bindExpression, findFieldByName, typeToText } from '@lh/core/engine';
import { duckdbNames } from '../types/duckdb-types.ts';
import { castComparison, yearComparison } from './cast-comparisons.ts';
import type { Derived, OrderOp } from './cast-comparisons.ts';
import { constantLiteral, typeId } from './constants.ts';
import { planText } from './plan-expression.ts';
import type { CompareOp, PlanColumn, PlanExpression } from './plan-expression.ts';

export interface PushedFilter {
  /** Follows from the filters of the plan: no row that they keep fails it. */
  readonly expression: Expression;
  readonly notPushed: readonly NotPushed[];
}

/** A predicate that files can't be pruned with; DuckDB applies it to the rows, as it does with all of them. */
export interface NotPushed {
  readonly predicate: string;
  readonly reason: string;
}

export interface ConversionOptions {
  /** The session's time zone is UTC. */
  readonly utc: boolean;
}

/** Turns a scan's filters into an Iceberg expression over the table's schema. */
export function toExpression(
  schema: Schema,
  filters: readonly PlanExpression[],
  options: ConversionOptions,
): PushedFilter {
  const converter = new Converter(schema, options);
  const parts = conjuncts(filters).flatMap((filter) => converter.pushed(filter) ?? []);
  return { expression: distinct(parts), notPushed: converter.notPushed };
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

class Unpushable extends Error {}

interface ColumnTerm {
  readonly name: string;
  readonly type: PrimitiveType;
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

class Converter {
  readonly notPushed: NotPushed[] = [];
  readonly #schema: Schema;
  readonly #options: ConversionOptions;

  constructor(schema: Schema, options: ConversionOptions) {
    this.#schema = schema;
    this.#options = options;
  }

  /** The conjunct as an expression, or undefined once the reason why not is noted. */
  pushed(filter: PlanExpression): Expression | undefined {
    if (filter.kind === 'always') return undefined;
    try {
      const { expression } = this.#convert(filter);
      if (expression.op === 'true') return undefined;
      // Binding checks every literal against its column; a filter that core refuses must not fail the query.
      bindExpression(this.#schema, expression);
      return expression;
    } catch (error) {
      this.#note(filter, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #note(filter: PlanExpression, reason: string): void {
    const predicate = planText(filter, (column) => this.#columnName(column) ?? '?');
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
        return { expression: this.#nullTest(filter.kind, filter.child), exact: true };
      case 'compare':
        return this.#compare(filter.op, filter.left, filter.right);
      case 'in':
      case 'notIn':
        return this.#membership(filter.kind, filter.child, filter.values);
      case 'column': {
        const term = this.#leaf(filter.column);
        if (term.type.kind !== 'boolean') throw new Unpushable('The column is no truth value.');
        return { expression: expr.eq(term.name, true), exact: true };
      }
      case 'constant':
        return {
          expression: filter.constant.value === true ? expr.alwaysTrue() : expr.alwaysFalse(),
          exact: filter.constant.value !== null,
        };
      case 'call':
        return this.#call(filter.name, filter.args);
      case 'always':
        return { expression: expr.alwaysTrue(), exact: false };
      case 'cast':
        throw new Unpushable('A cast is no predicate by itself.');
      case 'other':
        throw new Unpushable(`It holds ${filter.what}.`);
    }
  }

  /** A part of a conjunction that can't be pushed is left out: what is left still follows. */
  #and(children: readonly PlanExpression[]): Derived {
    const converted = children.map((child) => {
      try {
        return this.#convert(child);
      } catch (error) {
        if (!(error instanceof Unpushable)) throw error;
        return null;
      }
    });
    const kept = converted.filter((child) => child !== null);
    if (kept.length === 0) throw new Unpushable('None of its parts can be pushed.');
    return {
      expression: expr.and(...kept.map((child) => child.expression)),
      exact: kept.length === converted.length && kept.every((child) => child.exact),
    };
  }

  #or(children: readonly PlanExpression[]): Derived {
    const converted = children.map((child) => this.#convert(child));
    return {
      expression: expr.or(...converted.map((child) => child.expression)),
      exact: converted.every((child) => child.exact),
    };
  }

  #not(child: PlanExpression): Derived {
    const { expression, exact } = this.#convert(child);
    if (!exact) throw new Unpushable('Only part of what NOT negates can be pushed.');
    return { expression: expr.not(expression), exact: true };
  }

  #nullTest(kind: 'isNull' | 'isNotNull', child: PlanExpression): Expression {
    // A cast that can't fail is null exactly where its column is.
    const column = child.kind === 'cast' && !child.isTry ? child.child : child;
    if (column.kind !== 'column') throw new Unpushable('It tests something else than a column for null.');
    const { name } = this.#leaf(column.column);
    return kind === 'isNull' ? expr.isNull(name) : expr.notNull(name);
  }

  #compare(op: CompareOp, left: PlanExpression, right: PlanExpression): Derived {
    if (left.kind === 'constant' && right.kind !== 'constant') return this.#compare(FLIPPED[op], right, left);
    if (right.kind !== 'constant') throw new Unpushable('It compares a column with something else than a constant.');
    const isNullConstant = right.constant.value === null;
    if (op === 'distinct' || op === 'notDistinct') return this.#distinctness(op, left, right, isNullConstant);
    // Comparing with NULL is never true.
    if (isNullConstant) return { expression: expr.alwaysFalse(), exact: false };
    return this.#ordered(op, left, right);
  }

  #distinctness(
    op: 'distinct' | 'notDistinct',
    left: PlanExpression,
    right: PlanExpression,
    isNullConstant: boolean,
  ): Derived {
    if (isNullConstant) {
      return { expression: this.#nullTest(op === 'distinct' ? 'isNotNull' : 'isNull', left), exact: true };
    }
    const compared = this.#ordered(op === 'distinct' ? 'neq' : 'eq', left, right);
    if (op === 'notDistinct') return { ...compared, exact: false };
    return { expression: expr.or(this.#nullTest('isNull', left), compared.expression), exact: compared.exact };
  }

  #ordered(op: OrderOp, left: PlanExpression, right: PlanExpression): Derived {
    if (right.kind !== 'constant') throw new Unpushable('It compares a column with something else than a constant.');
    const { constant } = right;
    if (left.kind === 'column') {
      const { name, type } = this.#leaf(left.column);
      const value = constantLiteral(type, constant);
      if (value === undefined) {
        throw new Unpushable(`A ${typeToText(type)} column is compared with a ${typeId(constant.type)}.`);
      }
      return { expression: expr[op](name, value), exact: true };
    }
    const derived = this.#derived(op, left, right);
    if (derived) return derived;
    throw new Unpushable('It compares an expression, not a column, with a constant.');
  }

  /** Comparisons of a cast or of year() of a column. */
  #derived(op: OrderOp, left: PlanExpression, right: PlanExpression & { kind: 'constant' }): Derived | undefined {
    const inner = left.kind === 'cast' ? left.child : left.kind === 'call' ? left.args[0] : undefined;
    if (inner?.kind !== 'column') return undefined;
    const { name, type } = this.#leaf(inner.column);
    const context = { column: name, type, utc: this.#options.utc };
    if (left.kind === 'cast' && !left.isTry) return castComparison(context, typeId(left.type), op, right.constant);
    if (left.kind === 'call' && left.name === 'year') return yearComparison(context, op, right.constant);
    return undefined;
  }

  #membership(kind: 'in' | 'notIn', child: PlanExpression, values: readonly PlanExpression[]): Derived {
    const constants = values.map((value) => {
      if (value.kind !== 'constant') throw new Unpushable('Its list holds something else than constants.');
      return value;
    });
    const known = constants.filter((value) => value.constant.value !== null);
    // `x NOT IN (…, NULL)` is never true; `x IN (…, NULL)` is true for the others, else unknown.
    if (kind === 'notIn' && known.length < constants.length) return { expression: expr.alwaysFalse(), exact: false };
    if (child.kind === 'column') {
      const { name, type } = this.#leaf(child.column);
      const literals = known.map((value) => constantLiteral(type, value.constant));
      if (literals.every((value): value is Literal => value !== undefined)) {
        const expression = kind === 'in' ? expr.in(name, literals) : expr.notIn(name, literals);
        return { expression, exact: known.length === constants.length };
      }
    }
    const parts = known.map((value) => this.#ordered(kind === 'in' ? 'eq' : 'neq', child, value));
    const expressions = parts.map((part) => part.expression);
    const exact = known.length === constants.length && parts.every((part) => part.exact);
    return { expression: kind === 'in' ? expr.or(...expressions) : expr.and(...expressions), exact };
  }

  #call(name: string, [subject, argument]: readonly PlanExpression[]): Derived {
    if (subject?.kind !== 'column') throw new Unpushable(`${name}() is applied to something else than a column.`);
    const { name: column, type } = this.#leaf(subject.column);
    if (name === 'isnan' && (type.kind === 'float' || type.kind === 'double')) {
      // Of a null, isnan() is null, and Iceberg's is-nan false.
      return { expression: expr.isNaN(column), exact: false };
    }
    const pattern = argument?.kind === 'constant' ? argument.constant.value : null;
    if (type.kind === 'string' && typeof pattern === 'string') {
      if (name === 'prefix' || name === 'starts_with' || name === '^@') {
        return { expression: expr.startsWith(column, pattern), exact: true };
      }
      const start = /^[^%_\\]*/.exec(pattern)![0];
      if (name === '~~' && start !== '') return { expression: expr.startsWith(column, start), exact: false };
    }
    throw new Unpushable(`Files keep no statistics that ${name}() could be judged by.`);
  }

  #leaf(column: PlanColumn): ColumnTerm {
    const path = this.#path(column);
    const field = path?.at(-1);
    if (!path || !field) throw new Unpushable('It is about something else than a column of the table.');
    if (!isPrimitive(field.type)) throw new Unpushable(`Files keep no statistics of a ${field.type.kind}.`);
    const name = path.map((step) => step.name).join('.');
    // A name with dots in it may also be read as a path; then it must not lead to another column.
    if (findFieldByName(this.#schema, name)?.field.id !== field.id)
      throw new Unpushable('The name of the column is ambiguous.');
    return { name, type: field.type };
  }

  #columnName(column: PlanColumn): string | undefined {
    return this.#path(column)
      ?.map((field) => field.name)
      .join('.');
  }

  /** The fields from the root to a column of the plan, which has DuckDB's names. */
  #path({ index, fields }: PlanColumn): readonly NestedField[] | undefined {
    const root = this.#schema.fields[index];
    if (!root) return undefined;
    const path = [root];
    for (const name of fields) {
      const parent: StructType | null = path.at(-1)!.type.kind === 'struct' ? (path.at(-1)!.type as StructType) : null;
      const at = parent ? duckdbNames(parent).findIndex((known) => known.toLowerCase() === name.toLowerCase()) : -1;
      if (at < 0) return undefined;
      path.push(parent!.fields[at]!);
    }
    return path;
  }
}
