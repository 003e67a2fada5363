import type { Table, TransactionOptions } from '@lh/core';
import { isLakehouseError } from '@lh/core';

import type { Machine } from './machine.ts';
import type { Operation } from './operation.ts';
import type { Progress } from './progress.ts';

export type Outcome = 'pending' | 'running' | 'acknowledged' | 'unchanged' | 'refused' | 'unknown';

/** An operation and what its writer knows of it. It outlives the process that makes it, as a job's queue does. */
export interface Job {
  readonly operation: Operation;
  /** Whether it carries an idempotency key, so that it is simply made again when its outcome isn't known. */
  readonly repeats: boolean;
  outcome: Outcome;
  attempts: number;
  /** Whether an earlier attempt may have gone through. */
  doubtful: boolean;
  /** When it was first tried; null if it wasn't yet. */
  startedMs: number | null;
}

/** Since when jobs have been open; Infinity if none is. */
export function openSince(jobs: readonly Job[]): number {
  const open = jobs.filter(({ outcome }) => outcome === 'pending' || outcome === 'running');
  return Math.min(...open.map(({ startedMs }) => startedMs ?? Infinity));
}

/** Errors that say that nothing has changed. */
const REFUSALS: ReadonlySet<string> = new Set([
  'COMMIT_CONFLICT',
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
  // What it reads was that of a snapshot that has expired since.
  'NOT_FOUND',
]);

const MAX_ATTEMPTS = 6;

/** One life of a writer: makes the jobs that are left, one after the other. */
export async function writerLife(
  machine: Machine,
  open: () => Promise<Table>,
  jobs: readonly Job[],
  { withKeys, progress }: { readonly withKeys: boolean; readonly progress: Progress },
): Promise<void> {
  let table: Table | null = null;
  for (const job of jobs) {
    // The process before this one was killed while it made the job.
    if (job.outcome === 'running') {
      job.doubtful = true;
      job.outcome = job.repeats ? 'pending' : 'unknown';
    }
    while (job.outcome === 'pending') {
      if (machine.chance(0.1)) await machine.pause(machine.runtime.random() * 4 * 24 * 3_600_000);
      job.startedMs ??= machine.runtime.now();
      table = await opened(machine, table, open);
      job.outcome = 'running';
      if (job.attempts++ === 0) progress.begin();
      const made = await make(machine, table, job, withKeys);
      job.doubtful ||= made === 'unknown';
      // That the last attempt failed says nothing about the ones before it.
      const outcome = job.doubtful && made === 'refused' ? 'unknown' : made;
      const again = job.repeats && outcome === 'unknown' && job.attempts < MAX_ATTEMPTS;
      job.outcome = again ? 'pending' : outcome;
    }
  }
}

/** Handles are kept for a while: others commit meanwhile. */
async function opened(machine: Machine, table: Table | null, open: () => Promise<Table>): Promise<Table> {
  if (table !== null && !machine.chance(0.3)) return table;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isLakehouseError(error) || !REFUSALS.has(error.code)) throw error;
      await machine.pause(1000);
    }
  }
}

async function make(machine: Machine, table: Table, { operation, repeats }: Job, withKeys: boolean): Promise<Outcome> {
  const options: TransactionOptions = {
    snapshotProperties: { 'simulated-operation': operation.id },
    ...(repeats && withKeys && { idempotencyKey: operation.id }),
    ...(machine.strikes('write aborted') && { signal: abortsAtSomeTime(machine) }),
  };
  try {
    const commit = await operation.run(table, options);
    return commit.changed || repeats ? 'acknowledged' : 'unchanged';
  } catch (error) {
    return outcomeOf(error, operation);
  }
}

function outcomeOf(error: unknown, { id, kind, alreadyMade, refusals = [] }: Operation): Outcome {
  if (isLakehouseError(error)) {
    if (error.code === 'COMMIT_STATE_UNKNOWN') return 'unknown';
    if (error.code === alreadyMade) return 'acknowledged';
    if (REFUSALS.has(error.code) || refusals.includes(error.code)) return 'refused';
  }
  throw new Error(`${kind} ${id} failed in an unforeseen way: ${String(error)}`, { cause: error });
}

export function abortsAtSomeTime({ runtime }: Machine): AbortSignal {
  const controller = new AbortController();
  void runtime.sleep(runtime.random() * 400).then(() => controller.abort());
  return controller.signal;
}
