import { inspect } from 'node:util';

import { FileSystemCatalog, schema, t } from '@lh/core';
import type { ErrorCode, LakehouseError, Table } from '@lh/core';
import type { S3FileIOOptions } from '@lh/io-s3';
import { Lakehouse } from '@lh/sql';
import { FaultProxy, assumeRole, newBucket } from 'lakehouse-s3-server';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';
import { failure, s3FileIO } from './support.ts';

const SHAPE = schema({ id: t.int().required() });
/** Of one and the same request: a table that vanishes is looked for a few times, with no wait between. */
const MOST_REPEATED = 6;
const AT_ONCE_MS = 5000;

let bucket: string;
let proxy: FaultProxy;
let permitted: Awaited<ReturnType<typeof assumeRole>>;
beforeAll(async () => {
  bucket = await newBucket(s3Place());
  proxy = await FaultProxy.start(s3Place().endpoint);
  const catalog = await open(`s3://${bucket}/wh`, {});
  await catalog.createNamespace('db');
  await (await catalog.createTable('db.t', { schema: SHAPE })).append([{ id: 1 }]);
  permitted = await assumeRole(s3Place(), [{ actions: ['s3:*'], resources: ['arn:aws:s3:::lh-elsewhere/*'] }]);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => proxy.stop());

function open(warehouse: string, options: S3FileIOOptions): Promise<FileSystemCatalog> {
  return FileSystemCatalog.open({ io: s3FileIO({ endpoint: proxy.endpoint, ...options }), warehouse });
}

interface Trouble {
  readonly name: string;
  readonly code: ErrorCode;
  readonly says: RegExp;
  readonly warehouse?: string;
  readonly options: () => S3FileIOOptions;
}

const TROUBLES: readonly Trouble[] = [
  {
    name: 'an access key that nobody knows',
    code: 'UNAUTHORIZED',
    says: /does not know the access key/,
    options: () => ({
      credentials: { accessKeyId: 'AKIANOBODYKNOWSTHIS1', secretAccessKey: 'topsecret-unknown-0001' },
    }),
  },
  {
    name: 'a wrong secret',
    code: 'UNAUTHORIZED',
    says: /secret key is not that of the access key/,
    options: () => ({
      credentials: { accessKeyId: s3Place().accessKeyId, secretAccessKey: 'topsecret-wrong-0002' },
    }),
  },
  {
    name: 'a session token that is not valid',
    code: 'UNAUTHORIZED',
    says: /session token has expired or is not valid|does not know the access key/,
    options: () => ({ credentials: { ...permitted, sessionToken: `${permitted.sessionToken}topsecret` } }),
  },
  {
    name: 'a bucket that is not allowed',
    code: 'UNAUTHORIZED',
    says: /credentials do not allow this/,
    options: () => ({ credentials: permitted }),
  },
  {
    name: 'a bucket that is not there',
    code: 'NOT_FOUND',
    says: /no such bucket/,
    warehouse: 's3://lh-there-is-no-such-bucket/wh',
    options: () => ({}),
  },
];

const CALLS: Readonly<Record<string, (catalog: FileSystemCatalog) => Promise<unknown>>> = {
  'listing namespaces': (catalog) => catalog.listNamespaces(),
  'creating a namespace': (catalog) => catalog.createNamespace('other'),
  'listing tables': (catalog) => catalog.listTables('db'),
  'asking for a table': (catalog) => catalog.tableExists('db.t'),
  'loading a table': (catalog) => catalog.loadTable('db.t'),
  'creating a table': (catalog) => catalog.createTable('db.new', { schema: SHAPE }),
  'dropping a table': (catalog) => catalog.dropTable('db.t', { purge: true }),
  SQL: async (catalog) => {
    const lake = await Lakehouse.open({ catalog });
    try {
      await (await lake.sql('SELECT count(*) FROM db.t')).rows();
    } finally {
      await lake.close();
    }
  },
};

describe.each(TROUBLES)('$name', ({ code, says, warehouse, options }) => {
  test.each(Object.entries(CALLS))('%s', async (_name, call) => {
    const catalog = await open(warehouse ?? `s3://${bucket}/wh`, options());
    const said = listen();
    proxy.clear();
    const error = await failure(call(catalog), code);
    expect(error.message).toMatch(says);
    expect(error.retryable).toBe(false);
    expectAtOnce(MOST_REPEATED);
    expectNoSecrets(`${textOf(error)}${said()}`);
  });
});

describe('keys that stop being valid', () => {
  const calls: Readonly<Record<string, (table: Table) => Promise<unknown>>> = {
    scan: (table) => table.scan().toRows(),
    refresh: (table) => table.refresh(),
    append: (table) => table.append([{ id: 2 }]),
    delete: (table) => table.delete('id >= 0'),
    setProperties: (table) => table.setProperties({ owner: 'me' }),
    expireSnapshots: (table) => table.expireSnapshots({ olderThan: Date.now() }),
    removeOrphanFiles: (table) => table.removeOrphanFiles(),
  };

  test.each(Object.entries(calls))('%s', async (name, call) => {
    const good = await assumeRole(s3Place());
    let keys = good;
    // About to expire, so that the provider is asked each time.
    const credentials = async () => ({ ...keys, expiration: new Date(Date.now() + 1000) });
    const catalog = await open(`s3://${bucket}/wh`, { credentials });
    const table = await catalog.createTable(`db.${name}`, { schema: SHAPE });
    await table.append([{ id: 1 }]);
    const before = table.metadataLocation;

    keys = { ...good, sessionToken: 'topsecret-expired' };
    const said = listen();
    proxy.clear();
    const error = await failure(call(table), 'UNAUTHORIZED');
    // Once more, with the keys that the provider has by now.
    expectAtOnce(2);
    expectNoSecrets(`${textOf(error)}${said()}`, [good.secretAccessKey, good.sessionToken]);

    keys = good;
    await table.refresh();
    expect(table.metadataLocation).toBe(before);
    await call(table);
  });
});

/** Nothing is asked again and again. */
function expectAtOnce(mostRepeated: number): void {
  const times = new Map<string, number>();
  for (const { operation, key, range } of proxy.requests) {
    const name = `${operation} ${key} ${range}`;
    times.set(name, (times.get(name) ?? 0) + 1);
  }
  expect(Math.max(0, ...times.values()), [...times.keys()].join(', ')).toBeLessThanOrEqual(mostRepeated);
  const started = proxy.requests.map(({ startedMs }) => startedMs);
  expect(Math.max(...started) - Math.min(...started)).toBeLessThan(AT_ONCE_MS);
}

/** All that an error shows, in whatever way it is logged. */
function textOf(error: LakehouseError): string {
  return `${error.stack}${inspect(error, { depth: Infinity, showHidden: true })}${JSON.stringify(error)}${String(error)}`;
}

/** What is logged from now on. */
function listen(): () => string {
  let text = '';
  const take = (...parts: readonly unknown[]): boolean => {
    text += parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: Infinity }))).join(' ');
    return true;
  };
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation(take);
  }
  vi.spyOn(process, 'emitWarning').mockImplementation(take);
  return () => text;
}

function expectNoSecrets(text: string, more: readonly string[] = []): void {
  const secrets = [s3Place().secretAccessKey, permitted.secretAccessKey, permitted.sessionToken, 'topsecret', ...more];
  for (const secret of secrets) expect(text.includes(secret), `a secret in ${text}`).toBe(false);
  expect(text).not.toMatch(/Signature=[0-9a-f]/i);
}
