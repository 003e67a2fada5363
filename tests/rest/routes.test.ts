import { RestCatalog, type RestCatalogOptions, catalogProperties, openCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type ProxyAnswer, type ProxyDecision, RestProxy, errorAnswer } from '../support/rest/rest-proxy.ts';
import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { emptyCatalog, failure } from './support.ts';

const shape = schema({ id: t.long().required(), city: t.string() });

let server: RestServer;
let proxy: RestProxy;
let catalog: RestCatalog;

beforeAll(async () => {
  server = await startRestServer();
  proxy = await RestProxy.start(server.uri);
});

beforeEach(async () => {
  proxy.decide = () => 'pass';
  catalog = await open();
  await emptyCatalog(catalog);
  await catalog.createNamespace('web');
  proxy.requests.length = 0;
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

function open(options: Partial<RestCatalogOptions> = {}): Promise<RestCatalog> {
  return RestCatalog.open({ uri: proxy.uri, io: new LocalFileIO(), ...options });
}

/** The server's configuration, with other values for some of its fields. */
function withConfig(fields: object, others: ProxyDecision = 'pass'): void {
  proxy.decide = ({ path }) =>
    path.startsWith('/v1/config') ? { change: (answer) => merged(answer, fields) } : others;
}

function merged(answer: ProxyAnswer, fields: object): ProxyAnswer {
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), ...fields }) };
}

test('properties of namespaces are set and removed', async () => {
  await catalog.createNamespace('shop', { owner: 'me', color: 'red' });
  await catalog.updateNamespaceProperties('shop', { owner: 'you', size: '7' }, ['color']);
  const { location: _location, ...properties } = await catalog.loadNamespaceProperties('shop');
  expect(properties).toEqual({ owner: 'you', size: '7' });
});

test('listings come in pages, of any size', async () => {
  for (let index = 0; index < 5; index++) await catalog.createTable(`web.t${index}`, { schema: shape });
  const paged = await open({ pageSize: 2 });
  proxy.requests.length = 0;
  expect((await paged.listTables('web')).length).toBe(5);
  expect(proxy.requests).toHaveLength(3);
  expect(await paged.listTables('web')).toEqual(await catalog.listTables('web'));
});

test('a server whose pages never end is found out', async () => {
  proxy.decide = () => ({ change: (answer) => merged(answer, { 'next-page-token': 'again' }) });
  await failure(catalog.listTables('web'), 'INVALID_DATA');
});

test('a version that has not changed is not sent again', async () => {
  const table = await catalog.createTable('web.t', { schema: shape });
  await table.refresh();
  const { metadata } = table;
  const sent: number[] = [];
  // Apache's server gives tags, but has no use for them.
  proxy.decide = ({ headers }) => ({
    change(answer) {
      const isKnown = headers['if-none-match'] !== undefined && headers['if-none-match'] === answer.headers['etag'];
      sent.push(isKnown ? 304 : answer.status);
      return isKnown ? { ...answer, status: 304, body: '' } : answer;
    },
  });
  await table.refresh();
  await (await (await open()).loadTable('web.t')).setProperties({ a: 'b' });
  await table.refresh();
  expect(sent[0]).toBe(304);
  expect(table.metadata).not.toBe(metadata);
  expect(table.properties['a']).toBe('b');
});

test('the server hears of scans and commits, if it wants to and may', async () => {
  const table = await catalog.createTable('web.t', { schema: shape });
  await table.append([{ id: 9_007_199_254_740_993n, city: 'Seoul' }]);
  await table.scan({ filter: 'id = 9007199254740993' }).toRows();
  const reports = (): string[] => proxy.requests.flatMap(({ path, body }) => (path.endsWith('/metrics') ? [body] : []));
  await expect
    .poll(() =>
      reports()
        .map((body) => JSON.parse(body)['report-type'])
        .toSorted(),
    )
    .toEqual(['commit-report', 'scan-report']);
  expect(reports().join()).toContain('9007199254740993');
  proxy.requests.length = 0;
  const silent = await open({ reportMetrics: false });
  await (await silent.loadTable('web.t')).scan().count();
  expect(reports()).toEqual([]);
});

