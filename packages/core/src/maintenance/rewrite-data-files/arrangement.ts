import { findColumn } from '../../columns/find-column.ts';
import { invalidArgument, unsupported } from '../../errors.ts';
import { bindSortOrder } from '../../spec/bind-sort-order.ts';
import { currentSchema, currentSortOrder } from '../../spec/metadata-accessors.ts';
import { findFieldByName } from '../../spec/schema-fields.ts';
import type { Schema } from '../../spec/schema.ts';
import { UNSORTED, sortFieldsEqual } from '../../spec/sort-order.ts';
import type { SortOrder } from '../../spec/sort-order.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { typeToText } from '../../spec/type-text.ts';
import type { RewriteSettings, RewriteStrategy } from './options.ts';
import { zOrderForm } from './z-order-types.ts';

/** How the rows of a group are arranged. */
export interface Arrangement {
  /** What they are sorted by; unsorted if they stay as they are, or for `zOrder`. */
  readonly sortOrder: SortOrder;
  /** Field ids. */
  readonly zOrder: readonly number[];
}

/** INVALID_ARGUMENT for columns that the table lacks or can't sort by, and for a table without a sort order to take. */
export function arrangementFor(settings: RewriteSettings, metadata: TableMetadata): Arrangement {
  return ARRANGEMENTS[settings.strategy](settings, metadata);
}

const ARRANGEMENTS: Readonly<
  Record<RewriteStrategy, (settings: RewriteSettings, metadata: TableMetadata) => Arrangement>
> = {
  binpack: () => ({ sortOrder: UNSORTED, zOrder: [] }),
  sort: ({ sortBy }, metadata) => ({ sortOrder: sortOrder(sortBy, metadata), zOrder: [] }),
  zorder: ({ zOrderBy = [] }, metadata) => ({
    sortOrder: UNSORTED,
    zOrder: zOrderColumns(zOrderBy, currentSchema(metadata)),
  }),
};

/** An order that the table knows has its id; files in another one can't say that they are sorted. */
function sortOrder(sortBy: RewriteSettings['sortBy'], metadata: TableMetadata): SortOrder {
  if (sortBy === undefined) {
    const order = currentSortOrder(metadata);
    const unknown = order.fields.find(({ transform }) => transform.kind === 'unknown');
    if (unknown)
      throw unsupported("The table's sort order has a transform that this version doesn't know; give sortBy.");
    if (order.fields.length > 0) return order;
    throw invalidArgument('The table has no sort order; give sortBy, or set one with updateSortOrder.');
  }
  const order = bindSortOrder(currentSchema(metadata), sortBy, UNSORTED.orderId);
  if (order.fields.length === 0) throw invalidArgument('sortBy must name a column.');
  return metadata.sortOrders.find((known) => sortFieldsEqual(known.fields, order.fields)) ?? order;
}

/** More columns leave too few bits to each for any order to be seen. */
const MAX_Z_ORDER_COLUMNS = 8;

function zOrderColumns(names: readonly string[], schema: Schema): readonly number[] {
  if (names.length < 2 || names.length > MAX_Z_ORDER_COLUMNS) {
    throw invalidArgument(
      `zOrderBy takes 2 to ${MAX_Z_ORDER_COLUMNS} columns, not ${names.length}; for one column use the strategy 'sort'.`,
    );
  }
  if (new Set(names).size < names.length) throw invalidArgument('zOrderBy names the same column twice.');
  return names.map((name) => {
    const field = findFieldByName(schema, name)?.field;
    if (!field) throw invalidArgument(`The table has no column '${name}' to order by.`);
    if (zOrderForm(field.type) === null || findColumn(schema, field.id) === undefined) {
      throw invalidArgument(`Column '${name}' is ${typeToText(field.type)}, which has no order to interleave.`);
    }
    return field.id;
  });
}
