import { describe, expect, test } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import { toExpression } from '../../src/expr/filter-input.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { currentSchema } from '../../src/spec/metadata-accessors.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { isValidationConflict } from '../../src/transaction/conflict.ts';
import type { ConflictChecks } from '../../src/transaction/conflict-checks.ts';
import type { RowScope } from '../../src/transaction/row-scope.ts';
import type { SnapshotChange } from '../../src/transaction/snapshot-change.ts';
import { ChangeTable } from './change-support.ts';

/** A table with `a` in partition 'a', ids 0 to 9, and `b` in partition 'b', ids 10 to 19. */
interface Scene {
  readonly table: ChangeTable;
  readonly a: DataFile;
  readonly b: DataFile;
}

async function scene(formatVersion: FormatVersion): Promise<Scene> {
  const table = await ChangeTable.create({ formatVersion, partitioned: true });
  const [a, b] = [await table.dataFile('a', [0, 9]), await table.dataFile('b', [10, 19])];
  await table.append(a, b);
  return { table, a, b };
}

async function filter({ table }: Scene, text: string): Promise<RowScope> {
  return { filter: bindExpression(currentSchema(await table.metadata()), toExpression(text)) };
}

type MakeChange = (scene: Scene) => Promise<SnapshotChange>;

/** What another writer does meanwhile. */
const CONCURRENT: Readonly<Record<string, MakeChange>> = {
  'append a': async ({ table }) => table.change({ operation: 'append', add: [await table.dataFile('a', [0, 9])] }),
  'append a far': async ({ table }) =>
    table.change({ operation: 'append', add: [await table.dataFile('a', [100, 109])] }),
  'append b': async ({ table }) => table.change({ operation: 'append', add: [await table.dataFile('b', [0, 9])] }),
  'overwrite adds a': async ({ table, b }) => table.change({ add: [await table.dataFile('a', [0, 9])], removed: [b] }),
  'replace a': async ({ table, a }) =>
    table.change({ operation: 'replace', add: [await table.dataFile('a', [0, 9])], removed: [a] }),
  'delete a': async ({ table, a }) => table.change({ operation: 'delete', removed: [a] }),
  'delete b': async ({ table, b }) => table.change({ operation: 'delete', removed: [b] }),
  'overwrite removes a': async ({ table, a }) =>
    table.change({ add: [await table.dataFile('b', [10, 19])], removed: [a] }),
  'positions of a': async ({ table, a }) =>
    table.change({ operation: 'delete', deletes: [await table.positionDelete(a)] }),
  'positions of b': async ({ table, b }) =>
    table.change({ operation: 'delete', deletes: [await table.positionDelete(b)] }),
  'keys in a': async ({ table }) =>
    table.change({ operation: 'overwrite', deletes: [await table.equalityDelete('a', [0, 3])] }),
  'keys in a far': async ({ table }) =>
    table.change({ operation: 'overwrite', deletes: [await table.equalityDelete('a', [100, 103])] }),
  'keys in b': async ({ table }) =>
    table.change({ operation: 'overwrite', deletes: [await table.equalityDelete('b', [0, 3])] }),
};

const NEEDS_V2 = new Set(Object.keys(CONCURRENT).filter((name) => /positions|keys/.test(name)));

interface Rule {
  readonly make: MakeChange;
  /** The concurrent changes that don't go together with it. */
  readonly conflicts: readonly string[];
  readonly versions?: readonly FormatVersion[];
}

function checking(checks: (scene: Scene) => Promise<ConflictChecks> | ConflictChecks): MakeChange {
  return async (at) => at.table.change({ add: [await at.table.dataFile('a', [50, 59])], checks: await checks(at) });
}

