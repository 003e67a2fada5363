import { isLakehouseError, LakehouseError, type Runtime } from '@lh/core';
import type { S3Identity, S3IdentityProvider } from './options.ts';
import { redact } from './redact.ts';

/** Keys are renewed this long before they expire, or half-way if they are not valid for twice as long. */
const AHEAD_MS = 5 * 60_000;
/** A request that starts now should arrive before. */
const MARGIN_MS = 5_000;
/** After renewing failed while the old keys still work. */
const PAUSE_MS = 5_000;

interface Known {
  readonly identity: S3Identity;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** Keys from a provider, kept while they are valid, and renewed ahead of that. Whoever asks meanwhile gets the old ones. */
export class RenewedIdentity {
  readonly #provider: S3IdentityProvider;
  readonly #runtime: Runtime;
  #known: Known | null = null;
  #pending: Promise<Known> | null = null;
  #notBeforeMs = 0;

  constructor(provider: S3IdentityProvider, runtime: Runtime) {
    this.#provider = provider;
    this.#runtime = runtime;
  }

  /** Valid keys. UNAUTHORIZED if the provider has none. */
  async current(): Promise<S3Identity> {
    const [known, now] = [this.#known, this.#runtime.now()];
    if (known === null || now >= known.expiresAtMs - MARGIN_MS) return (await this.#renew()).identity;
    if (now >= known.renewAtMs && now >= this.#notBeforeMs) {
      void this.#renew().catch(() => (this.#notBeforeMs = this.#runtime.now() + PAUSE_MS));
    }
    return known.identity;
  }

  /** Says that the store refuses these keys as expired. The next to ask waits for others. */
  refused(identity: S3Identity): void {
    if (this.#known?.identity === identity) this.#known = null;
  }

  #renew(): Promise<Known> {
    this.#pending ??= this.#ask().finally(() => (this.#pending = null));
    return this.#pending;
  }

  async #ask(): Promise<Known> {
    const identity = await this.#provide();
    const now = this.#runtime.now();
    const expiresAtMs = identity.expiration?.getTime() ?? Infinity;
    const renewAtMs = Math.max(expiresAtMs - AHEAD_MS, now + (expiresAtMs - now) / 2);
    this.#known = { identity, renewAtMs, expiresAtMs };
    return this.#known;
  }

  async #provide(): Promise<S3Identity> {
    let identity: S3Identity;
    try {
      identity = await this.#provider();
    } catch (error) {
      if (isLakehouseError(error)) throw error;
      const { name = 'Error', message = '' } = error as Partial<Error>;
      const cause = Object.assign(new Error(redact(message, [])), { name });
      throw new LakehouseError('UNAUTHORIZED', 'The credentials provider for S3 failed.', { cause });
    }
    if (identity?.accessKeyId && identity.secretAccessKey) return identity;
    throw new LakehouseError(
      'UNAUTHORIZED',
      'The credentials provider for S3 gave no accessKeyId and secretAccessKey.',
    );
  }
}
