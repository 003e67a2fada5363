import type { IcebergType, NestedField, StructType } from '@lh/core';
import { quoteName, quoteString } from '../text/quote.ts';
import { ROWS } from './stored-columns.ts';

/**
 * Conditions that fail a query at a row with a value that a table can't hold: a null where one is required, and times that
 * only DuckDB has.
 */
export function valueChecks({ fields }: StructType): readonly string[] {
  return fields.flatMap((field) =>
    refused(field, `${ROWS}.${quoteName(field.name)}`, [field.name]).map(({ condition, path, reason }) => {
      const message = `The column '${path.join('.')}' ${reason}.`;
      return `CASE WHEN ${condition} THEN error(${quoteString(message)}) ELSE true END`;
    }),
  );
}

interface Refused {
  /** True of rows that are refused. */
  readonly condition: string;
  readonly path: readonly string[];
  /** As the end of a sentence about the column. */
  readonly reason: string;
}

function refused(field: NestedField, access: string, path: readonly string[]): readonly Refused[] {
  const own = field.required
    ? [{ condition: `${access} IS NULL`, path, reason: 'is required, and the query gives it a null' }]
    : [];
  return [...own, ...refusedInside(field.type, access, path)];
}

function refusedInside(type: IcebergType, access: string, path: readonly string[]): readonly Refused[] {
  switch (type.kind) {
    case 'struct':
      return type.fields
        .flatMap((field) =>
          refused(field, `struct_extract(${access}, ${quoteString(field.name)})`, [...path, field.name]),
        )
        .map((one) => ({ ...one, condition: `(${access} IS NOT NULL AND ${one.condition})` }));
    case 'list':
      return refusedItems(access, { required: type.elementRequired, type: type.element }, [...path, 'element']);
    case 'map':
      return [
        ...refusedItems(`map_keys(${access})`, { required: true, type: type.key }, [...path, 'key']),
        ...refusedItems(`map_values(${access})`, { required: type.valueRequired, type: type.value }, [
          ...path,
          'value',
        ]),
      ];
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
      return [{ condition: `NOT isfinite(${access})`, path, reason: 'has no infinite times' }];
    case 'time':
      return [{ condition: `${access} = TIME '24:00:00'`, path, reason: 'has no time 24:00:00' }];
    default:
      return [];
  }
}

function refusedItems(
  list: string,
  { required, type }: Pick<NestedField, 'required' | 'type'>,
  path: readonly string[],
): readonly Refused[] {
  // Lambdas nest, so that each needs a name of its own.
  const item = `__lh_item_${path.length}`;
  return refused({ id: 0, name: '', required, type }, item, path).map((one) => ({
    ...one,
    condition: `len(list_filter(${list}, lambda ${item}: ${one.condition})) > 0`,
  }));
}
