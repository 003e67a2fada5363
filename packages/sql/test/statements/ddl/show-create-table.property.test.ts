import { MemoryCatalog, isLakehouseError } from '@lh/core';
import type { Table } from '@lh/core';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { Lakehouse } from '../../../src/index.ts';
import { quoteNames } from '../../../src/text/quote.ts';
import { anyDefinition, anyName } from './arbitrary-definitions.ts';

const catalog = new MemoryCatalog();
const lake = await Lakehouse.open({ catalog });
beforeAll(() => catalog.createNamespace('ns'));
afterAll(() => lake.close());

const definitionOf = ({ schema, spec, sortOrder, formatVersion, properties, location }: Table): object => ({
  schema,
  spec,
  sortOrder,
  formatVersion,
  properties,
  location,
});

async function created(
  name: readonly string[],
  make: () => Parameters<MemoryCatalog['createTable']>[1],
): Promise<Table | null> {
  try {
    return await catalog.createTable(name, make());
  } catch (error) {
    if (isLakehouseError(error, 'INVALID_ARGUMENT')) return null;
    throw error;
  }
}

test('what SHOW CREATE TABLE gives makes the same table', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(anyName, anyDefinition, async (own, make) => {
      const name = ['ns', own];
      const table = await created(name, make as () => Parameters<MemoryCatalog['createTable']>[1]);
      fc.pre(table !== null);
      const wanted = definitionOf(table);
      const [row] = await (await lake.sql(`SHOW CREATE TABLE ${quoteNames(name)}`)).rows();
      const text = String(row!['createtab_stmt']);
      await lake.sql(`DROP TABLE ${quoteNames(name)}`);
      try {
        await lake.sql(text);
        expect(definitionOf(await catalog.loadTable(name)), text).toEqual(wanted);
        count++;
      } finally {
        await catalog.dropTable(name).catch(() => undefined);
      }
    }),
    { numRuns: runs(150) },
  );
  expect(count).toBeGreaterThan(20);
}, 600_000);
