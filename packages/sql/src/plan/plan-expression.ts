import { formatDate, formatTimestamp } from '@lh/core/engine';
import type { JsonObject, JsonValue } from '@lh/core/engine';
import { integer, isObject, list, object, text } from '../query/serialized.ts';

/**
 * A filter of an optimized plan. DuckDB writes filters in two forms, as table filters at the scan and as expressions
 * above it; both are read into this one.
 */
export type PlanExpression =
  | { readonly kind: 'column'; readonly column: PlanColumn }
  | { readonly kind: 'constant'; readonly constant: PlanConstant }
  | { readonly kind: 'compare'; readonly op: CompareOp; readonly left: PlanExpression; readonly right: PlanExpression }
  | { readonly kind: 'and' | 'or'; readonly children: readonly PlanExpression[] }
  | { readonly kind: 'not' | 'isNull' | 'isNotNull'; readonly child: PlanExpression }
  | { readonly kind: 'in' | 'notIn'; readonly child: PlanExpression; readonly values: readonly PlanExpression[] }
  | { readonly kind: 'cast'; readonly child: PlanExpression; readonly type: JsonObject; readonly isTry: boolean }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly PlanExpression[];
      readonly type: JsonObject;
    }
  | { readonly kind: 'case'; readonly checks: readonly PlanCheck[]; readonly otherwise: PlanExpression }
  /** Holds whatever the data, or is decided while the query runs: nothing to prune with, nothing to report. */
  | { readonly kind: 'always' }
  | { readonly kind: 'other'; readonly what: string };

export interface PlanCheck {
  readonly when: PlanExpression;
  readonly value: PlanExpression;
}

export type CompareOp = 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'distinct' | 'notDistinct';

export interface PlanColumn {
  /** Index among the table's columns. */
  readonly index: number;
  /** Fields to go down into, by name. */
  readonly fields: readonly string[];
}

export interface PlanConstant {
  /** `{ id: 'DECIMAL', type_info: { width, scale } }` */
  readonly type: JsonObject;
  /** Null for SQL's NULL. */
  readonly value: JsonValue;
}

const COMPARISONS: Readonly<Record<string, CompareOp>> = {
  COMPARE_EQUAL: 'eq',
  COMPARE_NOTEQUAL: 'neq',
  COMPARE_LESSTHAN: 'lt',
  COMPARE_LESSTHANOREQUALTO: 'lteq',
  COMPARE_GREATERTHAN: 'gt',
  COMPARE_GREATERTHANOREQUALTO: 'gteq',
  COMPARE_DISTINCT_FROM: 'distinct',
  COMPARE_NOT_DISTINCT_FROM: 'notDistinct',
};

const other = (what: string): PlanExpression => ({ kind: 'other', what });

/** A table filter: `filter_type` and what belongs to it, about one column. */
export function fromTableFilter(filter: JsonObject, column: PlanColumn): PlanExpression {
  const self: PlanExpression = { kind: 'column', column };
  const read = TABLE_FILTERS[text(filter['filter_type']) ?? ''];
  return read ? read(filter, column, self) : other(`a filter of the kind ${String(filter['filter_type'])}`);
}

type ReadTableFilter = (filter: JsonObject, column: PlanColumn, self: PlanExpression) => PlanExpression;

const children: ReadTableFilter = (filter, column) => ({
  kind: filter['filter_type'] === 'CONJUNCTION_OR' ? 'or' : 'and',
  children: list(filter['child_filters']).map((child) => fromTableFilter(object(child), column)),
});

