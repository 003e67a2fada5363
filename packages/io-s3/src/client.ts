import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { isLakehouseError, type S3Access } from '@lh/core';
import { RenewedIdentity } from './identity.ts';
import type { S3Identity, Settings } from './options.ts';
import { failureOf, fromFailure } from './s3-errors.ts';

/**
 * The SDK's client, with nothing done behind our backs: it makes each request once, on as many connections as there may
 * be requests, and never asks first whether the store will take a body.
 */
export class Connection {
  readonly client: S3Client;
  readonly #settings: Settings;
  readonly #agents: readonly (HttpAgent | HttpsAgent)[];
  /** Null where the SDK finds keys itself, and where requests are anonymous. */
  readonly #renewed: RenewedIdentity | null;
  /** The last keys that were used, which no error may show. */
  readonly #used: S3Identity[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
    const { credentials, concurrency } = settings;
    this.#renewed = typeof credentials === 'function' ? new RenewedIdentity(credentials, settings.runtime) : null;
    const agentOptions = { keepAlive: true, maxSockets: concurrency };
    const [httpAgent, httpsAgent] = [new HttpAgent(agentOptions), new HttpsAgent(agentOptions)];
    this.#agents = [httpAgent, httpsAgent];
    this.client = new S3Client({
      ...this.#whereAndWho(),
      forcePathStyle: settings.forcePathStyle,
      maxAttempts: 1,
      expectContinueHeader: false,
      // Bodies are covered by the signature, which other stores know as well.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      customUserAgent: 'lakehouse',
      requestHandler: {
        connectionTimeout: settings.timeouts.connectMs,
        socketTimeout: settings.timeouts.idleMs,
        httpAgent,
        httpsAgent,
      },
    });
    this.#addHeaders();
  }

  /** Says that the store refuses the keys as expired; true if there may be others now. */
  renew(): boolean {
    const last = this.#used.at(-1);
    if (this.#renewed === null || last === undefined) return false;
    this.#renewed.refused(last);
    return true;
  }

  /** What must not be seen in any text. */
  get secrets(): readonly string[] {
    const { encryption, headers } = this.#settings;
    const customerKey = encryption?.type === 'SSE-C' ? [Buffer.from(encryption.key).toString('base64')] : [];
    const keys = this.#used.flatMap((used) => [used.accessKeyId, used.secretAccessKey, used.sessionToken ?? '']);
    return [...keys, ...customerKey, ...Object.values(headers)];
  }

  /** How another client reaches the store now, for an object. */
  async access(location: string): Promise<S3Access> {
    try {
      return await this.#access();
    } catch (error) {
      if (isLakehouseError(error)) throw error;
      throw fromFailure(failureOf(error), { verb: 'find access to', location }, this.secrets);
    }
  }

  async #access(): Promise<S3Access> {
    const { endpoint, forcePathStyle, requesterPays, credentials } = this.#settings;
    const [region, identity] = await Promise.all([
      this.client.config.region(),
      credentials === 'anonymous' ? null : this.client.config.credentials(),
    ]);
    return {
      endpoint,
      region,
      pathStyle: forcePathStyle,
      requesterPays,
      credentials: identity && {
        accessKeyId: identity.accessKeyId,
        secretAccessKey: identity.secretAccessKey,
        sessionToken: identity.sessionToken ?? null,
        expiresAtMs: identity.expiration?.getTime() ?? null,
      },
    };
  }

  close(): void {
    this.client.destroy();
    for (const agent of this.#agents) agent.destroy();
  }

  #whereAndWho(): S3ClientConfig {
    const { endpoint, region, credentials } = this.#settings;
    const place = { ...(endpoint !== null && { endpoint }), ...(region !== null && { region }) };
    if (credentials === null) return place;
    if (credentials === 'anonymous') {
      const nobody = { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' };
      return { ...place, credentials: nobody, signer: { sign: async (request) => request } };
    }
    const provide = async () => {
      const identity = this.#renewed ? await this.#renewed.current() : (credentials as S3Identity);
      this.#remember(identity);
      const { sessionToken, expiration, ...keys } = identity;
      return { ...keys, ...(sessionToken && { sessionToken }), ...(expiration && { expiration }) };
    };
    // The SDK would keep keys without an expiration for good: this tells it that they are kept here.
    return { ...place, credentials: Object.assign(provide, { memoized: true }) };
  }

  #remember(identity: S3Identity): void {
    if (this.#used.at(-1) === identity) return;
    this.#used.push(identity);
    if (this.#used.length > 3) this.#used.shift();
  }

  #addHeaders(): void {
    const { headers } = this.#settings;
    if (Object.keys(headers).length === 0) return;
    this.client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: Record<string, string> }).headers, headers);
        return next(args);
      },
      { step: 'build', name: 'lakehouseHeaders' },
    );
  }
}
