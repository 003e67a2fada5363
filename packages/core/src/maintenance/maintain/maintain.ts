import { isLakehouseError, throwIfAborted } from '../../errors.ts';
import type { LakehouseError } from '../../errors.ts';
import type { Runtime } from '../../runtime.ts';
import { checkPolicy } from './policy.ts';
import type { MaintenancePolicy, MaintenanceTask } from './policy.ts';
import { MaintenanceReport } from './report.ts';
import type { MaintenanceOutcome, MaintenanceStep } from './report.ts';
import type { Maintainable } from './task.ts';
import { TASKS } from './tasks.ts';

/**
 * Does what is worth doing for a table now, as its metadata tells: see `MaintenancePolicy`. Each task is safe beside
 * writers and beside others that do the same; that it was overtaken, or failed, keeps none of the others from being done.
 * ABORTED if `signal` is; the budget of time only ends it.
 */
export async function maintainTable(
  table: Maintainable,
  policy: MaintenancePolicy,
  runtime: Runtime,
): Promise<MaintenanceReport> {
  checkPolicy(policy);
  throwIfAborted(policy.signal);
  const dryRun = policy.dryRun ?? false;
  const deadline = new Deadline(runtime, policy);
  const steps: MaintenanceStep[] = [];
  try {
    for (const task of TASK_ORDER) steps.push(await step(task, { table, policy, runtime, deadline, dryRun }));
  } finally {
    deadline.end();
  }
  return new MaintenanceReport(steps, dryRun);
}

/** Files first: what is done to them leaves fewer manifests to rewrite, and snapshots to expire. */
const TASK_ORDER: readonly MaintenanceTask[] = [
  'rewriteDataFiles',
  'rewritePositionDeletes',
  'rewriteManifests',
  'expireSnapshots',
  'removeOrphanFiles',
];

interface StepContext {
  readonly table: Maintainable;
  readonly policy: MaintenancePolicy;
  readonly runtime: Runtime;
  readonly deadline: Deadline;
  readonly dryRun: boolean;
}

async function step(
  task: MaintenanceTask,
  { table, policy, runtime, deadline, dryRun }: StepContext,
): Promise<MaintenanceStep> {
  const startedMs = runtime.now();
  const ended = (
    outcome: MaintenanceOutcome,
    reason: string,
    rest: Partial<MaintenanceStep> = {},
  ): MaintenanceStep => ({
    task,
    outcome,
    reason,
    report: null,
    error: null,
    durationMs: runtime.now() - startedMs,
    ...rest,
  });
  const { isOn, decide } = TASKS[task];
  if (!isOn(policy)) return ended('turned off', 'by the policy');
  if (deadline.isOver) return ended('out of time', 'nothing was begun');
  try {
    const { signal } = deadline;
    const { run, outcome, reason } = await decide({ table, policy, nowMs: startedMs, signal });
    if (run === null || dryRun) return ended(outcome, reason);
    policy.onProgress?.({ task, state: 'started' });
    const done = await run(signal);
    policy.onProgress?.({ task, state: 'ended' });
    return ended('done', done.reason, { report: done.report });
  } catch (reason) {
    throwIfAborted(policy.signal);
    const error = asError(reason);
    if (deadline.isOver && error.code === 'ABORTED') return ended('out of time', 'what was committed stays');
    return ended(error.code === 'COMMIT_CONFLICT' ? 'overtaken' : 'failed', error.message, { error });
  }
}

function asError(reason: unknown): LakehouseError {
  if (isLakehouseError(reason)) return reason;
  // Not ours, so it is for whoever called: a bug must not look like a table that can't be maintained.
  throw reason;
}

/** Aborts what is under way when the time is over, or when the caller says so. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #ended = new AbortController();
  #isOver = false;

  constructor(runtime: Runtime, { budget, signal }: MaintenancePolicy) {
    signal?.addEventListener('abort', () => this.#controller.abort(signal.reason), { signal: this.#ended.signal });
    if (budget?.timeMs === undefined) return;
    const over = (): void => {
      this.#isOver = true;
      this.#controller.abort();
    };
    runtime.sleep(budget.timeMs, this.#ended.signal).then(over, () => undefined);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Leaves no timer and no listener behind. */
  end(): void {
    this.#ended.abort();
  }
}
