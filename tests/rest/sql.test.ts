import { MemoryCatalog, RestCatalog, schema, t } from '@lh/core';
import { s3FileIO } from '@lh/io-s3';
import { Lakehouse } from '@lh/sql';
import { newBucket } from 'lakehouse-s3-server';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { s3Place } from '../support/s3/vitest/place.ts';

let server: RestServer;

beforeAll(async () => {
  server = await startRestServer({ warehouse: `s3://${await newBucket(s3Place())}/wh`, s3: s3Place() });
});

afterAll(() => server.stop());

test('a query joins tables of a REST catalog, reached with keys that it lends, with those of another catalog', async () => {
  const { endpoint, region } = s3Place();
  const properties = { 's3.endpoint': endpoint, 's3.region': region, 's3.path-style-access': 'true' };
  const prod = await RestCatalog.open({ uri: server.uri, io: s3FileIO, properties });
  await prod.createNamespace('web');
  const orders = await prod.createTable('web.orders', { schema: schema({ id: t.long(), city: t.int() }) });
  await orders.append([1n, 2n, 3n].map((id) => ({ id, city: Number(id) % 2 })));
  const dev = new MemoryCatalog();
  await dev.createNamespace('geo');
  const cities = await dev.createTable('geo.cities', { schema: schema({ city: t.int(), name: t.string() }) });
  await cities.append([
    { city: 0, name: 'Seoul' },
    { city: 1, name: 'Busan' },
  ]);
  const lake = await Lakehouse.open({ catalog: dev, catalogs: { prod } });
  try {
    const result = await lake.sql(
      'SELECT name, count(*) AS n FROM prod.web.orders JOIN geo.cities USING (city) GROUP BY ALL ORDER BY name',
    );
    expect(await result.rows()).toEqual([
      { name: 'Busan', n: 2n },
      { name: 'Seoul', n: 1n },
    ]);
  } finally {
    await lake.close();
  }
});
