import type duckdb from '@duckdb/node-bindings';
import type { Data, DataType } from 'apache-arrow';

/** How the values of one DuckDB type become an Arrow column, and that column's values become JavaScript. */
export interface ColumnCodec {
  readonly arrowType: DataType;
  /** Collects vectors into one Arrow column of about `capacity` rows. */
  copier(capacity: number): ColumnCopier;
  /** Reads single values of a column that `copier` made. */
  reader(data: Data, options: RowOptions): ValueReader;
}

export interface ColumnCopier {
  /** Looks at a vector of `size` rows; what it holds is valid only until the next chunk is fetched. */
  open(vector: duckdb.Vector, size: number): void;
  /** Adds the open vector's rows `from` to `from + count`. */
  copy(from: number, count: number): void;
  finish(): Data;
}

export type ValueReader = (row: number) => unknown;

export interface RowOptions {
  /** 'Date' gives dates and timestamps as Date objects, cut to milliseconds; ISO text otherwise. */
  readonly dates?: 'Date';
}
