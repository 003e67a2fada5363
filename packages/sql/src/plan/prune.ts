import type { Expression, Schema } from '@lh/core';
import { expr } from '@lh/core';
import type { JsonObject } from '@lh/core/engine';
import { columnParts } from './column-parts.ts';
import type { ColumnParts } from './column-parts.ts';
import type { PlanExpression } from './plan-expression.ts';
import { plannedScans } from './plan-scans.ts';
import type { ScanLimit } from './plan-scans.ts';
import { toExpression } from './to-expression.ts';
import type { ConversionOptions, NotPushed } from './to-expression.ts';

/** What a query needs of one mention of a table. */
export interface ScanNeeds {
  /** Rows that fail it don't matter to the query. */
  readonly filter: Expression;
  readonly notPushed: readonly NotPushed[];
  /** Indexes of the columns that it reads; null if that isn't known. */
  readonly columns: ReadonlySet<number> | null;
  /** What it reads of struct columns. */
  readonly parts: ColumnParts;
  /** Indexes of columns in IS [NOT] DISTINCT FROM, which DuckDB must not judge by statistics. */
  readonly distinctColumns: ReadonlySet<number>;
  /** The filter says all that the query's filters on the table say. */
  readonly isExact: boolean;
  /** A LIMIT on the rows that pass the filter, first in an order maybe; null if all are needed. */
  readonly limit: ScanLimit | null;
  /** So many rows are enough, whichever they are; null if all are needed. */
  readonly maxRows: number | null;
  /** What the filter has from values that were read of other tables. */
  readonly dynamic: readonly DynamicPredicate[];
}

/** A predicate that follows from what another table holds. */
export interface DynamicPredicate {
  /** On a column or an expression of one: `day = 3 values`, `ts between 2 values`. */
  readonly predicate: string;
  /** The tables that the values were read from. */
  readonly from: readonly string[];
  /** How many values there were; null if they were too many, and only the least and the greatest are known. */
  readonly values: number | null;
}

/** Everything of a table, for a reason. */
export function wholeTable(reason: string): ScanNeeds {
  return {
    filter: expr.alwaysTrue(),
    notPushed: [{ predicate: '(the whole query)', reason }],
    columns: null,
    parts: new Map(),
    distinctColumns: new Set(),
    isExact: false,
    limit: null,
    maxRows: null,
    dynamic: [],
  };
}

function distinctColumns(filter: PlanExpression, isDistinct = false): readonly number[] {
  switch (filter.kind) {
    case 'column':
      return isDistinct ? [filter.column.index] : [];
    case 'compare': {
      const inside = isDistinct || filter.op === 'distinct' || filter.op === 'notDistinct';
      return [...distinctColumns(filter.left, inside), ...distinctColumns(filter.right, inside)];
    }
    case 'and':
    case 'or':
      return filter.children.flatMap((child) => distinctColumns(child, isDistinct));
    case 'not':
    case 'isNull':
    case 'isNotNull':
    case 'in':
    case 'notIn':
    case 'cast':
      return distinctColumns(filter.child, isDistinct);
    case 'call':
      return filter.args.flatMap((arg) => distinctColumns(arg, isDistinct));
    case 'case':
      return [filter.otherwise, ...filter.checks.flatMap(({ when, value }) => [when, value])].flatMap((part) =>
        distinctColumns(part, isDistinct),
      );
    case 'constant':
    case 'always':
    case 'other':
      return [];
  }
}

/**
 * The rows that a planned query needs of a shadow table. A plan that scans it several times needs what any of the scans
 * needs; one that doesn't mention it (`WHERE 1 = 0`) needs nothing of it.
 *
 * Why the filters of the plan may be used for a query that DuckDB will plan anew: the plan gives the query's answer
 * for any content of the tables, and gives the same one when rows are missing that its scans drop.
 */
export function scanNeeds(plan: JsonObject, shadow: string, schema: Schema, options: ConversionOptions): ScanNeeds {
  const scans = plannedScans(plan).filter((scan) => scan.table === shadow);
  const pushed = scans.map((scan) => toExpression(schema, scan.filters, options));
  const always = pushed.some(({ expression }) => expression.op === 'true');
  const isExact = scans.length === 1 && pushed[0]!.exact;
  const limit = isExact ? scans[0]!.limit : null;
  return {
    filter: always ? expr.alwaysTrue() : expr.or(...pushed.map(({ expression }) => expression)),
    notPushed: pushed.flatMap(({ notPushed }) => notPushed),
    columns: new Set(scans.flatMap((scan) => scan.columns)),
    parts: columnParts(plan, shadow),
    distinctColumns: new Set(scans.flatMap((scan) => scan.filters.flatMap((filter) => distinctColumns(filter)))),
    isExact,
    limit,
    maxRows: limit && limit.order === null && scans[0]!.filters.length === 0 ? limit.rows : null,
    dynamic: [],
  };
}
