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