const TABLE_FILTERS: Readonly<Record<string, ReadTableFilter>> = {
  CONSTANT_COMPARISON: (filter, _, self) => {
    const op = COMPARISONS[text(filter['comparison_type']) ?? ''];
    if (!op) return other(`the comparison ${String(filter['comparison_type'])}`);
    return { kind: 'compare', op, left: self, right: constantOf(object(filter['constant'])) };
  },
  IS_NULL: (_, __, self) => ({ kind: 'isNull', child: self }),
  IS_NOT_NULL: (_, __, self) => ({ kind: 'isNotNull', child: self }),
  CONJUNCTION_AND: children,
  CONJUNCTION_OR: children,
  IN_FILTER: (filter, _, self) => ({
    kind: 'in',
    child: self,
    values: list(filter['values']).map((value) => constantOf(object(value))),
  }),
  STRUCT_EXTRACT: (filter, column) =>
    fromTableFilter(object(filter['child_filter']), {
      index: column.index,
      fields: [...column.fields, text(filter['child_name']) ?? ''],
    }),
  // A copy of a filter that is there in full as well, to skip row groups with: weaker, and still true of every row.
  OPTIONAL_FILTER: (filter, column) => fromTableFilter(object(filter['child_filter']), column),
  DYNAMIC_FILTER: () => ({ kind: 'always' }),
  BLOOM_FILTER: () => ({ kind: 'always' }),
  EXPRESSION_FILTER: (filter, column) => fromExpression(object(filter['expr']), () => column),
};

/** An expression of the plan; `columnOf` tells which column a reference by position is. */
export function fromExpression(expression: JsonObject, columnOf: (index: number) => PlanColumn | null): PlanExpression {
  const read = EXPRESSIONS[text(expression['expression_class']) ?? ''];
  return read ? read(expression, columnOf) : other(describe(expression));
}

type ReadExpression = (expression: JsonObject, columnOf: (index: number) => PlanColumn | null) => PlanExpression;

const EXPRESSIONS: Readonly<Record<string, ReadExpression>> = {
  BOUND_REF: (expression, columnOf) => {
    const column = columnOf(integer(expression['index']) ?? 0);
    return column ? { kind: 'column', column } : other('a column of another table');
  },
  BOUND_CONSTANT: (expression) => constantOf(object(expression['value'])),
  BOUND_COMPARISON: (expression, columnOf) => {
    const op = COMPARISONS[text(expression['type']) ?? ''];
    if (!op) return other(describe(expression));
    const [left, right] = [expression['left'], expression['right']].map((side) =>
      fromExpression(object(side), columnOf),
    );
    return { kind: 'compare', op, left: left!, right: right! };
  },
  BOUND_CONJUNCTION: (expression, columnOf) => ({
    kind: expression['type'] === 'CONJUNCTION_OR' ? 'or' : 'and',
    children: expressions(expression['children'], columnOf),
  }),
  BOUND_BETWEEN: (expression, columnOf) => {
    const [input, lower, upper] = ['input', 'lower', 'upper'].map((key) =>
      fromExpression(object(expression[key]), columnOf),
    );
    return {
      kind: 'and',
      children: [
        { kind: 'compare', op: expression['lower_inclusive'] === false ? 'gt' : 'gteq', left: input!, right: lower! },
        { kind: 'compare', op: expression['upper_inclusive'] === false ? 'lt' : 'lteq', left: input!, right: upper! },
      ],
    };
  },
  BOUND_OPERATOR: (expression, columnOf) => {
    const [child, ...rest] = expressions(expression['children'], columnOf);
    if (!child) return other(describe(expression));
    switch (expression['type']) {
      case 'OPERATOR_NOT':
        return { kind: 'not', child };
      case 'OPERATOR_IS_NULL':
        return { kind: 'isNull', child };
      case 'OPERATOR_IS_NOT_NULL':
        return { kind: 'isNotNull', child };
      case 'COMPARE_IN':
        return { kind: 'in', child, values: rest };
      case 'COMPARE_NOT_IN':
        return { kind: 'notIn', child, values: rest };
      case 'OPERATOR_COALESCE':
        return { kind: 'call', name: 'coalesce', args: [child, ...rest], type: object(expression['return_type']) };
      default:
        return other(describe(expression));
    }
  },
  BOUND_CAST: (expression, columnOf) => ({
    kind: 'cast',
    child: fromExpression(object(expression['child']), columnOf),
    type: object(expression['return_type']),
    isTry: expression['try_cast'] === true,
  }),
  BOUND_FUNCTION: (expression, columnOf) => {
    const name = text(expression['name']) ?? '';
    const args = expressions(expression['children'], columnOf);
    return structField(name, args) ?? { kind: 'call', name, args, type: object(expression['return_type']) };
  },
  BOUND_CASE: (expression, columnOf) => ({
    kind: 'case',
    checks: list(expression['case_checks']).map((check) => ({
      when: fromExpression(object(object(check)['when_expr']), columnOf),
      value: fromExpression(object(object(check)['then_expr']), columnOf),
    })),
    otherwise: fromExpression(object(expression['else_expr']), columnOf),
  }),
};

