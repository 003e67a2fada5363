import { RestCatalog, type Table, schema, t } from '@lh/core';
import { s3FileIO } from '@lh/io-s3';
import { type TemporaryCredentials, assumeRole, newBucket } from 'lakehouse-s3-server';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { type ProxyAnswer, RestProxy } from '../support/rest/rest-proxy.ts';
import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { s3Place } from '../support/s3/vitest/place.ts';
import { emptyCatalog, failure } from './support.ts';

const shape = schema({ id: t.long().required() });

let server: RestServer;
let proxy: RestProxy;
let bucket: string;
let catalog: RestCatalog;

/** What the proxy makes the server lend with a table, and what it gives to those who ask for more. */
let withTable: unknown[];
let onDemand: unknown[];

beforeAll(async () => {
  bucket = await newBucket(s3Place());
  server = await startRestServer({ warehouse: `s3://${bucket}/wh`, s3: s3Place() });
  proxy = await RestProxy.start(server.uri);
});

beforeEach(async () => {
  await emptyCatalog(await RestCatalog.open({ uri: server.uri, io: s3FileIO }));
  [withTable, onDemand] = [[], []];
  proxy.decide = ({ path }) => {
    if (path.startsWith('/v1/config')) return { change: withCredentialsRoute };
    if (path.endsWith('/credentials')) {
      return { answer: { status: 200, headers: {}, body: JSON.stringify({ 'storage-credentials': onDemand }) } };
    }
    return { change: lending };
  };
  const { endpoint, region } = s3Place();
  // No keys: all come from the server.
  const properties = { 's3.endpoint': endpoint, 's3.region': region, 's3.path-style-access': 'true' };
  catalog = await RestCatalog.open({ uri: proxy.uri, io: s3FileIO, properties });
  await catalog.createNamespace('db');
  proxy.requests.length = 0;
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

function withCredentialsRoute(answer: ProxyAnswer): ProxyAnswer {
  const config = JSON.parse(answer.body);
  config.endpoints.push('GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials');
  return { ...answer, body: JSON.stringify(config) };
}

/** Takes the server's own keys out of an answer, and puts ours in. The metadata stays as it is, to the last digit. */
function lending(answer: ProxyAnswer): ProxyAnswer {
  if (!answer.body.startsWith('{"metadata-location"')) return answer;
  const body = answer.body.replace(/,"config":\{[^}]*\}/, '').replace(/,"storage-credentials":\[[^\]]*\]/, '');
  return { ...answer, body: `${body.slice(0, -1)},"storage-credentials":${JSON.stringify(withTable)}}` };
}

function lent(prefix: string, keys: TemporaryCredentials, secondsLeft: number): unknown {
  return {
    prefix,
    config: {
      's3.access-key-id': keys.accessKeyId,
      's3.secret-access-key': keys.secretAccessKey,
      's3.session-token': keys.sessionToken,
      's3.session-token-expires-at-ms': String(Date.now() + secondsLeft * 1000),
    },
  };
}

const WRONG: TemporaryCredentials = { accessKeyId: 'wrong', secretAccessKey: 'wrong-secret', sessionToken: 'wrong' };

const asked = (): number => proxy.requests.filter(({ path }) => path.endsWith('/credentials')).length;

async function fill(table: Table): Promise<void> {
  for (let id = 0n; id < 3n; id++) await table.append([{ id }]);
}

test('a table is read and written with keys that came with it, those of the longest prefix', async () => {
  const keys = await assumeRole(s3Place());
  withTable = [lent('s3://', WRONG, 3600), lent(`s3://${bucket}/`, keys, 3600), lent('s3://other/', WRONG, 3600)];
  const table = await catalog.createTable('db.t', { schema: shape });
  await fill(table);
  expect(await (await catalog.loadTable('db.t')).scan().count()).toBe(3);
  expect(asked()).toBe(0);
  const asks = proxy.requests.filter(({ headers }) => 'x-iceberg-access-delegation' in headers);
  expect(asks.map(({ headers }) => headers['x-iceberg-access-delegation'])).toContain('vended-credentials');
});

test('keys that are about to expire are exchanged for new ones, once for all', async () => {
  onDemand = [lent('s3://', await assumeRole(s3Place()), 3600)];
  withTable = [lent('s3://', WRONG, 30)];
  const table = await catalog.createTable('db.t', { schema: shape });
  await Promise.all([1n, 2n, 3n, 4n].map((id) => table.append([{ id }])));
  expect(await table.scan().count()).toBe(4);
  expect(asked()).toBe(1);
});

test('keys that are refused are not shown', async () => {
  withTable = [lent('s3://', WRONG, 3600)];
  const table = await catalog.createTable('db.t', { schema: shape });
  const error = await failure(table.append([{ id: 1n }]), 'UNAUTHORIZED');
  expect(`${error.message} ${error.stack}`).not.toContain('wrong-secret');
});

test('a server that lends nothing useful is told apart from wrong keys', async () => {
  onDemand = [];
  withTable = [lent('s3://', WRONG, 1)];
  const table = await catalog.createTable('db.t', { schema: shape });
  const error = await failure(table.append([{ id: 1n }]), 'UNAUTHORIZED');
  expect(error.message).toContain('lends no keys');
});
