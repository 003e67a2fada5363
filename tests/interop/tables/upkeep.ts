import { type FormatVersion, type Table, partitionBy, schema, t } from '@lh/core';

import { type InteropTable, type Row, current, snapshot } from '../interop-table.ts';

// What maintenance leaves behind: rewritten manifests, deletes in another form, a history that was cut.

const shape = schema({ id: t.long().required(), city: t.string(), x: t.double() });
const cities = ['Seoul', 'Busan', 'Jeju'];

function row(id: number): Row {
  return { id: BigInt(id), city: cities[id % 3]!, x: id / 2 };
}

function rows(from: number, to: number, ...without: readonly number[]): readonly Row[] {
  return Array.from({ length: to - from }, (_, i) => row(from + i)).filter(({ id }) => !without.includes(Number(id)));
}

interface Upkeep {
  readonly name: string;
  readonly run: (table: Table) => Promise<unknown>;
  /** Whether the snapshot from before it is read, too. */
  readonly keepsHistory?: true;
}

const STEPS: readonly Upkeep[] = [
  {
    name: 'manifests_rewritten',
    run: (table) => table.rewriteManifests({ targetSizeBytes: 6000 }),
    keepsHistory: true,
  },
  {
    name: 'position_deletes_rewritten',
    run: (table) => table.rewritePositionDeletes({ rewriteAll: true }),
    keepsHistory: true,
  },
  { name: 'equality_deletes_converted', run: (table) => table.convertEqualityDeletes() },
  {
    name: 'expired',
    run: (table) => table.expireSnapshots({ olderThan: Date.now() + 60_000, cleanExpiredMetadata: true }),
  },
  {
    name: 'all_upkeep',
    run: async (table) => {
      await table.convertEqualityDeletes();
      await table.rewritePositionDeletes({ rewriteAll: true });
      await table.removeDanglingDeletes();
      await table.rewriteManifests();
      await table.expireSnapshots({ olderThan: Date.now() + 60_000 });
      await table.removeOrphanFiles({ olderThan: Date.now() + 60_000 });
    },
  },
];

/** Version 2 tables get position deletes and keys; the others start as such and are upgraded on the way. */
function tableOf({ name, run, keepsHistory }: Upkeep, formatVersion: FormatVersion): InteropTable {
  const full = `${name}_v${formatVersion}`;
  const keepsKeys = formatVersion > 1 && !['equality_deletes_converted', 'all_upkeep'].includes(name);
  return {
    name: full,
    ...(keepsKeys && { cannotRead: { PyIceberg: 'it knows no equality deletes' } }),
    make: async (catalog) => {
      const table = await catalog.createTable(['interop', full], {
        schema: shape,
        formatVersion: formatVersion === 1 ? 1 : 2,
        partitionBy: [partitionBy.identity('city')],
        properties: { 'write.delete.granularity': 'partition', 'write.delete.mode': 'merge-on-read' },
      });
      await table.append(rows(0, 10));
      const { snapshotId: tagged } = await table.append(rows(10, 20));
      await table.createTag('kept', { snapshotId: tagged! });
      await table.delete('id = 3');
      await table.append(rows(20, 30));
      if (formatVersion > 1) {
        await table.delete('id IN (4, 14)');
        const keys = [6, 25].map((id) => ({ id: BigInt(id), city: cities[id % 3]! }));
        await table.rowDelta({ equalityDeletes: { fields: ['id', 'city'], rows: keys } });
      }
      if (formatVersion === 3) {
        await table.upgradeFormatVersion(3);
        await table.delete('id = 15');
      }
      const { snapshotId: before } = table.currentSnapshot()!;
      const gone = { 1: [3], 2: [3, 4, 6, 14, 25], 3: [3, 4, 6, 14, 15, 25] }[formatVersion];
      await run(table);
      const left = rows(0, 30, ...gone);
      const kept = snapshot('tagged', tagged, rows(0, 20));
      return { table, reads: [current(left), kept, ...(keepsHistory ? [snapshot('before', before, left)] : [])] };
    },
  };
}

export const upkeepTables: readonly InteropTable[] = STEPS.flatMap((step) =>
  ([1, 2, 3] as const).map((formatVersion) => tableOf(step, formatVersion)),
);
