import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { assumeRole, listUploads, newBucket } from '../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../tests/support/s3/vitest/place.ts';
import type { S3FileIO } from '../src/index.ts';
import { collect, failure, newRoot, s3FileIO, throughProxy } from './support.ts';

let root: string;
let io: S3FileIO;
beforeAll(async () => {
  root = await newRoot();
  io = s3FileIO();
});
afterAll(() => io.close());

const EMPTY = new Uint8Array();

async function listed(prefix: string, from: S3FileIO = io): Promise<string[]> {
  return (await collect(from.list(prefix))).map(({ location }) => location).toSorted();
}

test('2,500 files are listed in 3 pages, and deleted in 3 batches, whatever breaks', { timeout: 180_000 }, async () => {
  const names = Array.from({ length: 2_500 }, (_, index) => `${root}/many/${index % 3}/${index}+ü &<`);
  await Promise.all(names.map((name) => io.write(name, EMPTY)));
  const { io: other, proxy } = await throughProxy();
  expect(await listed(`${root}/many/`, other)).toEqual(names.toSorted());
  expect(proxy.requests.map(({ operation }) => operation)).toEqual(Array(3).fill('ListObjectsV2'));
  expect((await collect(other.listDirectories(`${root}/many`))).toSorted()).toEqual(['0', '1', '2']);
  expect(proxy.requests.length).toBe(4);

  // A listing that breaks off for good fails; it does not end.
  let pages = 0;
  const { io: impatient } = await throughProxy([{ fault: 'reset', when: () => ++pages > 1 }], {
    retry: { maxAttempts: 2 },
  });
  const seen: string[] = [];
  const listing = (async () => {
    for await (const { location } of impatient.list(`${root}/many/`)) seen.push(location);
  })();
  await failure(listing, 'UNAVAILABLE');
  expect([seen.length, pages]).toEqual([1_000, 3]);

  proxy.clear();
  proxy.rules = [
    { fault: 'drop-answer', operations: ['DeleteObjects'], times: 1 },
    { fault: 'slow-down', operations: ['DeleteObjects'], times: 1 },
  ];
  const { deleted, failed } = await other.delete(names);
  expect([deleted.toSorted(), failed]).toEqual([names.toSorted(), []]);
  expect(proxy.requests.map(({ operation }) => operation)).toEqual(Array(5).fill('DeleteObjects'));

  proxy.rules = [
    { fault: 'reset-response', times: 1 },
    { fault: 'slow-down', times: 1 },
  ];
  expect(await listed(`${root}/many/`, other)).toEqual([]);
});

test('s3:, s3a: and s3n: are the same place, and results keep the spelling', async () => {
  await io.write(`${root}/spelled/f`, EMPTY, { ifNoneMatch: true });
  for (const scheme of ['s3a', 's3n', 'S3']) {
    const location = `${root}/spelled/f`.replace('s3', scheme);
    expect((await io.stat(location))?.location).toBe(location);
    expect(await listed(location.slice(0, -1))).toEqual([location]);
    await failure(io.write(location, EMPTY, { ifNoneMatch: true }), 'ALREADY_EXISTS');
  }
  const spellings = [`${root}/spelled/f`, `${root}/spelled/f`.replace('s3', 's3a'), `${root}/none`];
  expect((await io.delete(spellings)).deleted.toSorted()).toEqual(spellings.toSorted());
  expect(await listed(`${root}/spelled/`)).toEqual([]);
});

test('a whole bucket is a prefix', async () => {
  const bucket = await newRoot();
  await io.write(`${bucket}/a/f`, EMPTY);
  expect(await listed(bucket)).toEqual([`${bucket}/a/f`]);
  expect(await listed(`${bucket}/`)).toEqual([`${bucket}/a/f`]);
  expect(await collect(io.listDirectories(bucket))).toEqual(['a']);
});

