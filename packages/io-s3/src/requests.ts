import { setMaxListeners } from 'node:events';
import type { S3Client } from '@aws-sdk/client-s3';
import { isLakehouseError, type LakehouseError, type Runtime } from '@lh/core';
import type { Connection } from './client.ts';
import type { S3RetryOptions, Settings } from './options.ts';
import {
  aborted,
  failureOf,
  fromFailure,
  isExpiry,
  isThrottling,
  outcomeUnknown,
  type Action,
  type Failure,
} from './s3-errors.ts';
import { Slots } from './slots.ts';

/** What one attempt of a request has to work with. */
export interface Attempt {
  readonly client: S3Client;
  /** For each request of the attempt. */
  readonly options: { readonly abortSignal?: AbortSignal };
  /** Earlier ones failed without a clear refusal: what they asked for may have happened. */
  readonly inDoubt: boolean;
}

/** A store that asks for patience gets it from the first time on. */
const THROTTLED_FACTOR = 8;
/** What a success gives back of a retry. */
const REFUND = 0.2;

/**
 * Makes requests, so many at a time, and makes those again that failed in a way that may pass: after a random wait whose
 * bound doubles, and as long as the retries that all requests share last.
 */
export class Requests {
  readonly #connection: Connection;
  readonly #retry: Required<S3RetryOptions>;
  readonly #runtime: Runtime;
  readonly #slots: Slots;
  #budget: number;

  constructor(connection: Connection, settings: Settings) {
    this.#connection = connection;
    this.#retry = settings.retry;
    this.#runtime = settings.runtime;
    this.#slots = new Slots(settings.concurrency);
    this.#budget = settings.retry.budget;
  }

  /**
   * The result of a task that makes one request and takes its answer in full. It runs again if it fails with an error
   * of S3 or of the network that may pass; a LakehouseError is final.
   */
  async run<T>(action: Action, signal: AbortSignal | undefined, task: (attempt: Attempt) => Promise<T>): Promise<T> {
    const startedMs = this.#runtime.now();
    const { client } = this.#connection;
    const options = signal ? { abortSignal: signal } : {};
    // Many requests may share one signal, which is no leak, as Node would warn of.
    if (signal) setMaxListeners(0, signal);
    let renewed = false;
    let inDoubt = false;
    for (let count = 1; ; count++) {
      try {
        const result = await this.#slots.use(signal, () => task({ client, options, inDoubt }));
        this.#budget = Math.min(this.#budget + REFUND, this.#retry.budget);
        return result;
      } catch (error) {
        if (signal?.aborted) throw aborted(signal);
        if (isLakehouseError(error)) throw error;
        const failure = failureOf(error);
        if (isExpiry(failure) && !renewed && this.#connection.renew()) {
          renewed = true;
        } else if (await this.#waitToRepeat(failure, count, startedMs, signal)) {
          inDoubt = true;
        } else {
          const final = this.errorOf(error, action);
          throw inDoubt && action.isConditional ? outcomeUnknown(action.location, final) : final;
        }
      }
    }
  }

  /** The library's error for one of S3 or of the network. */
  errorOf(error: unknown, action: Action): LakehouseError {
    return fromFailure(failureOf(error), action, this.#connection.secrets);
  }

  /** True after the wait; false if the request is not to be made again. */
  async #waitToRepeat(
    failure: Failure,
    count: number,
    startedMs: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { baseDelayMs, maxDelayMs, maxAttempts, maxElapsedMs } = this.#retry;
    if (!failure.meaning.again || count >= maxAttempts || this.#budget < 1) return false;
    const first = baseDelayMs * (isThrottling(failure) ? THROTTLED_FACTOR : 1);
    const waitMs = randomFraction(this.#runtime) * Math.min(first * 2 ** (count - 1), maxDelayMs);
    if (this.#runtime.now() - startedMs + waitMs > maxElapsedMs) return false;
    this.#budget--;
    try {
      await this.#runtime.sleep(waitMs, signal);
    } catch {
      throw aborted(signal);
    }
    return true;
  }
}

/** In [0, 1). */
function randomFraction(runtime: Runtime): number {
  const bytes = runtime.randomBytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}
