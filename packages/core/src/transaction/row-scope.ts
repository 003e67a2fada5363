import type { BoundExpression } from '../expr/bound-expression.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';

/** A set of rows: those for which a filter is TRUE, or all rows of some partitions. */
export type RowScope =
  | { readonly filter: BoundExpression }
  /** An unpartitioned spec has one partition, the empty tuple. */
  | { readonly partitions: readonly Partition[] };

export interface Partition {
  readonly specId: number;
  readonly tuple: PartitionTuple;
}
