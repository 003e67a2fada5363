import { partitionBy, schema, t } from '@lh/core';

import { type InteropTable, type Row, current, snapshot } from '../interop-table.ts';

const events = schema({ id: t.long().required(), kind: t.string() });

function batch(start: number, length: number): Row[] {
  return Array.from({ length }, (_, i) => ({ id: BigInt(start + i), kind: `k${(start + i) % 3}` }));
}

/** Many small appends, with manifests merged on the way or never. */
function severalAppends(name: string, properties: Readonly<Record<string, string>>): InteropTable {
  return {
    name,
    make: async (catalog) => {
      const table = await catalog.createTable(['interop', name], {
        schema: events,
        partitionBy: [partitionBy.identity('kind')],
        properties,
      });
      const reads = [];
      const rows: Row[] = [];
      for (let commit = 0; commit < 12; commit++) {
        const added = batch(commit * 10, 10);
        rows.push(...added);
        const { snapshotId } = await table.append(added);
        if (commit % 4 === 0) reads.push(snapshot(`after commit ${commit + 1}`, snapshotId, [...rows]));
      }
      return { table, reads: [...reads, current(rows)] };
    },
  };
}

const empty: InteropTable = {
  name: 'never_written',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.never_written', { schema: events });
    return { table, reads: [current([])] };
  },
};

const nothingAppended: InteropTable = {
  name: 'nothing_appended',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.nothing_appended', { schema: events });
    await table.append(batch(0, 3));
    await table.append([]);
    return { table, reads: [current(batch(0, 3))] };
  },
};

const oneTransaction: InteropTable = {
  name: 'one_transaction',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.one_transaction', { schema: events });
    await table.append(batch(0, 2));
    await table.transaction(async (tx) => {
      tx.updateSchema((s) => s.addColumn('country', t.string()));
      await tx.append([{ id: 10n, kind: 'x', country: 'KR' }]);
      await tx.append([{ id: 11n, kind: 'y', country: null }]);
    });
    const old = batch(0, 2).map((row) => ({ ...row, country: null }));
    return {
      table,
      reads: [current([...old, { id: 10n, kind: 'x', country: 'KR' }, { id: 11n, kind: 'y', country: null }])],
    };
  },
};

const racingWriters: InteropTable = {
  name: 'racing_writers',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.racing_writers', { schema: events });
    const writers = await Promise.all(Array.from({ length: 4 }, () => catalog.loadTable('interop.racing_writers')));
    await Promise.all(
      writers.map(async (writer, index) => {
        for (let commit = 0; commit < 3; commit++) await writer.append(batch(index * 100 + commit * 10, 5));
      }),
    );
    await table.refresh();
    const rows = writers.flatMap((_, index) => [0, 1, 2].flatMap((commit) => batch(index * 100 + commit * 10, 5)));
    return { table, reads: [current(rows)] };
  },
};

const settings: InteropTable = {
  name: 'settings',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.settings', {
      schema: schema(
        { id: t.long().required(), city: t.string().doc('where'), ts: t.timestamptz() },
        { identifier: ['id'] },
      ),
      sortBy: ['ts', { field: 'city', direction: 'desc', nulls: 'last' }],
      properties: { owner: 'someone', 'write.metadata.previous-versions-max': '3' },
    });
    const row = (id: number) => ({ id: BigInt(id), city: `c${id % 5}`, ts: '2024-01-01T00:00:00.000000Z' });
    await table.append([row(3), row(1)]);
    await table.setProperties({ comment: 'späte Änderung', 'write.parquet.compression-codec': 'snappy' });
    await table.updateSortOrder(['city']);
    await table.append([row(2)]);
    await table.removeProperties(['owner']);
    return { table, reads: [current([row(1), row(2), row(3)])] };
  },
};

export const historyTables: readonly InteropTable[] = [
  severalAppends('appends', {}),
  severalAppends('appends_merged', { 'commit.manifest.min-count-to-merge': '3' }),
  severalAppends('appends_never_merged', { 'commit.manifest-merge.enabled': 'false' }),
  empty,
  nothingAppended,
  oneTransaction,
  racingWriters,
  settings,
];
