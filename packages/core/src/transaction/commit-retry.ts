import { randomFraction } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { CommitRetryPolicy } from '../spec/table-properties.ts';

const MAX_ATTEMPTS_IN_A_ROUND = 10;

/**
 * When to try a commit again that lost its race, by the table's `commit.retry.*`: in rounds, with waits between them
 * that double from `min-wait-ms` up to `max-wait-ms`, one for each of `num-retries`.
 *
 * Within a round attempts follow each other at once, for as long as the wait after it. A loser that does not wait is
 * ahead of the winner, who has its next commit to prepare; with a single attempt in a round a few busy writers on a
 * fast store starve each other, and where an attempt takes longer than the wait, a round is one attempt.
 */
export class CommitRetry {
  readonly #runtime: Runtime;
  readonly #signal: AbortSignal | undefined;
  readonly #startedMs: number;
  #round = 0;
  #roundStartedMs: number;
  #attempts = 0;

  constructor(runtime: Runtime, signal: AbortSignal | undefined) {
    this.#runtime = runtime;
    this.#signal = signal;
    this.#startedMs = runtime.now();
    this.#roundStartedMs = this.#startedMs;
  }

  /** After an attempt was lost: waits if the round is over. False if that was the last one, or the wait broke off. */
  async next(policy: CommitRetryPolicy): Promise<boolean> {
    const now = this.#runtime.now();
    const waitMs = Math.min(policy.minWaitMs * 2 ** this.#round, policy.maxWaitMs);
    this.#attempts++;
    if (policy.retries === 0 || now - this.#startedMs > policy.totalTimeoutMs) return false;
    if (this.#attempts < MAX_ATTEMPTS_IN_A_ROUND && now - this.#roundStartedMs < waitMs) return true;
    if (this.#round >= policy.retries) return false;
    if (!(await this.#wait(waitMs))) return false;
    this.#round++;
    this.#roundStartedMs = this.#runtime.now();
    this.#attempts = 0;
    return true;
  }

  /** A random part of up to half is taken off, so that writers who met once don't meet again. False if aborted. */
  async #wait(milliseconds: number): Promise<boolean> {
    if (this.#signal?.aborted) return false;
    try {
      await this.#runtime.sleep(Math.round(milliseconds * (1 - randomFraction(this.#runtime) / 2)), this.#signal);
      return true;
    } catch {
      return false;
    }
  }
}
