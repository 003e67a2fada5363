import type { Transform } from './transform.ts';
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
