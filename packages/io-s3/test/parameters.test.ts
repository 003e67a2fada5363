import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { S3FileIO, type S3FileIOOptions } from '../src/index.ts';
import { chunked, collect, failure, newRoot, s3FileIO } from './support.ts';

// MinIO takes no key of a customer's without TLS, encrypts only where it has a place for keys, and lets nobody pay: what
// is sent for these is read off the requests, by a server that only writes them down.

interface Seen {
  readonly operation: string;
  readonly headers: IncomingHttpHeaders;
}

const KEY = new Uint8Array(32).map((_, index) => index);
const PART = 5 * 1024 * 1024;

const ANSWERS: Record<string, string> = {
  'POST uploads': '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
  'POST uploadId': '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>',
  'POST delete': '<DeleteResult></DeleteResult>',
  'GET list-type': '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
  'GET uploads': '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>',
};

async function recorder(
  options: S3FileIOOptions,
  answer: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string } = {
    status: 200,
  },
): Promise<{ io: S3FileIO; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const query = [...new URL(request.url!, 'http://x').searchParams.keys()];
    const name = ['list-type', 'uploads', 'partNumber', 'uploadId', 'delete'].find((each) => query.includes(each));
    const operation = [request.method, name].filter(Boolean).join(' ');
    seen.push({ operation, headers: request.headers });
    request.resume().on('end', () => {
      const body = answer.body ?? ANSWERS[operation] ?? (request.method === 'GET' ? '0123456789' : '');
      const length = request.method === 'HEAD' ? 10 : body.length;
      response.writeHead(answer.status, { etag: '"e"', 'content-length': length, ...answer.headers });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const io = new S3FileIO({ endpoint, region: 'eu-west-7', credentials, partSize: PART, ...options });
  onTestFinished(async () => {
    await io.close();
    server.closeAllConnections();
    server.close();
  });
  return { io, seen };
}

/** Every request that a FileIO makes. */
async function everyRequest(io: S3FileIO): Promise<void> {
  await io.write('s3://bucket/f', new Uint8Array(3));
  await io.write('s3://bucket/f', chunked(new Uint8Array(PART + 1), PART));
  await io.read('s3://bucket/f');
  await io.stat('s3://bucket/f');
  await collect(io.list('s3://bucket/'));
  await collect(io.listDirectories('s3://bucket/'));
  await io.deleteUnfinishedWrites('s3://bucket/', { olderThan: 0 });
  await io.delete(['s3://bucket/f']);
}

/** Of each kind of request, whether it had the header, and with this value. */
async function withHeader(options: S3FileIOOptions, name: string, value: string): Promise<Record<string, boolean>> {
  const { io, seen } = await recorder(options);
  await everyRequest(io);
  for (const { headers } of seen) expect([undefined, value]).toContain(headers[name]);
  return Object.fromEntries(seen.map(({ operation, headers }) => [operation, headers[name] === value]));
}

const OF_OBJECTS = ['PUT', 'POST uploads', 'PUT partNumber', 'POST uploadId', 'GET', 'HEAD'];
const OF_BUCKETS = ['GET list-type', 'GET uploads', 'POST delete'];

function only(operations: readonly string[]): Record<string, boolean> {
  return Object.fromEntries([...OF_OBJECTS, ...OF_BUCKETS].map((each) => [each, operations.includes(each)]));
}

describe('parameters of requests', () => {
  test('SSE-S3 and SSE-KMS: where objects are made', async () => {
    const made = only(['PUT', 'POST uploads']);
    const header = 'x-amz-server-side-encryption';
    expect(await withHeader({ encryption: { type: 'SSE-S3' } }, header, 'AES256')).toEqual(made);
    const kms: S3FileIOOptions = { encryption: { type: 'SSE-KMS', keyId: 'key/1' } };
    expect(await withHeader(kms, header, 'aws:kms')).toEqual(made);
    expect(await withHeader(kms, `${header}-aws-kms-key-id`, 'key/1')).toEqual(made);
    expect(await withHeader({ encryption: { type: 'SSE-KMS' } }, `${header}-aws-kms-key-id`, '')).toEqual(only([]));
  });

  test('SSE-C: wherever bytes or their head come or go', async () => {
    const options: S3FileIOOptions = { encryption: { type: 'SSE-C', key: KEY } };
    const header = 'x-amz-server-side-encryption-customer';
    const md5 = createHash('md5').update(KEY).digest('base64');
    expect(await withHeader(options, `${header}-algorithm`, 'AES256')).toEqual(only(OF_OBJECTS));
    expect(await withHeader(options, `${header}-key`, Buffer.from(KEY).toString('base64'))).toEqual(only(OF_OBJECTS));
    expect(await withHeader(options, `${header}-key-md5`, md5)).toEqual(only(OF_OBJECTS));
  });

  test('requester pays', async () => {
    const paid = await withHeader({ requesterPays: true }, 'x-amz-request-payer', 'requester');
    expect(paid).toEqual(only([...OF_OBJECTS, ...OF_BUCKETS]));
  });

  test("one's own headers, signed; and the region", async () => {
    const { io, seen } = await recorder({ headers: { 'X-Amz-Meta-Team': 'lake', 'x-via': 'gateway' } });
    await everyRequest(io);
    for (const { headers } of seen) {
      expect(headers).toMatchObject({ 'x-amz-meta-team': 'lake', 'x-via': 'gateway' });
      expect(headers.authorization).toMatch(/\/eu-west-7\/s3\/aws4_request.*SignedHeaders=[^,]*x-amz-meta-team/);
    }
  });

  test('anonymous requests are not signed', async () => {
    const { io, seen } = await recorder({ credentials: 'anonymous' });
    await everyRequest(io);
    for (const { headers } of seen) expect(headers.authorization).toBeUndefined();
  });
});

test('what does not speak S3 is not taken for it', async () => {
  const { io } = await recorder({}, { status: 200, body: '<html><body>Hello!</body></html>' });
  for (const list of [() => collect(io.list('s3://bucket/')), () => collect(io.listDirectories('s3://bucket/'))]) {
    expect((await failure(list(), 'INVALID_DATA')).message).toContain('check the endpoint');
  }
  const retry = { maxAttempts: 2, baseDelayMs: 1 };
  const { io: broken } = await recorder({ retry }, { status: 200, body: '<html><body>Hello!' });
  expect((await failure(collect(broken.list('s3://bucket/')), 'INVALID_DATA')).message).toContain('check the endpoint');
});

test('a bucket in another region is named with it', async () => {
  const { io, seen } = await recorder({}, { status: 301, headers: { 'x-amz-bucket-region': 'mars-north-1' } });
  const calls = [
    () => io.read('s3://bucket/f'),
    () => io.stat('s3://bucket/f'),
    () => collect(io.list('s3://bucket/')),
  ];
  for (const call of calls) {
    expect((await failure(call(), 'INVALID_ARGUMENT')).message).toContain('the bucket is in mars-north-1');
  }
  expect(seen.length).toBe(3);
});

test("a customer's key never leaves the machine in the clear", async () => {
  const options: S3FileIOOptions = { encryption: { type: 'SSE-C', key: KEY } };
  const making = Promise.resolve().then(() => new S3FileIO({ ...options, endpoint: 'http://store.example' }));
  await failure(making, 'INVALID_ARGUMENT');
  // A server on this machine is asked, and MinIO refuses without TLS, in words of its own.
  const root = await newRoot();
  const error = await failure(s3FileIO(options).write(`${root}/f`, new Uint8Array(3)), 'INVALID_ARGUMENT');
  expect(error.message).toMatch(/secure connection/);
  expect(JSON.stringify([error.message, error.context, String(error.cause)])).not.toContain(
    Buffer.from(KEY).toString('base64'),
  );
});
