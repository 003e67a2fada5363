import { RestCatalog, type Table, isLakehouseError, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type ProxyDecision, RestProxy, errorAnswer, isCommit } from '../support/rest/rest-proxy.ts';
import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { runs } from '../support/runs.ts';

const shape = schema({ id: t.long().required() });
const RETRIES = { 'commit.retry.num-retries': '50', 'commit.retry.min-wait-ms': '5', 'commit.retry.max-wait-ms': '50' };

let server: RestServer;
let proxy: RestProxy;
let witness: RestCatalog;

beforeAll(async () => {
  server = await startRestServer();
  proxy = await RestProxy.start(server.uri);
  witness = await RestCatalog.open({ uri: server.uri, io: new LocalFileIO() });
  await witness.createNamespace('db');
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const openThroughProxy = (): Promise<RestCatalog> => RestCatalog.open({ uri: proxy.uri, io: new LocalFileIO() });

test.each(['before', 'after'])('the server is killed %s it commits: the append is there once', async (when) => {
  proxy.decide = () => 'pass';
  const table = await (await openThroughProxy()).createTable(`db.killed_${when}`, { schema: shape });
  let isKilled = false;
  let restarted: Promise<void> | undefined;
  proxy.decide = async (request) => {
    if (!isCommit(request) || isKilled) return 'pass';
    isKilled = true;
    const kill = async (): Promise<null> => {
      await server.kill();
      restarted = server.restart();
      return null;
    };
    if (when === 'after') return { change: kill };
    await kill();
    return 'drop-request';
  };
  const commit = await table.append([{ id: 1n }]);
  await restarted;
  const seen = await witness.loadTable(table.name);
  expect(seen.snapshots().map(({ snapshotId }) => snapshotId)).toEqual([commit.snapshotId]);
  await table.append([{ id: 2n }]);
  expect(await table.scan().count()).toBe(2);
});

const decision: fc.Arbitrary<ProxyDecision> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<ProxyDecision>('pass') },
  { weight: 1, arbitrary: fc.constant<ProxyDecision>('drop-request') },
  { weight: 2, arbitrary: fc.constant<ProxyDecision>('drop-answer') },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }).map((late): ProxyDecision => ({ late })) },
  { weight: 1, arbitrary: fc.constant<ProxyDecision>({ change: () => errorAnswer(500, 'InternalServerError') }) },
  { weight: 1, arbitrary: fc.constant<ProxyDecision>({ answer: errorAnswer(503, 'ServiceUnavailable') }) },
);

test('whatever happens to the requests of writers at once, no acknowledged append is lost, and none is there twice', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(decision, { maxLength: 40 }), async (decisions) => {
      proxy.decide = () => 'pass';
      const name = `db.round${process.pid}_${++round}`;
      const first = await witness.createTable(name, { schema: shape, properties: RETRIES });
      const left = [...decisions];
      const catalog = await openThroughProxy();
      const writers = await Promise.all([1, 2, 3].map(() => catalog.loadTable(name)));
      proxy.decide = ({ path }) => (path.endsWith('/metrics') ? 'pass' : (left.shift() ?? 'pass'));
      const outcomes = await Promise.all(writers.map((table, writer) => appendAll(table, writer)));
      await proxy.settled();
      await first.refresh();
      const ids = (await first.scan().toRows()).map(({ id }) => id as bigint);
      expect(new Set(ids).size, 'rows that are there twice').toBe(ids.length);
      const { done, unknown } = {
        done: outcomes.flatMap((each) => each.done),
        unknown: outcomes.flatMap((each) => each.unknown),
      };
      expect(
        done.filter((id) => !ids.includes(id)),
        'acknowledged rows that are lost',
      ).toEqual([]);
      expect(
        ids.filter((id) => !done.includes(id) && !unknown.includes(id)),
        'rows that nobody wrote',
      ).toEqual([]);
    }),
    { numRuns: runs(5) },
  );
});

async function appendAll(table: Table, writer: number): Promise<{ done: bigint[]; unknown: bigint[] }> {
  const [done, unknown]: [bigint[], bigint[]] = [[], []];
  for (let index = 0; index < 4; index++) {
    const id = BigInt(writer * 100 + index);
    try {
      await table.append([{ id }]);
      done.push(id);
    } catch (error) {
      if (isLakehouseError(error, 'COMMIT_STATE_UNKNOWN')) unknown.push(id);
      else if (!isLakehouseError(error, 'UNAVAILABLE') && !isLakehouseError(error, 'COMMIT_CONFLICT')) throw error;
    }
  }
  return { done, unknown };
}
