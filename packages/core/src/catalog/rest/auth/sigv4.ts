import { createHash, createHmac } from 'node:crypto';
import { invalidArgument } from '../../../errors.ts';
import type { Runtime } from '../../../runtime.ts';
import type { OutgoingRequest, RestAuth } from './auth.ts';

/** Keys of AWS, in the form of its SDK: what its credential providers return fits. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface SigV4Options {
  /** `glue`, `s3tables`, `execute-api`: the service that checks the signature. */
  readonly service: string;
  readonly region: string;
  /** Asked for each request, so that it may give others in time. */
  readonly credentials: AwsIdentity | (() => Promise<AwsIdentity>);
}

/** Signs requests with AWS Signature Version 4, for AWS's catalogs and gateways. */
export function sigV4Auth(options: SigV4Options, runtime: Runtime): RestAuth {
  const { service, region, credentials } = options;
  if (!service || !region)
    throw invalidArgument('SigV4 needs the service and the region that requests are signed for.');
  return {
    async headers(request) {
      const identity = typeof credentials === 'function' ? await credentials() : credentials;
      const time = new Date(runtime.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
      const own: Record<string, string> = {
        'x-amz-date': time,
        'x-amz-content-sha256': sha256(request.body),
        ...(identity.sessionToken !== undefined && { 'x-amz-security-token': identity.sessionToken }),
      };
      const signed = { ...request, headers: { ...request.headers, ...own, host: request.url.host } };
      return { ...own, authorization: signature(signed, { identity, service, region }) };
    },
  };
}

interface Signer {
  readonly identity: AwsIdentity;
  readonly service: string;
  readonly region: string;
}

/** The `Authorization` header of a request, over all headers that it has; `x-amz-date` tells the time. */
export function signature(request: OutgoingRequest, { identity, service, region }: Signer): string {
  const headers = Object.entries(request.headers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = headers.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    canonicalPath(request.url.pathname, service),
    canonicalQuery(request.url.searchParams),
    ...headers.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}`),
    '',
    names,
    request.headers['x-amz-content-sha256'] ?? sha256(request.body),
  ].join('\n');
  const time = request.headers['x-amz-date'] ?? '';
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce((secret: string | Buffer, part) => hmac(secret, part), `AWS4${identity.secretAccessKey}`);
  const credential = `${identity.accessKeyId}/${scope.join('/')}`;
  const signed = hmac(key, text).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signed}`;
}

/** All services but S3 encode the path, which is encoded already, once more. */
function canonicalPath(path: string, service: string): string {
  return service === 's3' ? path : path.split('/').map(encode).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
