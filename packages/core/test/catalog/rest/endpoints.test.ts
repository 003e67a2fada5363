import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_ENDPOINTS,
  ENDPOINTS,
  routePath,
  supportedEndpoints,
  type EndpointName,
} from '../../../src/catalog/rest/endpoints.ts';
import { Secrets } from '../../../src/catalog/rest/secrets.ts';
import { serverConfig } from '../../../src/catalog/rest/server-config.ts';

const STYLE = { prefix: '', separator: '%1F' };

describe('routes', () => {
  test('names come back from a route as they went in', () => {
    const level = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 3 }), level, (namespace, table) => {
        fc.pre([...namespace, table].every((name) => !name.includes('\u001f') && !/^\.{1,2}$/.test(name)));
        const path = routePath('loadTable', { namespace, table }, STYLE);
        // What is sent is what was meant.
        expect(new URL(`http://host${path}`).pathname).toBe(path);
        const parts = path.split('/');
        expect(parts.slice(0, 3)).toEqual(['', 'v1', 'namespaces']);
        expect(parts).toHaveLength(6);
        expect(parts[3]?.split('%1F').map(decodeURIComponent)).toEqual(namespace);
        expect(decodeURIComponent(parts[5] ?? '')).toBe(table);
      }),
    );
  });

  test.each(['.', '..'])('%s is no name: it would be another route', (dots) => {
    expect(() => routePath('dropTable', { namespace: ['web'], table: dots }, STYLE)).toThrow(/can't be names/);
    expect(() => routePath('dropNamespace', { namespace: [dots] }, STYLE)).toThrow(/can't be names/);
  });

  test('a prefix is put in as it is', () => {
    const path = routePath('renameTable', {}, { ...STYLE, prefix: 'catalogs/a%2Fb' });
    expect(path).toBe('/v1/catalogs/a%2Fb/tables/rename');
  });

  test('without a list a server has the routes that the specification names, and no views', () => {
    const names = Object.keys(ENDPOINTS) as EndpointName[];
    expect(supportedEndpoints(null)).toEqual(new Set(DEFAULT_ENDPOINTS));
    expect(names.filter((name) => name.includes('View') && supportedEndpoints(null).has(name))).toEqual([]);
    expect(supportedEndpoints([])).toEqual(new Set());
    expect(supportedEndpoints(Object.values(ENDPOINTS))).toEqual(new Set(names));
    expect(supportedEndpoints(['GET /v1/{prefix}/something/new'])).toEqual(new Set());
  });
});

describe('the configuration', () => {
  test('overrides go over settings, and settings over defaults', () => {
    const body = { defaults: { a: '1', b: '1', c: '1' }, overrides: { c: '3', prefix: '/p/' } };
    const { properties, style, idempotencyKeys } = serverConfig(body, { b: '2', c: '2' });
    expect(properties).toEqual({ a: '1', b: '2', c: '3', prefix: '/p/' });
    expect(style).toEqual({ prefix: 'p', separator: '%1F' });
    expect(idempotencyKeys).toBe(false);
  });

  test('what is no configuration is INVALID_DATA', () => {
    expect(() => serverConfig(['no'], {})).toThrow(/must be a JSON object/);
    expect(() => serverConfig({ defaults: { a: 1 } }, {})).toThrow(/must be a string/);
  });
});

describe('secrets', () => {
  test('none is left in a text, whatever is around it', () => {
    const secret = fc.string({ unit: 'grapheme-ascii', minLength: 4 }).filter((text) => !text.includes('*'));
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (text, before, after) => {
        const secrets = new Secrets();
        secrets.add(`client:${text}`);
        const seen = secrets.redact(`${before}${text}${encodeURIComponent(text)}${after}`);
        expect(seen.includes(text)).toBe(false);
      }),
    );
  });
});