describe('what the server says of itself', () => {
  test('a prefix is part of all routes, and overrides win over settings, which win over defaults', async () => {
    withConfig(
      { defaults: { a: 'default', b: 'default' }, overrides: { prefix: 'one/two', c: 'override' } },
      { answer: { status: 200, headers: {}, body: '{"namespaces": [["a"]]}' } },
    );
    const other = await open({ warehouse: 'w h', properties: { b: 'own', c: 'own' } });
    expect(other.properties).toMatchObject({ a: 'default', b: 'own', c: 'override', warehouse: 'w h' });
    proxy.requests.length = 0;
    expect(await other.listNamespaces()).toEqual([['a']]);
    expect(proxy.requests[0]?.path).toBe('/v1/one/two/namespaces');
  });

  test('levels of a namespace are joined as the server wants it', async () => {
    withConfig({ overrides: {} }, { answer: { status: 200, headers: {}, body: '{"identifiers": []}' } });
    const older = await open();
    proxy.requests.length = 0;
    await older.listTables(['a b', 'c/d']);
    expect(proxy.requests[0]?.path).toBe('/v1/namespaces/a%20b%1Fc%2Fd/tables');
  });

  test('a server that lists no routes has those that there have always been', async () => {
    withConfig({ endpoints: undefined });
    const older = await open();
    await older.createTable('web.t', { schema: shape });
    expect(await older.tableExists('web.t')).toBe(true);
    expect(await older.tableExists('web.none')).toBe(false);
    expect(await older.namespaceExists('web')).toBe(true);
    expect(proxy.requests.every(({ method }) => method !== 'HEAD')).toBe(true);
    await failure(older.views.list('web'), 'UNSUPPORTED');
  });

  test('what it can not do is UNSUPPORTED, and is not asked for', async () => {
    withConfig({ endpoints: ['GET /v1/{prefix}/namespaces/{namespace}/tables/{table}'] });
    await catalog.createTable('web.t', { schema: shape });
    const reading = await open();
    const table = await reading.loadTable('web.t');
    expect(table.readOnly).not.toBeNull();
    proxy.requests.length = 0;
    await failure(table.append([{ id: 1n, city: null }]), 'UNSUPPORTED');
    await failure(reading.renameTable('web.t', 'web.u'), 'UNSUPPORTED');
    expect(proxy.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

describe('several tables', () => {
  const setOwner = (table: string, owner: string, uuid: string) => ({
    table,
    requirements: [{ type: 'assert-table-uuid', uuid }] as const,
    updates: [{ action: 'set-properties', updates: { owner } }] as const,
  });

  test('are committed together or not at all', async () => {
    const [a, b] = [
      await catalog.createTable('web.a', { schema: shape }),
      await catalog.createTable('web.b', { schema: shape }),
    ];
    await catalog.commitTables([setOwner('web.a', 'me', a.uuid), setOwner('web.b', 'me', b.uuid)]);
    expect([(await a.refresh()).properties['owner'], (await b.refresh()).properties['owner']]).toEqual(['me', 'me']);
    const wrong = [setOwner('web.a', 'you', a.uuid), setOwner('web.b', 'you', a.uuid)];
    await failure(catalog.commitTables(wrong), 'COMMIT_CONFLICT');
    expect((await a.refresh()).properties['owner']).toBe('me');
  });

  test.each(['drop-answer', 'drop-request'] as const)('once, whatever is lost (%s)', async (fault) => {
    const a = await catalog.createTable('web.a', { schema: shape });
    const b = await catalog.createTable('web.b', { schema: shape });
    let commits = 0;
    proxy.decide = ({ path }) => (path.endsWith('/transactions/commit') && commits++ === 0 ? fault : 'pass');
    await catalog.commitTables([setOwner('web.a', 'me', a.uuid), setOwner('web.b', 'me', b.uuid)]);
    expect([(await a.refresh()).properties['owner'], (await b.refresh()).properties['owner']]).toEqual(['me', 'me']);
  });

  test('when one of them can not be read back, the outcome is unknown', async () => {
    const a = await catalog.createTable('web.a', { schema: shape });
    const b = await catalog.createTable('web.b', { schema: shape });
    let isLost = false;
    proxy.decide = ({ path }) => {
      if (isLost && path.endsWith('/web/tables/b')) return { answer: errorAnswer(403, 'ForbiddenException') };
      isLost ||= path.endsWith('/transactions/commit');
      return path.endsWith('/transactions/commit') ? 'drop-answer' : 'pass';
    };
    const changes = [setOwner('web.a', 'me', a.uuid), setOwner('web.b', 'me', b.uuid)];
    await failure(catalog.commitTables(changes), 'COMMIT_STATE_UNKNOWN');
  });
});

test('a table that was replaced under its name is another one', async () => {
  const table = await catalog.createTable('web.t', { schema: shape });
  await table.append([{ id: 1n, city: 'Seoul' }]);
  const other = await open();
  await other.dropTable('web.t');
  await other.createTable('web.t', { schema: shape });
  const error = await failure(table.append([{ id: 2n, city: 'Busan' }]), 'NOT_FOUND');
  expect(error.message).toContain('another one made in its place');
  await failure(table.refresh(), 'NOT_FOUND');
  expect(await (await other.loadTable('web.t')).scan().count()).toBe(0);
});

describe('views', () => {
  test('are made, loaded, listed, replaced, renamed and dropped', async () => {
    const { views } = catalog;
    const sql = { duckdb: 'SELECT id FROM t', spark: 'SELECT `id` FROM t' };
    const made = await views.create('web.v', { schema: schema({ id: t.long() }), sql, properties: { comment: 'ids' } });
    expect(made.version.representations.map(({ dialect, sql: text }) => [dialect, text])).toEqual(Object.entries(sql));
    expect(made.version.defaultNamespace).toEqual(['web']);
    expect(await views.list('web')).toEqual([['web', 'v']]);
    expect(await catalog.listTables('web')).toEqual([]);
    await failure(views.create('web.v', { schema: shape, sql }), 'ALREADY_EXISTS');
    await failure(catalog.createTable('web.v', { schema: shape }), 'ALREADY_EXISTS');
    // Apache's server refuses to lose a dialect that the view had.
    const next = { duckdb: 'SELECT * FROM t', spark: 'SELECT * FROM t' };
    const replaced = await views.replace('web.v', { schema: shape, sql: next });
    expect(replaced.metadata.viewUuid).toBe(made.metadata.viewUuid);
    expect(replaced.schema.fields.map(({ name }) => name)).toEqual(['id', 'city']);
    expect(replaced.metadata.versions).toHaveLength(2);
    await views.rename('web.v', 'web.w');
    expect([await views.exists('web.v'), await views.exists('web.w')]).toEqual([false, true]);
    expect((await views.load('web.w')).version.representations[0]?.sql).toBe('SELECT * FROM t');
    await views.drop('web.w');
    await failure(views.load('web.w'), 'NOT_FOUND');
  });
});

describe('openCatalog', () => {
  test('opens it by the settings of PyIceberg and of Spark', async () => {
    const environments = [
      { PYICEBERG_CATALOG__PROD__URI: proxy.uri, PYICEBERG_CATALOG__PROD__HEADER__X_TENANT: 'north' },
      {
        'spark.sql.catalog.prod.type': 'rest',
        'spark.sql.catalog.prod.uri': proxy.uri,
        'spark.sql.catalog.prod.header.x-tenant': 'north',
      },
    ];
    for (const environment of environments) {
      proxy.requests.length = 0;
      const opened = await openCatalog(catalogProperties('prod', environment), { io: new LocalFileIO() });
      expect(await opened.listNamespaces()).toEqual([['web']]);
      expect(proxy.requests.map(({ headers }) => headers['x-tenant'])).toEqual(['north', 'north']);
    }
  });
});
