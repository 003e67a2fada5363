import type { DataFile } from '../spec/data-file.ts';
import { valueToBytes } from '../spec/single-value.ts';
import type { Value } from '../spec/values.ts';
import type { BoundExpression, BoundTerm } from './bound-expression.ts';
import { UNKNOWN_STATISTICS, type ColumnStatistics } from './column-statistics.ts';
import { mayMatch, mustMatch } from './statistics-evaluator.ts';
import { isFloating } from './value-order.ts';

/** What a manifest says of a file's columns. */
export type FileMetrics = Pick<
  DataFile,
  'recordCount' | 'valueCounts' | 'nullValueCounts' | 'nanValueCounts' | 'lowerBounds' | 'upperBounds'
>;

/**
 * Columns that a file surely doesn't have, by field id, with the value that all its rows have instead: null or the
 * field's initial default. A column without metrics is not one of them: its metrics may just not have been collected.
 */
export type AbsentColumns = ReadonlyMap<number, Value>;

export type MetricsEvaluator = (file: FileMetrics, absent?: AbsentColumns) => boolean;

/** False only if no row of a file can match, by its counts and bounds. */
export function inclusiveMetricsEvaluator(expression: BoundExpression): MetricsEvaluator {
  const evaluate = mayMatch(expression);
  // A record count below zero was once written for files of which it wasn't known.
  return (file, absent) =>
    file.recordCount !== 0 && (file.recordCount < 0 || evaluate((term) => statisticsOf(file, term, absent)));
}

/** True only if all rows of a file match, by its counts and bounds. */
export function strictMetricsEvaluator(expression: BoundExpression): MetricsEvaluator {
  const evaluate = mustMatch(expression);
  return (file, absent) =>
    file.recordCount === 0 || (file.recordCount > 0 && evaluate((term) => statisticsOf(file, term, absent)));
}

function statisticsOf(file: FileMetrics, term: BoundTerm, absent: AbsentColumns | undefined): ColumnStatistics {
  const { id } = term.field;
  const constant = absent?.get(id);
  if (constant !== undefined) return constantStatistics(term, constant);

  const values = file.valueCounts?.get(id);
  const nulls = file.nullValueCounts?.get(id);
  const nans = file.nanValueCounts?.get(id);
  const allNull = isAllNull(file.recordCount, values, nulls, term);
  const floating = isFloating(term.field.type);
  const allNaN = floating && nans !== undefined && nans > 0 && values !== undefined && nans + (nulls ?? 0) >= values;
  return {
    mayBeNull: allNull || (term.nullable && !isNeverNull(file.recordCount, values, nulls, term)),
    mayBeNaN: floating && nans !== 0 && !allNull,
    mayBeOrdinary: !allNull && !allNaN,
    lowerBound: file.lowerBounds?.get(id) ?? null,
    upperBound: file.upperBounds?.get(id) ?? null,
  };
}

function isAllNull(records: number, values: number | undefined, nulls: number | undefined, term: BoundTerm): boolean {
  if (nulls === undefined) return false;
  if (values === undefined) return !isNested(term) && nulls === records;
  // A field of a struct may have no values at all; see below.
  return nulls === values && (nulls > 0 || isNested(term));
}

/**
 * A field of a struct is null where the struct is, which not every writer counts: some leave such rows out of the
 * field's values altogether. Its null count can be trusted only if there is a value for every row.
 */
function isNeverNull(records: number, values: number | undefined, nulls: number | undefined, term: BoundTerm): boolean {
  return nulls === 0 && (!isNested(term) || values === records);
}

function isNested({ path }: BoundTerm): boolean {
  return path.length > 1;
}

function constantStatistics(term: BoundTerm, value: Value): ColumnStatistics {
  const isNaN = Number.isNaN(value);
  const ordinary = value !== null && !isNaN;
  const bound = ordinary ? boundOf(term, value) : null;
  return {
    ...UNKNOWN_STATISTICS,
    mayBeNull: value === null,
    mayBeNaN: isNaN,
    mayBeOrdinary: ordinary,
    lowerBound: bound,
    upperBound: bound,
  };
}

/** Variants can have a default of null only, and geometries are never compared, so every other value has a binary form. */
function boundOf(term: BoundTerm, value: Value): Uint8Array {
  return valueToBytes(term.field.type, value);
}
