import { setTimeout as sleep } from 'node:timers/promises';

import { FileSystemCatalog, type LakehouseError, isLakehouseError, schema, t } from '@lh/core';
import { S3FileIO } from '@lh/io-s3';
import { type MinioServer, S3ServerMissing, startMinio } from 'lakehouse-s3-server';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { orphans } from '../../packages/core/test/table/support.ts';

const KILLS = 4;
const WRITERS = 3;
const COMMITS_BETWEEN = 4;

let server: MinioServer;
let missing: string | null = null;
beforeAll(async () => {
  try {
    server = await startMinio();
  } catch (error) {
    // The server of this run may be another one, which nobody here can kill.
    if (!(error instanceof S3ServerMissing) || process.env['CI'] === 'true') throw error;
    missing = error.message;
  }
});
afterAll(() => server?.stop());

function fileIO(): S3FileIO {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  return new S3FileIO({ endpoint, credentials: { accessKeyId, secretAccessKey } });
}

test(`writers go on while MinIO is killed and started again ${KILLS} times`, { timeout: 180_000 }, async ({ skip }) => {
  if (missing !== null) skip(missing);
  const io = fileIO();
  const catalog = await FileSystemCatalog.open({ io, warehouse: `s3://${await server.newBucket()}/wh` });
  await catalog.createNamespace('db');
  await catalog.createTable('db.t', {
    schema: schema({ writer: t.int().required(), n: t.int().required() }),
    properties: { 'commit.retry.num-retries': '100' },
  });

  const work = { isOver: false };
  const acknowledged = new Map<number, number[]>();
  const unknown: LakehouseError[] = [];
  const write = async (writer: number): Promise<void> => {
    const own = await (await FileSystemCatalog.open({ io: fileIO(), warehouse: catalog.warehouse })).loadTable('db.t');
    const done: number[] = [];
    acknowledged.set(writer, done);
    for (let n = 0; !work.isOver; n++) {
      try {
        await own.append([{ writer, n }]);
        done.push(n);
      } catch (error) {
        // The store may be away for longer than requests are repeated, but what that means is said.
        if (!isLakehouseError(error)) throw error;
        expect(['UNAVAILABLE', 'COMMIT_STATE_UNKNOWN'], error.message).toContain(error.code);
        if (error.code === 'COMMIT_STATE_UNKNOWN') unknown.push(error);
      }
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  const commits = (): number => [...acknowledged.values()].reduce((sum, done) => sum + done.length, 0);
  for (let kill = 0; kill < KILLS; kill++) {
    await expect.poll(commits, { timeout: 30_000 }).toBeGreaterThan(COMMITS_BETWEEN * (kill + 1));
    await server.kill();
    await sleep(100);
    await server.restart();
  }
  await expect.poll(commits, { timeout: 30_000 }).toBeGreaterThan(COMMITS_BETWEEN * (KILLS + 1));
  work.isOver = true;
  await Promise.all(writers);

  const table = await catalog.loadTable('db.t');
  const rows = await table.scan().toRows();
  const found = new Map(Array.from(acknowledged, ([writer]) => [writer, [] as number[]]));
  for (const { writer, n } of rows as unknown as { writer: number; n: number }[]) found.get(writer)!.push(n);
  for (const [writer, done] of acknowledged) {
    const own = found.get(writer)!.toSorted((a, b) => a - b);
    expect(own, 'nothing is there twice').toEqual([...new Set(own)]);
    expect(own, 'nothing is lost').toEqual(expect.arrayContaining(done));
  }
  expect(rows.length - commits(), 'rows that nobody knows of').toBeLessThanOrEqual(unknown.length);
  expect(table.snapshots()).toHaveLength(rows.length);

  await table.removeOrphanFiles({ olderThan: Date.now() + 60_000 });
  expect(await orphans(table, io)).toEqual([]);
  expect(await table.scan().count()).toBe(rows.length);
});
