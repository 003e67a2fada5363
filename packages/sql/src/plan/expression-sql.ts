import { formatDecimal } from '@lh/core/engine';
import type { JsonObject } from '@lh/core/engine';
import { isObject } from '../query/serialized.ts';
import { quoteName, quoteString } from '../text/quote.ts';
import { decimalScale, floatingNumber, typeId, uuidText, wholeNumber } from './constants.ts';
import type { CompareOp, PlanColumn, PlanConstant, PlanExpression } from './plan-expression.ts';

/** What of a plan can't be written as SQL, or might give something else each time that it runs. */
export class Unwritable extends Error {}

/** Functions that always give the same for the same, whatever the session. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    '+ - * / // % ** & | << >> || ~~ !~~ ~~* !~~* ~~~ ^@ @ abs add ascii ceil ceiling chr concat contains date_part ' +
    'date_trunc datediff date_diff datetrunc day dayofmonth dayofweek dayofyear decade divide ends_with epoch epoch_ms ' +
    'epoch_us error floor greatest hash hour instr isfinite isinf isnan isodow isoyear last_day lcase least left length ' +
    'list_contains lower lpad ltrim make_date md5 millisecond minute mod month multiply nullif prefix quarter ' +
    'regexp_full_match regexp_matches replace reverse right round rpad rtrim second sign starts_with strftime strip_accents ' +
    'strlen substr substring subtract suffix time_bucket trim trunc ucase upper week weekday weekofyear year yearweek'
  ).split(' '),
);

const SIGNS: Readonly<Record<CompareOp, string>> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lteq: '<=',
  gt: '>',
  gteq: '>=',
  distinct: 'IS DISTINCT FROM',
  notDistinct: 'IS NOT DISTINCT FROM',
};

/** An expression of a plan as SQL, over columns that are given as SQL. `Unwritable` for what isn't understood in full. */
export function expressionSql(expression: PlanExpression, column: (column: PlanColumn) => string): string {
  const write = (inner: PlanExpression): string => expressionSql(inner, column);
  const all = (inner: readonly PlanExpression[]): string => inner.map(write).join(', ');
  switch (expression.kind) {
    case 'column':
      return expression.column.fields.reduce(
        (from, field) => `(${from})[${quoteString(field)}]`,
        column(expression.column),
      );
    case 'constant':
      return constantSql(expression.constant);
    case 'compare':
      return `(${write(expression.left)} ${SIGNS[expression.op]} ${write(expression.right)})`;
    case 'and':
    case 'or':
      return `(${expression.children.map(write).join(` ${expression.kind.toUpperCase()} `)})`;
    case 'not':
      return `(NOT ${write(expression.child)})`;
    case 'isNull':
    case 'isNotNull':
      return `(${write(expression.child)} IS ${expression.kind === 'isNull' ? '' : 'NOT '}NULL)`;
    case 'in':
    case 'notIn':
      return `(${write(expression.child)} ${expression.kind === 'in' ? 'IN' : 'NOT IN'} (${all(expression.values)}))`;
    case 'cast':
      return `${expression.isTry ? 'TRY_CAST' : 'CAST'}(${write(expression.child)} AS ${typeSql(expression.type)})`;
    case 'call':
      return callSql(expression.name, expression.args, write);
    case 'case': {
      const checks = expression.checks.map(({ when, value }) => `WHEN ${write(when)} THEN ${write(value)} `);
      return `CASE ${checks.join('')}ELSE ${write(expression.otherwise)} END`;
    }
    case 'always':
      return 'true';
    case 'other':
      throw new Unwritable(expression.what);
  }
}

function callSql(name: string, args: readonly PlanExpression[], write: (arg: PlanExpression) => string): string {
  if (name === 'coalesce') return `coalesce(${args.map(write).join(', ')})`;
  if (!FUNCTIONS.has(name)) throw new Unwritable(`the function ${name}()`);
  return `${quoteName(name)}(${args.map(write).join(', ')})`;
}

/** Types whose ids are all there is to them. */
const PLAIN_TYPES =
  /^(?:BOOLEAN|U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DATE|TIME|TIMESTAMP(?:_NS|_MS|_S| WITH TIME ZONE)?|VARCHAR|BLOB|UUID|INTERVAL)$/;

function typeSql(type: JsonObject): string {
  const id = typeId(type);
  if (id === 'DECIMAL' && isObject(type['type_info'])) {
    const { width, scale } = type['type_info'];
    return `DECIMAL(${Number(width ?? 18)}, ${Number(scale ?? 0)})`;
  }
  // A text's type may have a collation.
  if (!PLAIN_TYPES.test(id) || isObject(type['type_info'])) throw new Unwritable(`the type ${id}`);
  return id;
}

export function constantSql(constant: PlanConstant): string {
  const { type, value } = constant;
  const target = typeSql(type);
  if (value === null) return `CAST(NULL AS ${target})`;
  const sql = LITERALS[typeId(type)]?.(constant);
  if (sql !== undefined) return sql;
  const whole = wholeNumber(value);
  if (whole === undefined || !/INT/.test(target)) throw new Unwritable(`a constant of the type ${target}`);
  return `CAST('${whole}' AS ${target})`;
}

type Literal = (constant: PlanConstant) => string | undefined;

const micros =
  (wrap: (moment: string) => string): Literal =>
  ({ value }) => {
    const count = wholeNumber(value);
    return count === undefined ? undefined : wrap(`make_timestamp(CAST('${count}' AS BIGINT))`);
  };

const floating: Literal = ({ type, value }) => {
  const number = floatingNumber(value);
  return number === undefined
    ? undefined
    : `CAST('${Object.is(number, -0) ? '-0.0' : String(number)}' AS ${typeId(type)})`;
};

const LITERALS: Readonly<Record<string, Literal>> = {
  BOOLEAN: ({ value }) => (typeof value === 'boolean' ? String(value) : undefined),
  VARCHAR: ({ value }) => (typeof value === 'string' ? quoteString(value) : undefined),
  FLOAT: floating,
  DOUBLE: floating,
  DECIMAL: ({ type, value }) => {
    const unscaled = wholeNumber(value);
    return unscaled === undefined
      ? undefined
      : `CAST('${formatDecimal(unscaled, decimalScale(type))}' AS ${typeSql(type)})`;
  },
  DATE: ({ value }) => (typeof value === 'number' ? `(DATE '1970-01-01' + CAST('${value}' AS INTEGER))` : undefined),
  TIMESTAMP: micros((moment) => moment),
  'TIMESTAMP WITH TIME ZONE': micros((moment) => `timezone('UTC', ${moment})`),
  UUID: ({ value }) => {
    const uuid = uuidText(value);
    return uuid === undefined ? undefined : `CAST('${uuid}' AS UUID)`;
  },
  INTERVAL: ({ value }) => {
    if (!isObject(value)) return undefined;
    const part = (name: string): bigint => wholeNumber(value[name] ?? 0) ?? 0n;
    return `(to_months(CAST('${part('months')}' AS INTEGER)) + to_days(CAST('${part('days')}' AS INTEGER)) + to_microseconds(CAST('${part('micros')}' AS BIGINT)))`;
  },
};