const RULES: Readonly<Record<string, Rule>> = {
  nothing: { make: checking(() => ({})), conflicts: [] },
  'no new data by filter': {
    make: checking(async (at) => ({ noNewData: await filter(at, 'id < 5') })),
    conflicts: ['append a', 'append b', 'overwrite adds a'],
  },
  'no new data by a filter on the partition': {
    make: checking(async (at) => ({ noNewData: await filter(at, "city = 'b'") })),
    conflicts: ['append b', 'overwrite removes a'],
  },
  'no new data in partitions': {
    make: checking(({ a }) => ({ noNewData: { partitions: [{ specId: a.specId, tuple: a.partition }] } })),
    conflicts: ['append a', 'append a far', 'overwrite adds a'],
  },
  'no new deletes by filter': {
    make: checking(async (at) => ({ noNewDeletes: await filter(at, "city = 'a' AND id < 5") })),
    // The metrics of position deletes don't tell which rows they are about.
    conflicts: ['positions of a', 'keys in a'],
  },
  'no new deletes in partitions': {
    make: checking(({ b }) => ({ noNewDeletes: { partitions: [{ specId: b.specId, tuple: b.partition }] } })),
    conflicts: ['positions of b', 'keys in b'],
  },
  'no data removed by filter': {
    make: checking(async (at) => ({ noRemovedData: await filter(at, 'id = 7') })),
    conflicts: ['delete a', 'replace a', 'overwrite removes a'],
  },
  'no new deletes for a file': {
    make: async ({ table, a }) =>
      table.change({ add: [await table.dataFile('a', [0, 9])], removed: [a], checks: { noNewDeletesFor: [a] } }),
    conflicts: ['delete a', 'replace a', 'overwrite removes a', 'positions of a', 'keys in a'],
  },
  'no new deletes for a file whose rows keep their number': {
    make: async ({ table, a }) =>
      table.change({
        operation: 'replace',
        add: [await table.dataFile('a', [0, 9])],
        removed: [a],
        dataSequenceNumber: 1n,
        checks: { noNewDeletesFor: [a] },
      }),
    conflicts: ['delete a', 'replace a', 'overwrite removes a', 'positions of a'],
  },
  'data files exist': {
    make: async ({ table, a }) =>
      table.change({
        operation: 'delete',
        deletes: [await table.equalityDelete('a', [0, 0])],
        checks: { dataFilesExist: [a.path] },
      }),
    conflicts: ['delete a', 'replace a', 'overwrite removes a'],
    versions: [2, 3],
  },
  'data files exist or were deleted': {
    make: async ({ table, a }) =>
      table.change({
        operation: 'delete',
        deletes: [await table.equalityDelete('a', [0, 0])],
        checks: { dataFilesExist: [a.path], dataFilesMayBeDeleted: true },
      }),
    conflicts: ['replace a', 'overwrite removes a'],
    versions: [2, 3],
  },
  'a deletion vector for a file': {
    make: async ({ table, a }) => table.change({ operation: 'delete', deletes: [await table.positionDelete(a)] }),
    conflicts: ['positions of a'],
    versions: [3],
  },
  'position deletes of a file': {
    make: async ({ table, a }) => table.change({ operation: 'delete', deletes: [await table.positionDelete(a)] }),
    conflicts: [],
    versions: [2],
  },
  'a file leaves': {
    make: async ({ table, a }) => table.change({ operation: 'delete', removed: [a] }),
    conflicts: ['delete a', 'replace a', 'overwrite removes a'],
  },
};

for (const formatVersion of [1, 2, 3] as const) {
  describe(`in format version ${formatVersion}`, () => {
    for (const [name, { make, conflicts, versions = [1, 2, 3] }] of Object.entries(RULES)) {
      if (!versions.includes(formatVersion)) continue;
      for (const [other, makeOther] of Object.entries(CONCURRENT)) {
        if (formatVersion === 1 && NEEDS_V2.has(other)) continue;
        const meets = conflicts.includes(other);
        for (const when of formatVersion === 2 ? (['before', 'during'] as const) : (['before'] as const)) {
          test(`${name}: '${other}' ${when} the commit is ${meets ? 'a' : 'no'} conflict`, async () => {
            const at = await scene(formatVersion);
            const [change, theirs] = [await make(at), await makeOther(at)];
            if (when === 'before') await at.table.commit([theirs]);
            const ours = at.table.commit([change], async (attempt) => {
              if (when === 'during' && attempt === 1) await at.table.commit([theirs]);
            });
            if (meets) await expect(ours).rejects.toSatisfy(isValidationConflict);
            else expect((await ours).commit.attempts).toBe(when === 'during' ? 2 : 1);
          });
        }
      }
    }
  });
}

