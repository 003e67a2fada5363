import { rm } from 'node:fs/promises';

import { RestCatalog } from '@lh/core';
import { type CatalogCapabilities, type CatalogSubject, catalogConformance } from '@lh/core/testing';
import { LocalFileIO } from '@lh/io-fs';
import { s3FileIO } from '@lh/io-s3';
import { newBucket } from 'lakehouse-s3-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { s3Place } from '../support/s3/vitest/place.ts';
import { s3FileIO as directS3 } from '../s3/support.ts';
import { emptyCatalog } from './support.ts';

const CAPABILITIES: CatalogCapabilities = {
  renameTable: true,
  namespaceProperties: true,
  requiresNamespace: true,
  chosenLocation: true,
  handlesFollowRenames: false,
  // Jetty refuses an encoded percent sign in a path, and the catalog behind it tells levels apart by dots.
  unfitForNames: '%.',
};

/** The server keeps its catalog from case to case. */
interface Place {
  start(): Promise<RestServer>;
  subject(server: RestServer): Promise<CatalogSubject>;
}

const PLACES: Record<string, Place> = {
  'tables on the local disk': {
    start: () => startRestServer(),
    async subject({ uri, warehouse }) {
      const io = new LocalFileIO();
      const catalog = await RestCatalog.open({ uri, io });
      await emptyCatalog(catalog);
      await rm(warehouse, { recursive: true, force: true });
      return { io, catalog, capabilities: CAPABILITIES };
    },
  },
  'tables on MinIO, with keys that the server lends, in pages of two': {
    start: async () => startRestServer({ warehouse: `s3://${await newBucket(s3Place())}/rest`, s3: s3Place() }),
    async subject({ uri, warehouse }) {
      const io = directS3();
      const { endpoint, region } = s3Place();
      const properties = { 's3.endpoint': endpoint, 's3.region': region, 's3.path-style-access': 'true' };
      const catalog = await RestCatalog.open({ uri, io: s3FileIO, properties, pageSize: 2 });
      await emptyCatalog(catalog);
      for await (const { location } of io.list(`${warehouse}/`)) await io.delete([location]);
      return { io, catalog, capabilities: CAPABILITIES };
    },
  },
};

describe.each(Object.entries(PLACES))('%s', (_place, { start, subject }) => {
  let server: RestServer;

  beforeAll(async () => {
    server = await start();
  });

  afterAll(() => server.stop());

  test.each(catalogConformance.map((each) => [each.name, each.run] as const))('%s', async (_name, run) => {
    await expect(run(() => subject(server))).resolves.toBeUndefined();
  });
});
