import type { Transform } from './transform.ts';

export interface SortOrder {
  /** 0 is the unsorted order. */
  readonly orderId: number;
  readonly fields: readonly SortField[];
}

export interface SortField {
  readonly sourceIds: readonly number[];
  readonly transform: Transform;
  readonly direction: 'asc' | 'desc';
  readonly nullOrder: 'nulls-first' | 'nulls-last';
}

export const UNSORTED: SortOrder = { orderId: 0, fields: [] };
