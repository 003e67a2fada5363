import type { IcebergType, NestedField, StructType } from '@lh/core';
import { quoteName, quoteString } from '../text/quote.ts';
import { ROWS } from './stored-columns.ts';

/** Conditions that fail a query at a row that lacks a required value (spec: "Schemas", required fields). */
export function requiredValues({ fields }: StructType): readonly string[] {
  return fields.flatMap((field) =>
    missing(field, `${ROWS}.${quoteName(field.name)}`, [field.name]).map(({ condition, path }) => {
      const message = `The column '${path.join('.')}' is required, and the query gives it a null.`;
      return `CASE WHEN ${condition} THEN error(${quoteString(message)}) ELSE true END`;
    }),
  );
}

interface Missing {
  /** True of rows that lack the value. */
  readonly condition: string;
  readonly path: readonly string[];
}

function missing(field: NestedField, access: string, path: readonly string[]): readonly Missing[] {
  const own = field.required ? [{ condition: `${access} IS NULL`, path }] : [];
  return [...own, ...missingInside(field.type, access, path)];
}

function missingInside(type: IcebergType, access: string, path: readonly string[]): readonly Missing[] {
  switch (type.kind) {
    case 'struct':
      return type.fields
        .flatMap((field) =>
          missing(field, `struct_extract(${access}, ${quoteString(field.name)})`, [...path, field.name]),
        )
        .map((one) => ({ ...one, condition: `(${access} IS NOT NULL AND ${one.condition})` }));
    case 'list':
      return missingItems(access, { required: type.elementRequired, type: type.element }, [...path, 'element']);
    case 'map':
      return [
        ...missingItems(`map_keys(${access})`, { required: true, type: type.key }, [...path, 'key']),
        ...missingItems(`map_values(${access})`, { required: type.valueRequired, type: type.value }, [
          ...path,
          'value',
        ]),
      ];
    default:
      return [];
  }
}

function missingItems(
  list: string,
  { required, type }: Pick<NestedField, 'required' | 'type'>,
  path: readonly string[],
): readonly Missing[] {
  // Lambdas nest, so that each needs a name of its own.
  const item = `__lh_item_${path.length}`;
  return missing({ id: 0, name: '', required, type }, item, path).map((one) => ({
    path: one.path,
    condition: `len(list_filter(${list}, lambda ${item}: ${one.condition})) > 0`,
  }));
}
