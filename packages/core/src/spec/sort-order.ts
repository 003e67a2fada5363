import type { Transform } from './transform.ts';
import { transformToText } from './transform-text.ts';
import type { UnknownFields } from './unknown-fields.ts';

export interface SortOrder {
  /** 0 is the unsorted order. */
  readonly orderId: number;
  readonly fields: readonly SortField[];
  readonly unknownFields?: UnknownFields;
}

export interface SortField {
  readonly sourceIds: readonly number[];
  readonly transform: Transform;
  readonly direction: 'asc' | 'desc';
  readonly nullOrder: 'nulls-first' | 'nulls-last';
  readonly unknownFields?: UnknownFields;
}

export const UNSORTED: SortOrder = { orderId: 0, fields: [] };

/** Whether two orders sort the same way, whatever their ids. */
export function sortFieldsEqual(a: readonly SortField[], b: readonly SortField[]): boolean {
  return a.length === b.length && a.every((field, i) => sortFieldText(field) === sortFieldText(b[i]!));
}

function sortFieldText({ sourceIds, transform, direction, nullOrder }: SortField): string {
  return `${sourceIds.join(',')} ${transformToText(transform)} ${direction} ${nullOrder}`;
}
