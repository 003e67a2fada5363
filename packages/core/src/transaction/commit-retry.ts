import { LakehouseError, throwIfAborted } from '../errors.ts';
import { randomFraction } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { CommitRetryPolicy } from '../spec/table-properties.ts';

/**
 * Waits before attempt `retry + 1` (retry = 1 for the first one): the wait doubles from `minWaitMs` to `maxWaitMs`,
 * and a random half of it is taken off, so that writers who met once don't meet again.
 */
export async function waitBeforeRetry(
  policy: CommitRetryPolicy,
  retry: number,
  runtime: Runtime,
  signal: AbortSignal | undefined,
): Promise<void> {
  const full = Math.min(policy.minWaitMs * 2 ** (retry - 1), policy.maxWaitMs);
  throwIfAborted(signal);
  try {
    await runtime.sleep(Math.round(full * (1 - randomFraction(runtime) / 2)), signal);
  } catch (cause) {
    throwIfAborted(signal);
    throw new LakehouseError('ABORTED', 'Waiting for the next attempt to commit was interrupted.', { cause });
  }
}
