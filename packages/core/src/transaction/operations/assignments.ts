import { columnBuilder } from '../../columns/builder.ts';
import type { Column } from '../../columns/column.ts';
import { constantColumn } from '../../columns/constant.ts';
import { invalidArgument } from '../../errors.ts';
import type { Schema } from '../../spec/schema.ts';
import type { NestedField } from '../../spec/types.ts';
import { toValue } from '../../spec/user-values.ts';
import type { Value } from '../../spec/values.ts';

/** New values by column: a value, or a function of the row (of a merge: of the table's row and the source's). */
export type Assignments<
  Rows extends readonly unknown[] = readonly [Record<string, unknown>],
  Name extends PropertyKey = string,
> = Readonly<Partial<Record<Name, AssignedValue | ((...rows: Rows) => unknown)>>>;

type AssignedValue = string | number | bigint | boolean | null | object;

/** Computes the columns of changed rows. */
export interface BoundAssignments {
  /** Whether values depend on rows; if not, `columns` needs none. */
  readonly readsRows: boolean;
  /** The new columns by index in the schema; `rows` gives the arguments of functions, row by row. */
  columns(length: number, rows: () => Iterable<readonly unknown[]>): ReadonlyMap<number, Column>;
}

type RowFunction = (...rows: readonly unknown[]) => unknown;

interface Assigned {
  readonly index: number;
  readonly field: NestedField;
  readonly value: Value | RowFunction;
}

/** INVALID_ARGUMENT for unknown columns, and for values that don't fit. */
export function bindAssignments(schema: Schema, assignments: Readonly<Record<string, unknown>>): BoundAssignments {
  const assigned = Object.entries(assignments).map(([name, input]) => bind(schema, name, input));
  if (assigned.length === 0) throw invalidArgument('An update assigns at least one column: { city: "Busan" }.');
  const functions = assigned.filter((one) => typeof one.value === 'function');
  return {
    readsRows: functions.length > 0,
    columns(length, rows) {
      const builders = functions.map(({ field }) => columnBuilder(field.type));
      if (functions.length > 0) {
        let row = 0;
        for (const args of rows()) {
          functions.forEach(({ field, value }, i) => {
            builders[i]!.append(
              checked(field, (value as RowFunction)(...args), () => `The new ${field.name} of row ${row}`),
            );
          });
          row++;
        }
      }
      const columns = new Map<number, Column>();
      for (const { index, field, value } of assigned) {
        if (typeof value !== 'function') columns.set(index, constantColumn(field.type, value, length));
      }
      functions.forEach(({ index }, i) => columns.set(index, builders[i]!.finish()));
      return columns;
    },
  };
}

function bind(schema: Schema, name: string, input: unknown): Assigned {
  const index = schema.fields.findIndex((field) => field.name === name);
  const field = schema.fields[index];
  if (field === undefined) {
    const names = schema.fields.map((one) => one.name).join(', ');
    throw invalidArgument(`There is no column '${name}' to be assigned; the table has ${names}.`, { column: name });
  }
  const value = typeof input === 'function' ? (input as RowFunction) : checked(field, input, () => `The new ${name}`);
  return { index, field, value };
}

function checked(field: NestedField, input: unknown, what: () => string): Value {
  const value = toValue(field.type, input, what());
  if (value === null && field.required) throw invalidArgument(`${what()} is missing, but the column is required.`);
  return value;
}
