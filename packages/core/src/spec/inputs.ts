import type { Transform } from './transform.ts';

/** A partition field before it is bound to a schema: what `partitionBy.day('ts')` returns. */
export interface PartitionFieldInput {
  readonly column: string;
  readonly transform: Transform;
  /** Left out: the name that Iceberg Java gives (`ts_day`, `id_bucket`, `city` for identity). */
  readonly name?: string;
}

/** 'ts' sorts ascending with nulls first, as the spec's defaults have it; descending puts nulls last. */
export type SortFieldInput =
  | string
  | {
      readonly field: string;
      readonly direction?: 'asc' | 'desc';
      readonly nulls?: 'first' | 'last';
      readonly transform?: Transform;
    };
