/**
 * What is known of a column's values in some set of rows: a file, a row group, the partitions of a manifest. Every
 * value is null, NaN or an ordinary one, and each kind may be there unless it surely isn't.
 */
export interface ColumnStatistics {
  readonly mayBeNull: boolean;
  readonly mayBeNaN: boolean;
  /** Values that are neither null nor NaN. */
  readonly mayBeOrdinary: boolean;
  /** Outer bounds of the ordinary values in single-value binary form, possibly truncated; null when unknown. */
  readonly lowerBound: Uint8Array | null;
  readonly upperBound: Uint8Array | null;
}

export const UNKNOWN_STATISTICS: ColumnStatistics = {
  mayBeNull: true,
  mayBeNaN: true,
  mayBeOrdinary: true,
  lowerBound: null,
  upperBound: null,
};
