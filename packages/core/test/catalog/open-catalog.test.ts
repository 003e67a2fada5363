import { describe, expect, test } from 'vitest';
import { catalogProperties, openCatalog } from '../../src/catalog/open-catalog.ts';
import { FileSystemCatalog } from '../../src/catalog/file-system-catalog.ts';
import { MemoryCatalog } from '../../src/catalog/memory-catalog.ts';
import type { FileIOSettings } from '../../src/io/file-io-factory.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { LakehouseError } from '../../src/errors.ts';

const io = new MemoryFileIO();

describe('catalogProperties', () => {
  test("reads PyIceberg's variables and Spark's entries of one catalog", () => {
    const settings = {
      PYICEBERG_CATALOG__PROD__URI: 'https://prod',
      PYICEBERG_CATALOG__PROD__S3__ACCESS_KEY_ID: 'key',
      PYICEBERG_CATALOG__PROD__OAUTH2_SERVER_URI: 'https://tokens',
      PYICEBERG_CATALOG__PRODUCTION__URI: 'https://another',
      PYICEBERG_MAX_WORKERS: '4',
      'spark.sql.catalog.prod.warehouse': 'w',
      'spark.sql.catalog.prod.s3.path-style-access': 'true',
      'spark.sql.catalog.prod': 'org.apache.iceberg.spark.SparkCatalog',
      'spark.sql.catalog.dev.warehouse': 'another',
      HOME: undefined,
    };
    expect(catalogProperties('prod', settings)).toEqual({
      uri: 'https://prod',
      's3.access-key-id': 'key',
      'oauth2-server-uri': 'https://tokens',
      warehouse: 'w',
      's3.path-style-access': 'true',
    });
    expect(catalogProperties('none', settings)).toEqual({});
  });
});

describe('openCatalog', () => {
  test.each(['hadoop', 'file-system', 'HADOOP'])('%s is a file system', async (type) => {
    const asked: FileIOSettings[] = [];
    const properties = { type, warehouse: 's3://b/wh', 's3.endpoint': 'http://store' };
    const catalog = await openCatalog(properties, {
      name: 'lake',
      io: (settings) => {
        asked.push(settings);
        return io;
      },
    });
    expect(catalog).toBeInstanceOf(FileSystemCatalog);
    expect(catalog.name).toBe('lake');
    expect(asked).toEqual([{ location: 's3://b/wh', properties, credentials: null }]);
  });

  test('in-memory is one of this process', async () => {
    expect(await openCatalog({ type: 'in-memory' }, { io })).toBeInstanceOf(MemoryCatalog);
  });

  test("Spark's names of classes are types", async () => {
    const properties = { 'catalog-impl': 'org.apache.iceberg.hadoop.HadoopCatalog', warehouse: '/wh' };
    expect(await openCatalog(properties, { io })).toBeInstanceOf(FileSystemCatalog);
  });

  const code = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'opened',
      (error: LakehouseError) => error.code,
    );

  test.each([
    [{}, 'INVALID_ARGUMENT'],
    [{ type: 'hadoop' }, 'INVALID_ARGUMENT'],
    [{ type: 'rest' }, 'INVALID_ARGUMENT'],
    [{ type: 'rest', uri: 'ftp://host' }, 'INVALID_ARGUMENT'],
    [{ type: 'rest', uri: 'https://host', 'rest.sigv4-enabled': 'true' }, 'INVALID_ARGUMENT'],
    [{ type: 'rest', uri: 'https://host', 'rest.auth.type': 'google' }, 'UNSUPPORTED'],
    [{ type: 'glue' }, 'UNSUPPORTED'],
    [{ type: 'constructor' }, 'UNSUPPORTED'],
    [{ 'catalog-impl': 'org.apache.iceberg.aws.glue.GlueCatalog' }, 'UNSUPPORTED'],
  ])('%j is %s', async (properties, expected) => {
    expect(await code(openCatalog(properties, { io }))).toBe(expected);
  });

  test('settings become the options of a REST catalog', async () => {
    const requests: { readonly url: string; readonly headers: Headers }[] = [];
    const properties = {
      uri: 'https://host/api/v1/',
      warehouse: 'a b',
      token: 'my-token',
      'header.x-tenant': 'north',
      's3.region': 'eu-central-1',
    };
    const catalog = await openCatalog(properties, {
      io,
      fetch: async (url, init) => {
        requests.push({ url, headers: new Headers(init.headers) });
        return Response.json({ defaults: {}, overrides: {}, namespaces: [] });
      },
    });
    await catalog.listNamespaces();
    expect(requests.map(({ url }) => url)).toEqual([
      'https://host/api/v1/config?warehouse=a%20b',
      'https://host/api/v1/namespaces',
    ]);
    for (const { headers } of requests) {
      expect([headers.get('authorization'), headers.get('x-tenant')]).toEqual(['Bearer my-token', 'north']);
    }
  });
});
