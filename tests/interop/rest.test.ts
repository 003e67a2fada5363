import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { RestCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { python } from './python.ts';

const WRITERS = 4;
const COMMITS = 25;

let server: RestServer;

beforeAll(async () => {
  server = await startRestServer();
});

afterAll(() => server.stop());

test('writers of ours and of PyIceberg commit to one table of a REST catalog at once: all commits are there', async () => {
  const open = (): Promise<RestCatalog> => RestCatalog.open({ uri: server.uri, io: new LocalFileIO() });
  const catalog = await open();
  await catalog.createNamespace('db');
  const table = await catalog.createTable('db.shared', {
    schema: schema({ id: t.long().required(), writer: t.string() }),
    // For our writers; PyIceberg's try again by themselves.
    properties: {
      'commit.retry.num-retries': '1000',
      'commit.retry.min-wait-ms': '5',
      'commit.retry.max-wait-ms': '200',
      'commit.retry.total-timeout-ms': '3600000',
    },
  });
  const ours = async (writer: number): Promise<number[]> => {
    const handle = await (await open()).loadTable('db.shared');
    const done: number[] = [];
    for (let index = 0; index < COMMITS; index++) {
      const id = 100_000 + 1_000 * writer + index;
      await handle.append([{ id: BigInt(id), writer: `ours-${writer}` }]);
      done.push(id);
    }
    return done;
  };
  const order = { uri: server.uri, table: 'db.shared', writers: WRITERS, commits: COMMITS };
  const [theirs, ...parts] = await Promise.all([
    python('append_rest.py', JSON.stringify(order)),
    ...Array.from({ length: WRITERS }, (_, writer) => ours(writer)),
  ]);
  const { done } = JSON.parse(theirs) as { readonly done: number[] };
  const committed = [...done, ...parts.flat()].toSorted((a, b) => a - b);
  expect(committed).toHaveLength(2 * WRITERS * COMMITS);

  await table.refresh();
  expect(table.snapshots()).toHaveLength(committed.length);
  const rows = await table.scan({ select: ['id'] }).toRows();
  expect(rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual(committed);
  const seen = JSON.parse(await python('read_rest.py', JSON.stringify(order))) as {
    readonly ids: number[];
    readonly snapshots: number;
  };
  expect(seen.snapshots).toBe(committed.length);
  expect(seen.ids.toSorted((a, b) => a - b)).toEqual(committed);
}, 1_800_000);

/** The example of a service, and its address. */
async function startService(): Promise<{ readonly service: ChildProcess; readonly address: string }> {
  const script = fileURLToPath(new URL('../../examples/dist/rest-service.js', import.meta.url));
  const env = { ...process.env, PYICEBERG_CATALOG__PROD__TYPE: 'rest', PYICEBERG_CATALOG__PROD__URI: server.uri };
  const service = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(service.stdout.setEncoding('utf8'), 'data')) as [string];
  return { service, address: line.trim() };
}

test('a service writes to its table while PyIceberg reads it', { timeout: 600_000 }, async () => {
  const { service, address } = await startService();
  const post = async (ids: readonly number[]): Promise<number> => {
    const rows = ids.map((id) => ({ id, at: '2026-03-01T10:00:00Z', page: id % 3 === 0 ? '/' : '/docs' }));
    return (await fetch(address, { method: 'POST', body: JSON.stringify(rows) })).status;
  };
  const requests = Array.from({ length: 30 }, (_, i) => post([2 * i, 2 * i + 1]));
  const read = async (): Promise<readonly number[]> => {
    const answer = await python('read_rest.py', JSON.stringify({ uri: server.uri, table: 'web.visits' }));
    return (JSON.parse(answer) as { readonly ids: number[] }).ids.toSorted((a, b) => a - b);
  };
  const [statuses, early] = await Promise.all([Promise.all(requests), read()]);
  expect(statuses).toEqual(requests.map(() => 201));
  // Whatever it sees is whole commits, of whole requests.
  expect(early.length % 2).toBe(0);
  expect(await read()).toEqual(Array.from({ length: 60 }, (_, id) => id));
  expect(await (await fetch(address)).json()).toEqual([
    { page: '/docs', visits: 40 },
    { page: '/', visits: 20 },
  ]);
  const refused = await fetch(address, { method: 'POST', body: JSON.stringify([{ id: 'x' }]) });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('id');
  service.kill('SIGTERM');
  expect(await once(service, 'exit')).toEqual([0, null]);
});
