import { type Catalog, MemoryCatalog, RestCatalog, type Table, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';

let server: RestServer;

beforeAll(async () => {
  server = await startRestServer();
});

afterAll(() => server.stop());

/** What is done to a table: together these send every kind of change that there is. */
const STEPS: Record<string, (table: Table) => Promise<unknown>> = {
  append: (table) => table.append([row(1n), row(2n)]),
  'add columns': (table) =>
    table.updateSchema((change) =>
      change
        .addColumn('place', t.struct({ city: t.string(), zip: t.int() }))
        .addColumn('tags', t.list(t.string()))
        .addColumn('sizes', t.map(t.string(), t.decimal(9, 2))),
    ),
  'rename, promote, move and drop columns': (table) =>
    table.updateSchema((change) =>
      change.renameColumn('name', 'title').updateColumn('count', t.long()).moveFirst('title').deleteColumn('tags'),
    ),
  'evolve the spec': (table) =>
    table.updateSpec((change) => change.add(partitionBy.day('ts')).add(partitionBy.bucket(4, 'id')).remove('name')),
  'sort order': (table) => table.updateSortOrder(['ts', { field: 'id', direction: 'desc', nulls: 'last' }]),
  'properties set': (table) => table.setProperties({ a: '1', b: '2', 'write.delete.mode': 'merge-on-read' }),
  'properties removed': (table) => table.removeProperties(['a']),
  'append in the new layout': (table) => table.append([{ id: 3n, title: 'c', count: 3n, ts: '2024-05-01T00:00:00Z' }]),
  'a tag': (table) => table.createTag('first'),
  'a branch that is kept for a while': (table) => table.createBranch('audit', { maxRefAgeMs: 86_400_000 }),
  'append to the branch': (table) => table.append([{ id: 4n, title: 'd', count: 4n, ts: null }], { branch: 'audit' }),
  'fast forward': (table) => table.fastForward('main', 'audit'),
  'delete by positions': (table) => table.delete('id = 1'),
  'upgrade to version 3': (table) => table.upgradeFormatVersion(3),
  'append with row ids': (table) => table.append([{ id: 5n, title: 'e', count: 5n, ts: null }]),
  'delete by a vector': (table) => table.delete('id = 2'),
  statistics: (table) => table.computeStats(),
  'drop the tag': (table) => table.removeRef('first'),
  'roll back': (table) => table.rollbackTo(table.snapshots().at(-2)!.snapshotId),
  'rewrite data files': (table) => table.rewriteDataFiles({ minInputFiles: 1, deleteFileThreshold: 1 }),
  'expire all but the newest': (table) => table.expireSnapshots({ olderThan: Date.now() + 60_000, retainLast: 1 }),
  'drop the branch': (table) => table.removeRef('audit'),
};

function row(id: bigint) {
  return { id, name: `n${id}`, count: Number(id), ts: null };
}

async function create(catalog: Catalog, formatVersion: 1 | 2): Promise<Table> {
  return catalog.createTable(`db.t${formatVersion}`, {
    schema: schema(
      { id: t.long().required(), name: t.string().doc('what it is called'), count: t.int(), ts: t.timestamptz() },
      { identifier: ['id'] },
    ),
    partitionBy: [partitionBy.identity('name')],
    sortBy: ['id'],
    formatVersion,
    properties: { owner: 'me', 'write.metadata.delete-after-commit.enabled': 'false' },
  });
}

/** Without what is random, depends on the time, or is the server's own. */
function comparable({ metadata }: Table): object {
  const { 'write.parquet.compression-codec': _codec, ...properties } = metadata.properties;
  const order = (id: bigint): number => metadata.snapshots.findIndex(({ snapshotId }) => snapshotId === id);
  return {
    formatVersion: metadata.formatVersion,
    schemas: metadata.schemas,
    currentSchemaId: metadata.currentSchemaId,
    lastColumnId: metadata.lastColumnId,
    specs: metadata.partitionSpecs,
    defaultSpecId: metadata.defaultSpecId,
    lastPartitionId: metadata.lastPartitionId,
    orders: metadata.sortOrders,
    defaultSortOrderId: metadata.defaultSortOrderId,
    properties,
    lastSequenceNumber: metadata.lastSequenceNumber,
    nextRowId: metadata.nextRowId,
    snapshots: metadata.snapshots.map((snapshot) => ({
      sequenceNumber: snapshot.sequenceNumber,
      operation: snapshot.operation,
      schemaId: snapshot.schemaId,
      firstRowId: snapshot.firstRowId,
      addedRows: snapshot.addedRows,
      records: snapshot.summary['total-records'],
    })),
    refs: Object.fromEntries(
      Object.entries(metadata.refs).map(([name, ref]) => [name, { ...ref, snapshotId: order(ref.snapshotId) }]),
    ),
    statistics: metadata.statistics.map(({ snapshotId, blobMetadata }) => [order(snapshotId), blobMetadata.length]),
    versions: metadata.metadataLog.length,
  };
}

describe.each([1, 2] as const)('a table that starts in version %i', (formatVersion) => {
  test('takes every change as a catalog in memory does', async () => {
    const rest = await RestCatalog.open({ uri: server.uri, io: new LocalFileIO() });
    const memory = new MemoryCatalog();
    for (const catalog of [rest, memory]) {
      if (!(await catalog.namespaceExists('db'))) await catalog.createNamespace('db');
    }
    const [ours, plain] = [await create(rest, formatVersion), await create(memory, formatVersion)];
    expect(comparable(ours)).toEqual(comparable(plain));
    for (const [name, step] of Object.entries(STEPS)) {
      if (formatVersion === 1 && name === 'delete by positions') await upgrade(ours, plain);
      await step(ours);
      await step(plain);
      expect(comparable(ours), name).toEqual(comparable(plain));
    }
    const rows = async (table: Table): Promise<unknown[]> =>
      (await table.scan().toRows()).toSorted((a, b) => Number((a['id'] as bigint) - (b['id'] as bigint)));
    expect(await rows(ours)).toEqual(await rows(plain));
    expect(comparable(await rest.loadTable(ours.name))).toEqual(comparable(plain));
  });
});

/** Version 1 has no delete files. */
async function upgrade(...tables: readonly Table[]): Promise<void> {
  for (const table of tables) await table.upgradeFormatVersion(2);
}