function expressions(
  value: JsonValue | undefined,
  columnOf: (index: number) => PlanColumn | null,
): readonly PlanExpression[] {
  return list(value).map((child) => fromExpression(object(child), columnOf));
}

/** `struct_extract(column, 'field')` is a column too. */
function structField(name: string, [from, field]: readonly PlanExpression[]): PlanExpression | null {
  if (name !== 'struct_extract' || from?.kind !== 'column' || field?.kind !== 'constant') return null;
  const fieldName = field.constant.value;
  if (typeof fieldName !== 'string') return null;
  return { kind: 'column', column: { index: from.column.index, fields: [...from.column.fields, fieldName] } };
}

function constantOf(value: JsonObject): PlanExpression {
  const type = object(value['type']);
  if (value['is_null'] === true) return { kind: 'constant', constant: { type, value: null } };
  return value['value'] === undefined
    ? other('a constant')
    : { kind: 'constant', constant: { type, value: value['value'] } };
}

function describe(expression: JsonObject): string {
  return `an expression of the kind ${text(expression['type']) ?? text(expression['expression_class']) ?? 'unknown'}`;
}

/** The expression as SQL-like text, for reports. */
export function planText(expression: PlanExpression, columnText: (column: PlanColumn) => string): string {
  const show = (inner: PlanExpression): string => planText(inner, columnText);
  switch (expression.kind) {
    case 'column':
      return columnText(expression.column);
    case 'constant':
      return constantText(expression.constant);
    case 'compare':
      return `${show(expression.left)} ${SIGNS[expression.op]} ${show(expression.right)}`;
    case 'and':
    case 'or':
      return `(${expression.children.map(show).join(` ${expression.kind.toUpperCase()} `)})`;
    case 'not':
      return `NOT ${show(expression.child)}`;
    case 'isNull':
      return `${show(expression.child)} IS NULL`;
    case 'isNotNull':
      return `${show(expression.child)} IS NOT NULL`;
    case 'in':
    case 'notIn':
      return `${show(expression.child)} ${expression.kind === 'in' ? 'IN' : 'NOT IN'} (${expression.values.map(show).join(', ')})`;
    case 'cast':
      return `CAST(${show(expression.child)} AS ${text(expression.type['id']) ?? '?'})`;
    case 'call':
      return callText(expression.name, expression.args.map(show));
    case 'case': {
      const checks = expression.checks.map(({ when, value }) => `WHEN ${show(when)} THEN ${show(value)} `);
      return `CASE ${checks.join('')}ELSE ${show(expression.otherwise)} END`;
    }
    case 'always':
      return 'true';
    case 'other':
      return `<${expression.what}>`;
  }
}

function callText(name: string, args: readonly string[]): string {
  const isSign = /^\W+$/.test(name);
  return isSign && args.length === 2 ? `(${args.join(` ${name} `)})` : `${name}(${args.join(', ')})`;
}

const SIGNS: Readonly<Record<CompareOp, string>> = {
  eq: '=',
  neq: '!=',
  lt: '<',
  lteq: '<=',
  gt: '>',
  gteq: '>=',
  distinct: 'IS DISTINCT FROM',
  notDistinct: 'IS NOT DISTINCT FROM',
};

function constantText({ type, value }: PlanConstant): string {
  if (value === null) return 'NULL';
  const id = text(type['id']) ?? '';
  if (id === 'DATE' && typeof value === 'number') return `DATE '${formatDate(value)}'`;
  if (id.startsWith('TIMESTAMP') && (typeof value === 'number' || typeof value === 'bigint')) {
    const digits = id === 'TIMESTAMP_NS' ? 9 : 6;
    return `TIMESTAMP '${formatTimestamp(BigInt(value), digits)}'`;
  }
  if (typeof value === 'string') return `'${value}'`;
  return isObject(value) ? `<${id}>` : String(value);
}