describe('the history that conflicts are looked for in', () => {
  test('is looked through once, however often the commit is tried', async () => {
    const at = await scene(2);
    const change = await at.table.change({
      checks: { noNewData: await filter(at, "city = 'c'") },
      add: [await at.table.dataFile('c')],
    });
    const { commit } = await at.table.commit([change], async (attempt) => {
      if (attempt < 4) await at.table.append(await at.table.dataFile('a'));
    });
    expect(commit.attempts).toBe(4);
    const again = await at.table
      .commit([{ ...change, addedData: await at.table.staged([await at.table.dataFile('d')]) }], async () => undefined)
      .catch((error: unknown) => error);
    // The base is the same, and now there is a file of the partition.
    expect(isValidationConflict(again)).toBe(true);
  });

  test('must reach back to the base', async () => {
    const at = await scene(2);
    const change = await at.table.change({
      add: [await at.table.dataFile('a')],
      checks: { noNewData: await filter(at, "city = 'x'") },
    });
    const first = (await at.table.head())!;
    await at.table.append(await at.table.dataFile('b'));
    await at.table.append(await at.table.dataFile('b'));
    const stale = { ...change, baseSnapshotId: (await at.table.head())!.snapshotId };
    await at.table.table.refresh();
    await at.table.table.rollbackTo(first.snapshotId);
    await expect(at.table.commit([stale])).rejects.toSatisfy(isValidationConflict);
    // The base of the other change is the head again.
    expect((await at.table.commit([change])).commit.changed).toBe(true);
  });

  test('may begin with a snapshot that was expired, if what follows it is all there', async () => {
    const at = await scene(2);
    const base = (await at.table.head())!;
    const change = await at.table.change({
      add: [await at.table.dataFile('a')],
      checks: { noNewData: await filter(at, "city = 'x'") },
    });
    const other = await at.table.change({
      add: [await at.table.dataFile('a')],
      checks: { noNewData: await filter(at, "city = 'b'") },
    });
    await at.table.append(await at.table.dataFile('b'));
    await at.table.commitActions([{ build: () => [{ action: 'remove-snapshots', snapshotIds: [base.snapshotId] }] }]);
    await expect(at.table.commit([other])).rejects.toSatisfy(isValidationConflict);
    expect((await at.table.commit([change])).commit.changed).toBe(true);
    await at.table.append(await at.table.dataFile('b'));
    const gap = (await at.table.metadata()).snapshots[0]!;
    await at.table.commitActions([{ build: () => [{ action: 'remove-snapshots', snapshotIds: [gap.snapshotId] }] }]);
    await expect(
      at.table.commit([{ ...change, addedData: await at.table.staged([await at.table.dataFile('a')]) }]),
    ).rejects.toSatisfy(isValidationConflict);
  });

  test('of an empty table is all there is', async () => {
    const table = await ChangeTable.create({ partitioned: true });
    const checks = { noNewData: await filter({ table } as Scene, "city = 'a'") };
    const [first, second] = [
      await table.change({ add: [await table.dataFile('a')], checks }),
      await table.change({ add: [await table.dataFile('a')], checks }),
    ];
    expect((await table.commit([first])).commit.changed).toBe(true);
    await expect(table.commit([second])).rejects.toSatisfy(isValidationConflict);
  });

  test('leaves out what the same transaction did', async () => {
    const at = await scene(2);
    const checks = { noNewData: await filter(at, "city = 'a'") };
    const [first, second] = [
      await at.table.change({ add: [await at.table.dataFile('a')], checks }),
      await at.table.change({ add: [await at.table.dataFile('a')], checks }),
    ];
    const { loaded } = await at.table.commit([first, second]);
    expect(loaded.metadata.snapshots).toHaveLength(3);
    const stale = { ...second, addedData: await at.table.staged([await at.table.dataFile('a')]) };
    await expect(at.table.commit([stale])).rejects.toSatisfy(isValidationConflict);
  });

  test("is looked through below the transaction's own snapshots, which are made anew in each attempt", async () => {
    const at = await scene(2);
    const checks = { noNewData: await filter(at, "city = 'a'") };
    const append = await at.table.change({ operation: 'append', add: [await at.table.dataFile('a')] });
    const checked = await at.table.change({ add: [await at.table.dataFile('a')], checks });
    const lost = at.table.commit([append, checked], async (attempt) => {
      if (attempt === 1) await at.table.append(await at.table.dataFile('a'));
    });
    await expect(lost).rejects.toSatisfy(isValidationConflict);
    const fine = await at.table.change({ add: [await at.table.dataFile('a')], checks });
    const { commit } = await at.table.commit([append, fine], async (attempt) => {
      if (attempt === 1) await at.table.append(await at.table.dataFile('b'));
    });
    expect(commit.attempts).toBe(2);
  });

  test('a column of the filter may be renamed, but not dropped', async () => {
    const table = await ChangeTable.create();
    const file = await table.dataFile('a');
    await table.append(file);
    const schema = currentSchema(await table.metadata());
    const checks = { schema, noNewData: await filter({ table } as Scene, "city = 'x'") };
    const change = await table.change({ removed: [file], operation: 'delete', checks });
    await table.table.refresh();
    await table.table.updateSchema((s) => s.renameColumn('city', 'town'));
    expect((await table.commit([change])).commit.changed).toBe(true);
    const second = await table.change({ add: [await table.dataFile('a')], checks });
    await table.table.refresh();
    await table.table.updateSchema((s) => s.deleteColumn('town'));
    await expect(table.commit([second])).rejects.toSatisfy(isValidationConflict);
  });
});
