import { bindSortOrder } from '../spec/bind-sort-order.ts';
import type { SortFieldInput } from '../spec/inputs.ts';
import { currentSchema, currentSortOrder } from '../spec/metadata-accessors.ts';
import { sortFieldsEqual } from '../spec/sort-order.ts';
import type { MetadataAction } from './action.ts';

/** Sets the order that writers sort by; no fields for none. Files that are there stay as they are. */
export function updateSortOrderAction(inputs: readonly SortFieldInput[]): MetadataAction {
  return {
    build(metadata) {
      const { fields } = bindSortOrder(currentSchema(metadata), inputs, -1);
      if (sortFieldsEqual(fields, currentSortOrder(metadata).fields)) return [];
      return [
        { action: 'add-sort-order', fields },
        { action: 'set-default-sort-order', sortOrderId: -1 },
      ];
    },
  };
}
