import { expect, test } from 'vitest';
import { MemoryCatalog, schema, t } from '../../src/index.ts';
import { coreWriter } from '../../src/engine.ts';

async function newTable(): Promise<{
  readonly catalog: MemoryCatalog;
  readonly table: Awaited<ReturnType<MemoryCatalog['loadTable']>>;
}> {
  const catalog = new MemoryCatalog();
  await catalog.createNamespace('ns');
  await catalog.createTable('ns.t', { schema: schema({ id: t.long() }) });
  return { catalog, table: await catalog.loadTable('ns.t') };
}

test('what a transaction has done can be read, and is committed as it was read', async () => {
  const { catalog, table } = await newTable();
  await table.append([{ id: 1n }, { id: 2n }]);
  let seen: unknown = null;
  const commit = await table.transaction(async (tx) => {
    await tx.append([{ id: 3n }]);
    const first = table.withMetadata(await tx.preview());
    expect(await first.scan().count()).toBe(3);
    await tx.delete('id = 1');
    tx.updateSchema((s) => s.addColumn('s', t.string()));
    const second = table.withMetadata(await tx.preview());
    expect(await second.scan().toRows()).toEqual([
      { id: 2n, s: null },
      { id: 3n, s: null },
    ]);
    // A version stays as it is.
    expect(await first.scan().count()).toBe(3);
    expect(await (await catalog.loadTable('ns.t')).scan().count()).toBe(2);
    seen = second.currentSnapshot()!.snapshotId;
    await expect(second.append([{ id: 9n }])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/not committed/),
    });
    await expect(second.delete('id = 2')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
  expect(commit.snapshotId).toBe(seen);
  expect(await (await catalog.loadTable('ns.t')).scan().count()).toBe(2);
});

test('a write may name its writer, and the handle moves with it', async () => {
  const { table } = await newTable();
  let files = 0;
  const writer: typeof coreWriter = {
    async writeDataFiles(input, options) {
      files++;
      return coreWriter.writeDataFiles(input, options);
    },
  };
  await table.append([{ id: 1n }], { writer });
  await table.change((tx) => tx.append([{ id: 2n }]), { writer });
  await table.append([{ id: 3n }]);
  expect(files).toBe(2);
  expect(await table.scan().count()).toBe(3);
});