test('names are opaque, whatever they are', async () => {
  // MinIO takes dots for a directory, with spaces around them or not, between slashes of either kind.
  const name = fc
    .array(
      fc.constantFrom(
        ...'aZ09 -_.~!*\'()+%&$@=;:,?#[]{}|^`"<>\\\u00e9e\u0301\u65e5\u{1f600}\u0001\u007f\t\n\r',
        '%41',
        '%2F',
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((parts) => parts.join(''))
    .filter((text) => !/(?:^|\\)\s*\.{1,2}\s*(?:$|\\)/.test(text));
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), async (names) => {
      const locations = names.map((each) => `${root}/names-${round}/${each}`);
      const prefix = `${root}/names-${round++}/`;
      await Promise.all(locations.map((location) => io.write(location, new TextEncoder().encode(location))));
      for (const location of locations) {
        expect(new TextDecoder().decode(await io.read(location))).toBe(location);
        expect((await io.stat(location))?.location).toBe(location);
      }
      expect(await listed(prefix)).toEqual(locations.toSorted());
      expect((await io.delete(locations)).deleted.toSorted()).toEqual(locations.toSorted());
      expect(await listed(prefix)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('what may not be deleted is reported per file, and the rest is deleted', async () => {
  const bucket = await newRoot();
  const name = bucket.slice('s3://'.length);
  const credentials = await assumeRole(s3Place(), [
    { actions: ['s3:DeleteObject'], resources: [`arn:aws:s3:::${name}/mine/*`] },
  ]);
  const [mine, others] = [
    [`${bucket}/mine/1`, `${bucket}/mine/2`],
    [`${bucket}/others/1`, `${bucket}/others/2`],
  ];
  await Promise.all([...mine, ...others].map((location) => io.write(location, EMPTY)));
  const { io: restricted, proxy } = await throughProxy([], { credentials });
  const noLocation = '/local/file';
  const { deleted, failed } = await restricted.delete([...mine, ...others, noLocation, bucket]);
  expect(deleted.toSorted()).toEqual(mine);
  expect(failed.map(({ location }) => location).toSorted()).toEqual([noLocation, bucket, ...others].toSorted());
  for (const { location, error } of failed) {
    expect(error).toMatchObject({ code: others.includes(location) ? 'UNAUTHORIZED' : 'INVALID_ARGUMENT' });
    expect((error as Error).message).toContain(location);
  }
  expect(await listed(bucket)).toEqual(others);
  expect(proxy.requests.length).toBe(1);
});

test('a bucket that is not there fails each of its files, and no other', async () => {
  await io.write(`${root}/there`, EMPTY);
  const { deleted, failed } = await io.delete([`s3://no-such-bucket-lh/f`, `${root}/there`]);
  expect(deleted).toEqual([`${root}/there`]);
  expect(failed.map(({ error }) => error)).toMatchObject([{ code: 'NOT_FOUND' }]);
});

test('a store without batches gets one request for each file', async () => {
  const seen: string[] = [];
  const target = new URL(s3Place().endpoint);
  const server = createServer((incoming, outgoing) => {
    seen.push(incoming.method!);
    if (incoming.method === 'POST') {
      incoming.resume();
      outgoing.writeHead(501, { 'content-type': 'application/xml' });
      outgoing.end('<Error><Code>NotImplemented</Code><Message>No batches here.</Message></Error>');
      return;
    }
    const options = { host: target.hostname, port: target.port, method: incoming.method, path: incoming.url };
    const forwarded = httpRequest({ ...options, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const plain = s3FileIO({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(async () => {
    await plain.close();
    server.close();
  });
  const locations = ['1', '2', 'none'].map((name) => `${root}/single/${name}`);
  await Promise.all(locations.slice(0, 2).map((location) => io.write(location, EMPTY)));
  expect((await plain.delete(locations)).deleted.toSorted()).toEqual(locations);
  expect((await plain.delete([locations[0]!])).failed).toEqual([]);
  expect(await listed(`${root}/single/`)).toEqual([]);
  // Told once, it isn't asked again.
  expect(seen.filter((method) => method === 'POST').length).toBe(1);
});

test('uploads that never ended are ended below a prefix, if they are old enough', async () => {
  const name = await newBucket(s3Place());
  const retry = { maxAttempts: 1 };
  const { io: dying } = await throughProxy([{ fault: 'reset', operations: ['UploadPart', 'AbortMultipartUpload'] }], {
    partSize: 5 * 1024 * 1024,
    retry,
  });
  const locations = ['t/a b', 't/deep/c', 't2/d'].map((key) => `s3://${name}/${key}`);
  for (const location of locations) {
    await failure(dying.write(location, new Uint8Array(11 * 1024 * 1024)), 'UNAVAILABLE');
  }
  expect((await listUploads(s3Place(), name)).length).toBe(3);
  expect(await io.deleteUnfinishedWrites(`s3://${name}/t/`, { olderThan: 0 })).toEqual({ deleted: [], failed: [] });
  const olderThan = Date.now() + 60_000;
  const { deleted, failed } = await io.deleteUnfinishedWrites(`s3a://${name}/t/`, { olderThan });
  expect(deleted.toSorted()).toEqual([`s3a://${name}/t/a b`, `s3a://${name}/t/deep/c`]);
  expect(failed).toEqual([]);
  expect((await listUploads(s3Place(), name)).map(({ key }) => key)).toEqual(['t2/d']);
});
