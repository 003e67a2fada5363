import { RestCatalog, type Table, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type ProxyDecision, RestProxy, errorAnswer, isCommit } from '../support/rest/rest-proxy.ts';
import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { failure } from './support.ts';

const shape = schema({ id: t.long().required(), name: t.string() });

let server: RestServer;
let proxy: RestProxy;
/** Through the proxy. */
let catalog: RestCatalog;
/** Directly. */
let witness: RestCatalog;

beforeAll(async () => {
  server = await startRestServer();
  proxy = await RestProxy.start(server.uri);
  catalog = await RestCatalog.open({ uri: proxy.uri, io: new LocalFileIO() });
  witness = await RestCatalog.open({ uri: server.uri, io: new LocalFileIO() });
  await witness.createNamespace('db');
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

let tables = 0;

async function newTable(): Promise<Table> {
  proxy.decide = () => 'pass';
  return catalog.createTable(`db.t${++tables}`, { schema: shape });
}

/** The proxy does this to the first commits that come, one each; all others pass. */
function doToCommits(...decisions: readonly ProxyDecision[]): void {
  const left = [...decisions];
  proxy.decide = (request) => (isCommit(request) ? (left.shift() ?? 'pass') : 'pass');
}

const CHANGED_TO_500: ProxyDecision = { change: () => errorAnswer(500, 'CommitStateUnknownException') };
const CHANGED_TO_502: ProxyDecision = { change: () => ({ status: 502, headers: {}, body: '<html>Bad Gateway' }) };
const CHANGED_TO_NONSENSE: ProxyDecision = { change: (answer) => ({ ...answer, body: '{"metadata": {}}' }) };
const CHANGED_TO_NO_JSON: ProxyDecision = { change: (answer) => ({ ...answer, body: 'fine' }) };

const FAULTS: Record<string, readonly ProxyDecision[]> = {
  'the request is lost': ['drop-request'],
  'the answer is lost': ['drop-answer'],
  'the answer is lost three times': ['drop-answer', 'drop-answer', 'drop-answer'],
  'the request is lost, then the answer': ['drop-request', 'drop-answer'],
  'the request arrives late, after it was sent again': [{ late: 1_500 }],
  'it is done, but the answer is 500': [CHANGED_TO_500],
  'it is done, but the answer is 502 by a gateway': [CHANGED_TO_502],
  'it is not done, and the answer is 503': [{ answer: errorAnswer(503, 'SlowDownException') }],
  'it is not done, and the answer is 429': [{ answer: errorAnswer(429, 'TooManyRequests', { 'retry-after': '0' }) }],
  'it is done, but the answer is no table': [CHANGED_TO_NONSENSE],
  'it is done, but the answer is not JSON': [CHANGED_TO_NO_JSON],
};

describe.each(Object.entries(FAULTS))('%s', (_name, faults) => {
  test('an append is there once', async () => {
    const table = await newTable();
    await table.append([{ id: 1n, name: 'before' }]);
    doToCommits(...faults);
    const commit = await table.append([{ id: 2n, name: 'ours' }]);
    await proxy.settled();
    const seen = await witness.loadTable(table.name);
    expect(seen.snapshots().map(({ snapshotId }) => snapshotId)).toHaveLength(2);
    expect(seen.currentSnapshot()?.snapshotId).toBe(commit.snapshotId);
    expect(await seen.scan().count()).toBe(2);
    // The handle goes on.
    await table.append([{ id: 3n, name: 'after' }]);
    expect(await table.scan().count()).toBe(3);
  });

  test('changes without a snapshot are made', async () => {
    const table = await newTable();
    doToCommits(...faults);
    await table.setProperties({ color: 'red' });
    doToCommits(...faults);
    await table.updateSchema((change) => change.addColumn('age', t.int()));
    doToCommits(...faults);
    await table.updateSpec((change) => change.add(partitionBy.identity('id')));
    await proxy.settled();
    const seen = await witness.loadTable(table.name);
    expect(seen.properties['color']).toBe('red');
    expect(seen.schema.fields.map(({ name }) => name)).toEqual(['id', 'name', 'age']);
    expect(seen.spec.fields.map(({ name }) => name)).toEqual(['id']);
  });

  test('another writer is faster meanwhile: both are there', async () => {
    const table = await newTable();
    const left = [...faults];
    let others = 0;
    proxy.decide = async (request) => {
      if (!isCommit(request)) return 'pass';
      if (others++ === 0) await (await witness.loadTable(table.name)).append([{ id: 1n, name: 'theirs' }]);
      return left.shift() ?? 'pass';
    };
    await table.append([{ id: 2n, name: 'ours' }]);
    await proxy.settled();
    const rows = await (await witness.loadTable(table.name)).scan().toRows();
    expect(rows.map(({ name }) => name).toSorted()).toEqual(['ours', 'theirs']);
  });
});

test('a commit is overtaken after its answer was lost: it is found behind the other one', async () => {
  const table = await newTable();
  let commits = 0;
  proxy.decide = (request) => {
    if (!isCommit(request) || commits++ > 0) return 'pass';
    return {
      async change() {
        await (await witness.loadTable(table.name)).append([{ id: 1n, name: 'theirs' }]);
        return null;
      },
    };
  };
  const commit = await table.append([{ id: 2n, name: 'ours' }]);
  const seen = await witness.loadTable(table.name);
  expect(seen.snapshots()).toHaveLength(2);
  expect(seen.snapshots()[0]?.snapshotId).toBe(commit.snapshotId);
});

test('when the table can not be read back, the outcome is unknown, and no file is deleted', async () => {
  const table = await newTable();
  let isLost = false;
  proxy.decide = (request) => {
    if (!isCommit(request)) return isLost ? { answer: errorAnswer(403, 'ForbiddenException') } : 'pass';
    isLost = true;
    return 'drop-answer';
  };
  await failure(table.append([{ id: 1n, name: 'ours' }]), 'COMMIT_STATE_UNKNOWN');
  expect(await (await witness.loadTable(table.name)).scan().count()).toBe(1);
});

test('a commit that never reached a server has failed, and its files are deleted', async () => {
  const table = await newTable();
  const gone = await RestProxy.start(server.uri);
  const nowhere = gone.uri;
  await gone.stop();
  const unreachable = await RestCatalog.open({
    uri: proxy.uri,
    io: new LocalFileIO(),
    retry: { maxAttempts: 2, baseDelayMs: 1 },
    fetch: (url, init) => fetch(init.method === 'POST' ? nowhere : url, init),
  });
  const handle = await unreachable.loadTable(table.name);
  await failure(handle.append([{ id: 1n, name: 'ours' }]), 'UNAVAILABLE');
  const files = [];
  for await (const { location } of table.io.list(`${table.location}/data/`)) files.push(location);
  expect(files).toEqual([]);
});

test('a repeated request that was lost at first is not taken for one that was never sent', async () => {
  const table = await newTable();
  const gone = await RestProxy.start(server.uri);
  const nowhere = gone.uri;
  await gone.stop();
  let commits = 0;
  proxy.decide = ({ path }) => (path.startsWith('/v1/config') ? { change: withIdempotency } : 'pass');
  const keyed = await RestCatalog.open({
    uri: proxy.uri,
    io: new LocalFileIO(),
    retry: { maxAttempts: 2, baseDelayMs: 1 },
    fetch: (url, init) =>
      fetch(/tables\/\w+$/.test(url) && init.method === 'POST' && commits++ === 1 ? nowhere : url, init),
  });
  const handle = await keyed.loadTable(table.name);
  doToCommits('drop-answer');
  const { snapshotId } = await handle.append([{ id: 1n, name: 'ours' }]);
  expect(commits).toBe(2);
  const seen = await witness.loadTable(table.name);
  expect(seen.snapshots().map((each) => each.snapshotId)).toEqual([snapshotId]);
  expect(await seen.scan().count()).toBe(1);
});

test('an answer is lost, then the server wants another token: what was sent first is not given up', async () => {
  const table = await newTable();
  doToCommits('drop-request', { answer: errorAnswer(401, 'NotAuthorizedException') }, { late: 200 });
  await table.append([{ id: 1n, name: 'ours' }]);
  await proxy.settled();
  expect(await (await witness.loadTable(table.name)).scan().count()).toBe(1);
});

test('when the table was renamed meanwhile, the outcome is unknown, and no file is deleted', async () => {
  const table = await newTable();
  let commits = 0;
  proxy.decide = (request) => {
    if (!isCommit(request) || commits++ > 0) return 'pass';
    return {
      async change() {
        await witness.renameTable(table.name, `${table.name}_moved`);
        return null;
      },
    };
  };
  await failure(table.append([{ id: 1n, name: 'ours' }]), 'COMMIT_STATE_UNKNOWN');
  expect(await (await witness.loadTable(`${table.name}_moved`)).scan().count()).toBe(1);
});

test('a conflict that can not be retried is one, and its files are deleted', async () => {
  const table = await newTable();
  await table.setProperties({ 'commit.retry.num-retries': '0' });
  proxy.decide = async (request): Promise<ProxyDecision> => {
    if (isCommit(request)) await (await witness.loadTable(table.name)).append([{ id: 1n, name: 'theirs' }]);
    return 'pass';
  };
  const error = await failure(table.append([{ id: 2n, name: 'ours' }]), 'COMMIT_CONFLICT');
  expect(error.retryable).toBe(true);
  const files = [];
  for await (const { location } of table.io.list(`${table.location}/data/`)) files.push(location);
  expect(files.filter((location) => location.endsWith('.parquet'))).toHaveLength(1);
});

describe('tables that are made', () => {
  const isCreate = (path: string): boolean => path.endsWith('/tables');

  test('the answer is lost: whether it was made is unknown', async () => {
    proxy.decide = ({ method, path }) => (method === 'POST' && isCreate(path) ? 'drop-answer' : 'pass');
    const error = await failure(catalog.createTable('db.made', { schema: shape }), 'COMMIT_STATE_UNKNOWN');
    expect(error.message).toContain('db.made');
    expect(await witness.tableExists('db.made')).toBe(true);
  });

  test.each(['drop-answer', 'drop-request'] as const)('with a staged one it is known (%s)', async (fault) => {
    proxy.decide = () => 'pass';
    const name = `db.staged_${fault.replace('-', '_')}`;
    const staged = await catalog.stageTable(name, { schema: shape });
    doToCommits(fault);
    await staged.append([{ id: 1n, name: 'first' }]);
    const seen = await witness.loadTable(name);
    expect(seen.uuid).toBe(staged.uuid);
    expect(await seen.scan().count()).toBe(1);
  });

  test('with a server that remembers keys, requests are sent again with the same one', async () => {
    let creates = 0;
    proxy.decide = ({ method, path }) => {
      if (path.startsWith('/v1/config')) return { change: withIdempotency };
      return method === 'POST' && isCreate(path) && creates++ === 0 ? 'drop-answer' : 'pass';
    };
    const keyed = await RestCatalog.open({ uri: proxy.uri, io: new LocalFileIO() });
    const from = proxy.requests.length;
    const made = await keyed.createTable('db.keyed', { schema: shape });
    expect((await witness.loadTable('db.keyed')).uuid).toBe(made.uuid);
    const keys = proxy.requests.slice(from).flatMap(({ headers, path }) => {
      return isCreate(path) ? [headers['idempotency-key'] ?? ''] : [];
    });
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });
});

function withIdempotency(answer: { status: number; headers: Readonly<Record<string, string>>; body: string }) {
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), 'idempotency-key-lifetime': 'PT30M' }) };
}
