import { expect, test } from 'vitest';
import { MemoryCatalog } from '../../src/catalog/memory-catalog.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';

const catalog = new MemoryCatalog({ io: new MemoryFileIO(), warehouse: 'memory:/warehouse' });
await catalog.createNamespace('ns');

test('a commit says what of the properties its writer did not follow', async () => {
  const table = await catalog.createTable('ns.t', {
    schema: schema({ id: t.long() }),
    properties: {
      'write.parquet.compression-level': '9',
      'write.parquet.bloom-filter-enabled.column.id': 'true',
      'write.parquet.page-size-bytes': '1000',
    },
  });
  const { warnings } = await table.append([{ id: 1n }]);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain("'write.parquet.compression-level' was not followed");
  expect(warnings[1]).toContain('bloom filters');
  expect((await table.setProperties({ x: 'y' })).warnings).toEqual([]);
  expect((await table.append([])).warnings).toEqual([]);
});

test('a bad value that another engine has set fails a write before it writes, and no read', async () => {
  const table = await catalog.createTable('ns.bad', { schema: schema({ id: t.long() }) });
  await table.append([{ id: 1n }]);
  const bad = { ...table.metadata.properties, 'write.update.mode': 'sometimes' };
  Object.assign(table.metadata, { properties: bad });
  await expect(table.append([{ id: 2n }])).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('write.update.mode'),
  });
  expect(await table.scan().count()).toBe(1);
});
