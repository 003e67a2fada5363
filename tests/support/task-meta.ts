import type { PlanDifference } from '../conformance/plans.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** How a plan differs from Iceberg Java's. */
    plan?: PlanDifference;
    /** Lines of a read's expectation that are no part of SQL's answer. */
    rowsLeftOut?: number;
    /** Peak growth of the process's memory in bytes while the test ran. */
    peakBytes?: number;
    /** What came of a broken table, or of mutated files: outcomes by name. */
    outcomes?: Readonly<Record<string, number>>;
  }
}
