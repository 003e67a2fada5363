import * as fc from 'fast-check';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import type { PartitionFieldInput } from '../../../src/spec/inputs.ts';
import { t } from '../../../src/spec/schema-builder.ts';
import type { Table } from '../../../src/table.ts';
import type { Commit } from '../../../src/transaction/commit.ts';
import type { RowLevelMode } from '../../../src/transaction/operations/row-level-settings.ts';
import { cities, content, filter, k, sameContent, x } from './model.ts';
import type { ModelRow, TrackedRow } from './model.ts';

export type ModelTable = Table<ModelRow>;

export interface StepContext {
  readonly table: ModelTable;
  /** The model's rows, as they were when the operation became visible: others may have changed them meanwhile. */
  readonly rows: readonly ModelRow[];
  readonly branch: string | undefined;
  /** What the snapshots of the table should hold. */
  readonly history: ReadonlyMap<bigint, readonly ModelRow[]>;
  readonly newId: () => bigint;
}

export interface StepResult {
  readonly rows: readonly TrackedRow[];
  readonly commit: Pick<Commit, 'changed'>;
  /** Whether there was anything to do. */
  readonly changes: boolean;
  /** The rows are those of an earlier snapshot, and so is their lineage. */
  readonly restores?: boolean;
}

/** One operation on the table, and on the model. Printed by its name and arguments. */
export interface Step {
  readonly name: string;
  /** What it does is decided by what it finds in the table before: nobody may come in between. */
  readonly alone?: true;
  readonly run: (context: StepContext) => Promise<StepResult | null>;
}

const kept = (row: ModelRow): TrackedRow => ({ row, fate: 'kept' });
const fresh = (row: ModelRow): TrackedRow => ({ row, fate: 'new' });

const mode: fc.Arbitrary<RowLevelMode | undefined> = fc.constantFrom(undefined, 'copy-on-write', 'merge-on-read');

interface Options {
  readonly branch?: string;
  readonly mode?: RowLevelMode;
}

function optionsOf({ table, branch }: StepContext, wanted: RowLevelMode | undefined): Options {
  const possible = wanted === 'merge-on-read' && table.formatVersion === 1 ? undefined : wanted;
  return { ...(branch !== undefined && { branch }), ...(possible && { mode: possible }) };
}

function withIds(contents: readonly Omit<ModelRow, 'id'>[], { newId }: StepContext): readonly ModelRow[] {
  return contents.map((one) => ({ id: newId(), ...one }));
}

const contents = fc.array(content, { maxLength: 6 });

export const append: fc.Arbitrary<Step> = contents.map((added) => ({
  name: `append ${added.length}`,
  run: async (context) => {
    const rows = withIds(added, context);
    const commit = await context.table.append(rows, optionsOf(context, undefined));
    return { commit, rows: [...context.rows.map(kept), ...rows.map(fresh)], changes: rows.length > 0 };
  },
}));

export const remove: fc.Arbitrary<Step> = fc.tuple(filter, mode).map(([{ expression, test }, how]) => ({
  name: `delete ${how}`,
  run: async (context) => {
    const commit = await context.table.delete(expression, optionsOf(context, how));
    const left = context.rows.filter((row) => test(row) !== true);
    return { commit, rows: left.map(kept), changes: left.length < context.rows.length };
  },
}));

type Assigned = { readonly [C in keyof ModelRow]?: ModelRow[C] | ((row: ModelRow) => ModelRow[C]) };

const assigned: fc.Arbitrary<Assigned> = fc.oneof(
  fc.record({ city: fc.constantFrom(null, ...cities) }),
  fc.record({ k, x }),
  fc.constant<Assigned>({ k: (row) => (row.k === null ? null : row.k + 1), city: (row) => row.city && `${row.city}!` }),
);

export const update: fc.Arbitrary<Step> = fc
  .tuple(filter, assigned, mode)
  .map(([{ expression, test }, assignments, how]) => ({
    name: `update ${how} ${Object.keys(assignments).join()}`,
    run: async (context) => {
      const commit = await context.table.update(expression, assignments, optionsOf(context, how));
      const matches = context.rows.filter((row) => test(row) === true);
      const rows = context.rows.map((row): TrackedRow => {
        if (test(row) !== true) return kept(row);
        const values = Object.entries(assignments).map(([name, value]) => [
          name,
          typeof value === 'function' ? value(row) : value,
        ]);
        return { row: { ...row, ...(Object.fromEntries(values) as object) }, fate: 'updated' };
      });
      return { commit, rows, changes: matches.length > 0 };
    },
  }));

