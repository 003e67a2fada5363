import type { LakehouseError } from '../../errors.ts';
import type { MaintenanceTask } from './policy.ts';

/**
 * - `done`, or in a dry run `planned`: it is worth it.
 * - `not needed`, `turned off`, `no budget`: nothing was touched.
 * - `out of time`: it was ended; what it has committed stays.
 * - `overtaken`: others changed the same files meanwhile, so that it was left to them, or to the next time.
 * - `failed`: the table is as it was; the other tasks go on.
 */
export type MaintenanceOutcome =
  | 'done'
  | 'planned'
  | 'not needed'
  | 'turned off'
  | 'no budget'
  | 'out of time'
  | 'overtaken'
  | 'failed';

export interface MaintenanceStep {
  readonly task: MaintenanceTask;
  readonly outcome: MaintenanceOutcome;
  /** What there is to do, or was done, in numbers; for people. */
  readonly reason: string;
  /** That of the table's method; null if it wasn't called, or failed. */
  readonly report: unknown;
  readonly error: LakehouseError | null;
  readonly durationMs: number;
}

/** What `table.maintain()` decided and did, in order. As a text it is a table for people. */
export class MaintenanceReport {
  readonly steps: readonly MaintenanceStep[];
  readonly dryRun: boolean;

  constructor(steps: readonly MaintenanceStep[], dryRun: boolean) {
    this.steps = steps;
    this.dryRun = dryRun;
  }

  toString(): string {
    const rows = this.steps.map(({ task, outcome, reason, durationMs }) => [
      task,
      outcome,
      outcome === 'done' ? `${reason} (${(durationMs / 1000).toFixed(1)} s)` : reason,
    ]);
    const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i]!.length)));
    return rows
      .map(([task, outcome, reason]) => `${task!.padEnd(widths[0]!)}  ${outcome!.padEnd(widths[1]!)}  ${reason}`)
      .join('\n');
  }
}
