import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

import type { S3Place } from './place.ts';

export interface SignedRequest {
  readonly method: string;
  /** The path with its query, percent-encoded, the query's names in order. */
  readonly path: string;
  readonly service: 's3' | 'sts';
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request to the server, signed with AWS Signature Version 4, on a connection of its own: none that the server has given
 * up meanwhile. It is not repeated, and any status is an answer.
 */
export function signedRequest(place: S3Place, request: SignedRequest): Promise<Answer> {
  const url = new URL(request.path, place.endpoint);
  const body = request.body ?? '';
  const headers = { ...request.headers, ...signature(place, request, url.host, sha256(body)) };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = send(url, { method: request.method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject).end(body);
  });
}

function signature(
  { accessKeyId, secretAccessKey, region }: S3Place,
  { method, path, service }: SignedRequest,
  host: string,
  bodyHash: string,
): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const signed = { host, 'x-amz-content-sha256': bodyHash, 'x-amz-date': time };
  const names = Object.keys(signed).join(';');
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const [pathname, query = ''] = path.split('?');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const canonical = [method, pathname, query, lines.join(''), names, bodyHash].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce((secret: string | Buffer, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, toSign).toString('hex')}`;
  return { ...signed, authorization };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