export const upsert: fc.Arbitrary<Step> = fc
  .tuple(
    fc.uniqueArray(fc.record({ index: fc.nat(30), content: fc.option(content) }), {
      maxLength: 6,
      selector: ({ index }) => index,
    }),
    contents,
    mode,
  )
  .map(([changes, others, how]) => ({
    name: `upsert ${how} ${changes.length} ${others.length}`,
    run: async (context) => {
      const touched = changes.flatMap(({ index, content: one }) => {
        const row = context.rows[index];
        return row === undefined ? [] : [{ ...row, ...one }];
      });
      const inserted = withIds(others, context);
      const byId = new Map(touched.map((row) => [row.id, row]));
      const commit = await context.table.upsert([...inserted, ...touched], { on: 'id', ...optionsOf(context, how) });
      const rows = context.rows.map((row): TrackedRow => {
        const after = byId.get(row.id);
        byId.delete(row.id);
        return after === undefined || sameContent(row, after) ? kept(row) : { row: after, fate: 'updated' };
      });
      const updates = rows.some(({ fate }) => fate === 'updated');
      const added = [...inserted, ...byId.values()];
      return { commit, rows: [...rows, ...added.map(fresh)], changes: updates || added.length > 0 };
    },
  }));

/** The source: at most one row for each k, any number with a null. `gone` is a column of the source only. */
const source = fc.uniqueArray(fc.record({ content, gone: fc.constantFrom(true, false, null) }), {
  maxLength: 6,
  comparator: (a, b) => a.content.k !== null && a.content.k === b.content.k,
});

export const merge: fc.Arbitrary<Step> = fc
  .tuple(source, fc.boolean(), fc.boolean(), mode)
  .map(([given, deletes, inserts, how]) => ({
    name: `merge ${how} ${given.length} ${deletes} ${inserts}`,
    run: async (context) => {
      const changes = given.map((one) => ({ id: context.newId(), ...one.content, gone: one.gone }));
      const commit = await context.table.merge<(typeof changes)[number]>(changes, {
        on: ['k'],
        whenMatched: [
          ...(deletes
            ? [{ if: (_: ModelRow, s: { readonly gone: boolean | null }) => s.gone, delete: true as const }]
            : []),
          { if: (target) => target.city !== '', update: { city: (_, s) => s.city, x: (target) => target.x } },
        ],
        ...(inserts && {
          whenNotMatched: [{ if: (s) => s.gone !== true, insert: { id: (s) => s.id, k: (s) => s.k, x: 2.25 } }],
        }),
        ...optionsOf(context, how),
      });
      const found = new Set<unknown>();
      const rows = context.rows.flatMap((row): TrackedRow[] => {
        const change = row.k === null ? undefined : changes.find((one) => one.k === row.k);
        if (change === undefined) return [kept(row)];
        found.add(change);
        if (deletes && change.gone) return [];
        if (row.city === '' || row.city === change.city) return [kept(row)];
        return [{ row: { ...row, city: change.city }, fate: 'updated' }];
      });
      const missing = inserts ? changes.filter((one) => !found.has(one) && one.gone !== true) : [];
      const inserted = missing.map((one): ModelRow => ({ id: one.id, k: one.k, city: null, x: 2.25 }));
      const changed = rows.length < context.rows.length || rows.some(({ fate }) => fate === 'updated');
      return { commit, rows: [...rows, ...inserted.map(fresh)], changes: changed || inserted.length > 0 };
    },
  }));

export const overwrite: fc.Arbitrary<Step> = fc.tuple(fc.option(filter), contents, mode).map(([scope, added, how]) => ({
  name: `overwrite ${how} ${added.length}`,
  run: async (context) => {
    const rows = withIds(added, context);
    const options = { ...optionsOf(context, how), ...(scope && { filter: scope.expression }) };
    const commit = await context.table.overwrite(rows, options);
    const left = context.rows.filter((row) => scope !== null && scope.test(row) !== true);
    const changes = rows.length > 0 || left.length < context.rows.length;
    return { commit, rows: [...left.map(kept), ...rows.map(fresh)], changes };
  },
}));

/** What the columns of a spec say of a row. */
const SPECS: readonly { readonly fields: readonly PartitionFieldInput[]; readonly key: (row: ModelRow) => string }[] = [
  { fields: [], key: () => '' },
  { fields: [partitionBy.identity('city')], key: (row) => String(row.city) },
  { fields: [partitionBy.identity('k')], key: (row) => String(row.k) },
  {
    fields: [partitionBy.truncate(3, 'city'), partitionBy.identity('k')],
    key: (row) => `${row.city?.slice(0, 3)} ${row.k}`,
  },
];

function specOf(table: ModelTable): (typeof SPECS)[number] {
  const transforms = table.spec.fields.filter(({ transform }) => transform.kind !== 'void');
  const names = transforms.map(({ sourceIds, transform }) => `${sourceIds[0]}${transform.kind}`).join();
  return { '': SPECS[0]!, '3identity': SPECS[1]!, '2identity': SPECS[2]! }[names] ?? SPECS[3]!;
}

