export { Lakehouse, type LakehouseOptions, type SqlOptions } from './lakehouse.ts';
export type { NotPushed } from './plan/to-expression.ts';
export type { ScanReport } from './query/scan-report.ts';
export type { ResultColumn } from './results/batch-source.ts';
export type { RowOptions } from './results/codec.ts';
export type { PrintOptions } from './results/print-table.ts';
export type { SqlResult } from './results/sql-result.ts';
export type { SqlParameters } from './text/parameters.ts';
