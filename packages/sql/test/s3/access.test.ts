import { inspect } from 'node:util';
import { schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import type { S3Identity } from '@lh/io-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { assumeRole } from '../../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../../tests/support/s3/vitest/place.ts';
import { rejection } from '../support.ts';
import { WAYS, newWarehouse, openCatalog, openLake, s3FileIO } from './support.ts';

let warehouse = '';

beforeAll(async () => {
  warehouse = await newWarehouse();
  const catalog = await openCatalog(warehouse);
  const table = await catalog.createTable('ns.t', { schema: schema({ id: t.long(), a: t.string(), b: t.string() }) });
  // Too large to be fetched as a whole.
  const text = (i: number): string => (Math.imul(i + 1, 0x9e37_79b1) >>> 0).toString(36).padStart(8, 'x');
  await table.append(Array.from({ length: 30_000 }, (_, i) => ({ id: BigInt(i), a: text(i), b: text(i + 1) })));
});

/** Keys that may be changed at any time, and are asked for with each request. */
function changing(first: S3Identity): { current: S3Identity; readonly provider: () => Promise<S3Identity> } {
  const keys = {
    current: first,
    // As good as expired: they are not kept.
    provider: () => Promise.resolve({ ...keys.current, expiration: new Date(Date.now() + 5001) }),
  };
  return keys;
}

async function without(action: string): Promise<S3Identity> {
  return assumeRole(s3Place(), [{ actions: [action], resources: ['arn:aws:s3:::nothing/*'] }]);
}

function expectNoSecret(error: unknown, identities: readonly S3Identity[]): void {
  const shown = inspect(error, { depth: 10, showHidden: true }) + String((error as Error).stack);
  for (const { secretAccessKey, sessionToken } of identities) {
    expect(shown).not.toContain(secretAccessKey);
    if (sessionToken) expect(shown).not.toContain(sessionToken);
  }
}

describe.each(WAYS)('by %s', (way) => {
  test('a query has the credentials that the store has at its time', async () => {
    const identities = [await assumeRole(s3Place()), await without('s3:GetObject'), await assumeRole(s3Place())];
    const keys = changing(identities[0]!);
    const io = s3FileIO({ credentials: keys.provider });
    const lake = await openLake(way, await openCatalog(warehouse, io));
    const table = await (await openCatalog(warehouse, io)).loadTable('ns.t');
    lake.register('t', table);
    const ask = async (columns: string): Promise<unknown> => (await lake.sql(`SELECT ${columns} FROM t`)).rows();
    expect(await ask('count(*) AS n, max(id) AS id')).toEqual([{ n: 30_000n, id: 29_999n }]);
    keys.current = identities[1]!;
    const error = await rejection(ask('max(a) AS a'));
    expect(error).toMatchObject({ code: 'UNAUTHORIZED' });
    expectNoSecret(error, identities);
    keys.current = identities[2]!;
    expect(await ask('count(DISTINCT b) AS b')).toEqual([{ b: 30_000n }]);
    await io.close();
  });

  test('secrets are shown to nobody, and are good for the table only', async () => {
    const { accessKeyId, secretAccessKey } = s3Place();
    const lake = await openLake(way, await openCatalog(warehouse));
    await (await lake.sql('SELECT max(id) FROM ns.t')).rows();
    const reader = await lake.connection.runAndReadAll('SELECT scope, secret_string FROM duckdb_secrets()');
    const rows = reader.getRowsJS();
    if (way === 'cache') return expect(rows).toEqual([]);
    expect(rows).toHaveLength(1);
    const [scope, secret] = rows[0]!;
    expect(scope).toEqual([`${warehouse}/ns/t/`]);
    expect(secret).toContain(accessKeyId);
    expect(secret).not.toContain(secretAccessKey);
    for (const sql of ['SET allow_unredacted_secrets = true', 'FROM duckdb_secrets(redact = false)']) {
      await expect(lake.sql(sql)).rejects.toThrow();
    }
  });

  test('wrong keys, and files that are gone', async () => {
    const identity = { accessKeyId: 'nobody', secretAccessKey: 'a secret that nobody has' };
    const keys = changing(s3Place());
    const io = s3FileIO({ credentials: keys.provider });
    const catalog = await openCatalog(warehouse, io);
    const lake = await openLake(way, catalog);
    const gone = await lostFile(await catalog.loadTable('ns.t'));
    lake.register('gone', gone);
    const missing = await rejection(lake.sql('SELECT max(a) FROM gone').then((result) => result.rows()));
    expect(missing).toMatchObject({ code: 'NOT_FOUND' });
    lake.register('t', await catalog.loadTable('ns.t'));
    await (await lake.sql('SELECT max(id) FROM t')).rows();
    keys.current = identity;
    const refused = await rejection(lake.sql('SELECT max(b) FROM t').then((result) => result.rows()));
    expect(refused).toMatchObject({ code: 'UNAUTHORIZED' });
    expectNoSecret(refused, [identity, s3Place()]);
    await io.close();
  });
});

/** A table whose only data file is not there any more. */
async function lostFile(table: Table): Promise<Table> {
  const catalog = await openCatalog(await newWarehouse());
  const copy = await catalog.createTable('ns.gone', { schema: table.schema });
  await copy.append(table.scan().batches());
  const { tasks } = await copy.scan().plan();
  await copy.io.delete(tasks.map(({ file }) => file.path));
  return copy;
}