export const respec: fc.Arbitrary<Step> = fc.constantFrom(...SPECS).map(({ fields }) => ({
  name: `respec ${fields.map(({ column }) => column).join()}`,
  alone: true,
  run: async ({ table }) => {
    await table.updateSpec((p) => {
      for (const field of table.spec.fields) if (field.transform.kind !== 'void') p.remove(field.name);
      // A name that is taken by a dropped field of v1 can't be given again.
      fields.forEach((field, i) => p.add({ ...field, name: `p${table.metadata.lastPartitionId}_${i}` }));
      return p;
    });
    return null;
  },
}));

export const overwritePartitions: fc.Arbitrary<Step> = contents.map((added) => ({
  name: `overwritePartitions ${added.length}`,
  alone: true,
  run: async (context) => {
    const rows = withIds(added, context);
    const { key } = specOf(context.table);
    const replaced = new Set(rows.map(key));
    const commit = await context.table.overwritePartitions(rows, optionsOf(context, undefined));
    const left = context.rows.filter((row) => !replaced.has(key(row)));
    return { commit, rows: [...left.map(kept), ...rows.map(fresh)], changes: rows.length > 0 };
  },
}));

export const equalityDeletes: fc.Arbitrary<Step> = fc
  .tuple(fc.uniqueArray(k, { maxLength: 3 }), contents)
  .map(([keys, added]) => ({
    name: `rowDelta by key ${keys.join()}`,
    alone: true,
    run: async (context) => {
      const { table } = context;
      if (table.formatVersion === 1 || table.spec.fields.some(({ transform }) => transform.kind !== 'void'))
        return null;
      const rows = withIds(added, context);
      const delta = { rows, equalityDeletes: { fields: ['k'], rows: keys.map((key) => ({ k: key })) } };
      const commit = await table.rowDelta(delta, optionsOf(context, undefined));
      const left = context.rows.filter((row) => !keys.includes(row.k));
      return { commit, rows: [...left.map(kept), ...rows.map(fresh)], changes: rows.length + keys.length > 0 };
    },
  }));

export const positionDeletes: fc.Arbitrary<Step> = fc.uniqueArray(fc.nat(20), { maxLength: 4 }).map((indexes) => ({
  name: `rowDelta by position ${indexes.join()}`,
  alone: true,
  run: async (context) => {
    const { table, branch } = context;
    if (table.formatVersion === 1) return null;
    const places = await table
      .scan({ select: ['id', '_file', '_pos'], ...(branch !== undefined && { ref: branch }) })
      .toRows();
    const gone = indexes.flatMap((index) => places[index] ?? []);
    const commit = await table.rowDelta(
      { positionDeletes: gone.map((row) => ({ file: row._file, pos: row._pos })) },
      optionsOf(context, undefined),
    );
    const left = context.rows.filter((row) => gone.every(({ id }) => id !== row.id));
    return { commit, rows: left.map(kept), changes: gone.length > 0 };
  },
}));

export const upgrade: fc.Arbitrary<Step> = fc.constant({
  name: 'upgrade',
  alone: true,
  run: async ({ table }: StepContext) => {
    if (table.formatVersion < 3) await table.upgradeFormatVersion(table.formatVersion === 1 ? 2 : 3);
    return null;
  },
});

/** A column that was added, if there is one. */
function addedColumn({ schema }: ModelTable): string | undefined {
  return schema.fields.map(({ name }) => name).find((name) => name.startsWith('more_'));
}

/** Changes of the schema that no row shows. */
const EVOLUTIONS: Readonly<Record<string, (table: ModelTable) => Promise<unknown>>> = {
  'add a column': (table) => table.updateSchema((s) => s.addColumn(`more_${table.metadata.lastColumnId}`, t.string())),
  async 'drop a column'(table) {
    const name = addedColumn(table);
    if (name !== undefined) await table.updateSchema((s) => s.deleteColumn(name));
  },
  async 'rename a column'(table) {
    const name = addedColumn(table);
    const { lastColumnId, schemas } = table.metadata;
    const other = `more_${lastColumnId}_${schemas.length}`;
    if (name !== undefined) await table.updateSchema((s) => s.renameColumn(name, other));
  },
  'move a column': (table) => table.updateSchema((s) => s.moveFirst('x')),
  'order by columns': (table) => table.updateSortOrder(['city', { field: 'k', direction: 'desc' }]),
};

export const evolve: fc.Arbitrary<Step> = fc.constantFrom(...Object.keys(EVOLUTIONS)).map((name) => ({
  name,
  alone: true,
  run: async ({ table }: StepContext) => {
    await EVOLUTIONS[name]!(table);
    return null;
  },
}));

