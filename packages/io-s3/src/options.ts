import { LakehouseError, systemRuntime, type Runtime } from '@lh/core';

/** Keys of S3, in the form of the AWS SDK: what its credential providers return fits. */
export interface S3Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** When they stop being valid. */
  readonly expiration?: Date | undefined;
}

/** Asked for keys when there are none, ahead of the expiration of those that it gave, and when the store says they expired. */
export type S3IdentityProvider = () => Promise<S3Identity>;

/** How objects are encrypted where they lie; left out, as the bucket says. */
export type S3Encryption =
  | { readonly type: 'SSE-S3' }
  /** With the key of AWS KMS; the bucket's or the account's own if left out. */
  | { readonly type: 'SSE-KMS'; readonly keyId?: string }
  /** With 32 bytes that only the caller has. S3 takes them through TLS only. */
  | { readonly type: 'SSE-C'; readonly key: Uint8Array };

export interface S3RetryOptions {
  /** How often a request is made at most; 8 if left out. */
  readonly maxAttempts?: number;
  /** The first wait is drawn from [0, baseDelayMs), each next bound is twice as large; 50 if left out. */
  readonly baseDelayMs?: number;
  /** 5,000 if left out. */
  readonly maxDelayMs?: number;
  /** No attempt starts later than this after the first one; 60,000 if left out. */
  readonly maxElapsedMs?: number;
  /**
   * Retries that all requests together may make before one has to succeed: each takes one out, each success puts a fifth
   * back. It keeps a store that is down from being asked many times as often as one that is well. 500 if left out.
   */
  readonly budget?: number;
}

export interface S3TimeoutOptions {
  /** Milliseconds until a connection must be there; 5,000 if left out. */
  readonly connectMs?: number;
  /** Milliseconds that a connection may be silent in the middle of a request; 30,000 if left out. */
  readonly idleMs?: number;
}

export interface S3FileIOOptions {
  /** `http://127.0.0.1:9000`; if left out, that of `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, else AWS's own. */
  readonly endpoint?: string;
  /** Left out: that of the environment or of the AWS configuration files; with an endpoint that isn't needed. */
  readonly region?: string;
  /** Left out: environment, configuration files, container and instance roles, as all AWS tools find them. */
  readonly credentials?: S3Identity | S3IdentityProvider | 'anonymous';
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`; true with an endpoint of one's own if left out. */
  readonly forcePathStyle?: boolean;
  readonly encryption?: S3Encryption;
  /** Requests are paid by who makes them, not by the bucket's owner. */
  readonly requesterPays?: boolean;
  /** Sent with every request, and signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: S3TimeoutOptions;
  readonly retry?: S3RetryOptions;
  /** Requests under way at the same time, each on a connection of its own; 64 if left out. */
  readonly concurrency?: number;
  /** Bytes of one part of an upload or of a parallel read; files of up to two parts go in one request. 8 MiB if left out. */
  readonly partSize?: number;
  /** Parts of one file under way at the same time; 4 if left out. An upload holds as many in memory. */
  readonly partConcurrency?: number;
  readonly runtime?: Runtime;
}

/** The options with everything decided that can be without asking anyone. */
export interface Settings {
  readonly endpoint: string | null;
  readonly region: string | null;
  readonly credentials: S3FileIOOptions['credentials'] | null;
  readonly forcePathStyle: boolean;
  readonly encryption: S3Encryption | null;
  readonly requesterPays: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: Required<S3TimeoutOptions>;
  readonly retry: Required<S3RetryOptions>;
  readonly concurrency: number;
  readonly partSize: number;
  readonly partConcurrency: number;
  readonly runtime: Runtime;
}

/** S3 takes no smaller part, but for the last one of an upload. */
const MIN_PART_SIZE = 5 * 1024 * 1024;

/** Set by the client; another value would break its requests, or show what nobody should see. */
const RESERVED_HEADER =
  /^(?:authorization|host|content-length|content-type|range|if-.*|x-amz-(?!meta-|acl$|tagging$|storage-class$).*)$/i;

/** INVALID_ARGUMENT for options that can't be meant. */
export function settingsOf(options: S3FileIOOptions): Settings {
  const endpoint = endpointOf(options);
  const { encryption = null, headers = {}, timeouts = {}, retry = {} } = options;
  if (encryption?.type === 'SSE-C' && encryption.key.length !== 32) {
    throw invalid(`The key of SSE-C must have 32 bytes, not ${encryption.key.length}.`);
  }
  if (encryption?.type === 'SSE-C' && endpoint !== null && !isPrivate(endpoint)) {
    throw invalid('SSE-C needs an endpoint with https: the key is sent with every request.');
  }
  for (const name of Object.keys(headers)) {
    if (RESERVED_HEADER.test(name)) throw invalid(`The header '${name}' can't be given: the client sets it itself.`);
  }
  const partSize = atLeast('partSize', MIN_PART_SIZE, options.partSize ?? 8 * 1024 * 1024);
  return {
    endpoint,
    region: options.region ?? (endpoint === null ? null : regionOfEnvironment()),
    credentials: checkedCredentials(options.credentials) ?? null,
    forcePathStyle: options.forcePathStyle ?? endpoint !== null,
    encryption,
    requesterPays: options.requesterPays ?? false,
    headers,
    timeouts: {
      connectMs: atLeast('timeouts.connectMs', 1, timeouts.connectMs ?? 5_000),
      idleMs: atLeast('timeouts.idleMs', 1, timeouts.idleMs ?? 30_000),
    },
    retry: {
      maxAttempts: atLeast('retry.maxAttempts', 1, retry.maxAttempts ?? 8),
      baseDelayMs: atLeast('retry.baseDelayMs', 0, retry.baseDelayMs ?? 50),
      maxDelayMs: atLeast('retry.maxDelayMs', 0, retry.maxDelayMs ?? 5_000),
      maxElapsedMs: atLeast('retry.maxElapsedMs', 0, retry.maxElapsedMs ?? 60_000),
      budget: atLeast('retry.budget', 0, retry.budget ?? 500),
    },
    concurrency: atLeast('concurrency', 1, options.concurrency ?? 64),
    partSize,
    partConcurrency: atLeast('partConcurrency', 1, options.partConcurrency ?? 4),
    runtime: options.runtime ?? systemRuntime,
  };
}

function endpointOf(options: S3FileIOOptions): string | null {
  const text = options.endpoint ?? (process.env['AWS_ENDPOINT_URL_S3'] || process.env['AWS_ENDPOINT_URL'] || null);
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid("The endpoint of S3 must be a URL with http: or https:, like 'http://127.0.0.1:9000'.");
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalid('The endpoint of S3 must be scheme, host and port alone; give keys as credentials.');
  }
  return url.href.replace(/\/+$/, '');
}

/** Nobody reads along, or only on this machine, where a proxy may see to TLS. */
function isPrivate(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'https:' || /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** Stores other than AWS take any region, as long as signatures name one. */
function regionOfEnvironment(): string {
  return process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'] || 'us-east-1';
}

function checkedCredentials(given: S3FileIOOptions['credentials']): S3FileIOOptions['credentials'] {
  if (given === undefined || given === 'anonymous' || typeof given === 'function') return given;
  if (!given.accessKeyId || !given.secretAccessKey) {
    throw invalid(
      'Credentials need an accessKeyId and a secretAccessKey; leave them out to use those of the environment.',
    );
  }
  return given;
}

function atLeast(name: string, least: number, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(`The option ${name} must be an integer of at least ${least}, not ${value}.`);
}

function invalid(message: string): LakehouseError {
  return new LakehouseError('INVALID_ARGUMENT', message);
}