/** Takes main back; branches have no rollback. */
export const rollback: fc.Arbitrary<Step> = fc.nat(100).map((index) => ({
  name: `rollback ${index}`,
  alone: true,
  run: async ({ table, branch, history }) => {
    if (branch !== undefined) return null;
    const earlier = table.history().filter((entry) => entry.isCurrentAncestor && history.has(entry.snapshotId));
    const { snapshotId } = earlier[index % earlier.length]!;
    const changes = snapshotId !== table.currentSnapshot()?.snapshotId;
    const commit = await table.rollbackTo(snapshotId);
    return { commit, rows: history.get(snapshotId)!.map(kept), changes, restores: true };
  },
}));

/** Write, audit, publish. */
export const publish: fc.Arbitrary<Step> = contents.map((some) => ({
  name: `publish ${some.length}`,
  run: async (context) => {
    const rows = withIds(some, context);
    const wapId = `wap ${context.newId()}`;
    const options = optionsOf(context, undefined);
    const staged = await context.table.append(rows, { ...options, wapId });
    const commit = staged.changed ? await context.table.publishChanges(wapId, options) : staged;
    return { commit, rows: [...context.rows.map(kept), ...rows.map(fresh)], changes: rows.length > 0 };
  },
}));

const rewriting = fc.record({
  strategy: fc.constantFrom('binpack', 'sort', 'zorder'),
  options: fc.record(
    {
      rewriteAll: fc.constant(true),
      minInputFiles: fc.constantFrom(1, 2, 3),
      targetFileSizeBytes: fc.constantFrom(300, 2000, 4000),
      maxFileGroupInputFiles: fc.constantFrom(1, 2, 3),
      deleteFileThreshold: fc.constant(1),
      useStartingSequenceNumber: fc.boolean(),
      removeDanglingDeletes: fc.boolean(),
      partialProgress: fc.record({ enabled: fc.boolean(), maxCommits: fc.constantFrom(1, 2) }),
      jobOrder: fc.constantFrom('bytes-asc', 'files-desc'),
    },
    { requiredKeys: [] },
  ),
  where: fc.option(filter),
  spec: fc.option(fc.nat(5)),
});

/** Changes files, and no row. */
export const rewriteFiles: fc.Arbitrary<Step> = rewriting.map(({ strategy, options, where, spec }) => ({
  name: `rewriteDataFiles ${strategy} ${JSON.stringify(options)}`,
  run: async (context) => {
    const { table, branch } = context;
    const specs = table.metadata.partitionSpecs;
    const report = await table.rewriteDataFiles({
      ...options,
      ...ARRANGEMENTS[strategy],
      ...(where && { where: where.expression }),
      ...(spec !== null && { outputSpecId: specs[spec % specs.length]!.specId }),
      branch,
    });
    const changes = report.snapshotIds.length > 0;
    if (report.failedDataFilesCount > 0) throw new Error('Every group goes through in the end.');
    return { commit: { changed: changes }, rows: context.rows.map(kept), changes };
  },
}));

const ARRANGEMENTS = {
  binpack: { strategy: 'binpack' },
  sort: { strategy: 'sort', sortBy: ['city', { field: 'x', direction: 'desc' }] },
  zorder: { strategy: 'zorder', zOrderBy: ['city', 'x', 'k'] },
} as const;

/** Several operations in one transaction; each sees what the ones before did. */
export const transaction: fc.Arbitrary<Step> = fc
  .tuple(filter, contents, filter, k, mode)
  .map(([first, added, second, value, how]) => ({
    name: `transaction ${how}`,
    alone: true,
    run: async (context) => {
      const { mode: possible, ...options } = optionsOf(context, how);
      const rows = withIds(added, context);
      const commit = await context.table.transaction(async (tx) => {
        await tx.delete(first.expression, { mode: possible });
        await tx.append(rows);
        await tx.update(second.expression, { k: value }, { mode: possible });
      }, options);
      const left = context.rows.filter((row) => first.test(row) !== true);
      const all = [...left.map(kept), ...rows.map(fresh)];
      const updated = all.filter(({ row }) => second.test(row) === true);
      const after = all.map(({ row, fate }): TrackedRow => {
        if (second.test(row) !== true) return { row, fate };
        return { row: { ...row, k: value }, fate: fate === 'new' ? 'new' : 'updated' };
      });
      const changes = left.length < context.rows.length || rows.length + updated.length > 0;
      return { commit, rows: after, changes };
    },
  }));

/** Prints by its name. */
export const named = (step: Step): Step => Object.assign({ [fc.toStringMethod]: () => step.name }, step);
