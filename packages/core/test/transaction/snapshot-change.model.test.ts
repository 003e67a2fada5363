import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import { toExpression } from '../../src/expr/filter-input.ts';
import { isDeletionVector } from '../../src/manifest/content-problem.ts';
import { partitionKey } from '../../src/scan/partition-key.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import { currentSchema, currentSpec } from '../../src/spec/metadata-accessors.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { isValidationConflict } from '../../src/transaction/conflict.ts';
import { fileKey } from '../../src/transaction/file-key.ts';
import type { RowScope } from '../../src/transaction/row-scope.ts';
import type { SnapshotChange } from '../../src/transaction/snapshot-change.ts';
import { orphans } from '../table/support.ts';
import { ChangeTable } from './change-support.ts';

const CITIES = ['a', 'b', null] as const;

interface Step {
  readonly op:
    | 'append'
    | 'remove'
    | 'overwrite'
    | 'replace'
    | 'positions'
    | 'keys'
    | 'drop partition'
    | 'drop ids'
    | 'upgrade'
    | 'respec';
  readonly city: (typeof CITIES)[number];
  /** Chooses among the live data files. */
  readonly picks: readonly number[];
  readonly count: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.oneof(
    { weight: 5, arbitrary: fc.constant('append' as const) },
    {
      weight: 12,
      arbitrary: fc.constantFrom(
        'remove' as const,
        'overwrite' as const,
        'replace' as const,
        'positions' as const,
        'positions' as const,
        'keys' as const,
        'drop partition' as const,
        'drop ids' as const,
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom('upgrade' as const, 'respec' as const) },
  ),
  city: fc.constantFrom(...CITIES),
  picks: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
  count: fc.integer({ min: 1, max: 3 }),
});

/** Steps of one transaction, and what another writer does between its building and its first attempt to commit. */
const round = fc.record({
  steps: fc.oneof({ weight: 5, arbitrary: fc.tuple(step) }, { weight: 1, arbitrary: fc.tuple(step, step) }),
  meanwhile: fc.option(step, { freq: 3, nil: null }),
});

interface Live {
  readonly file: DataFile;
  readonly sequenceNumber: bigint;
}

type Model = Map<string, Live>;

/** The files that a change leaves in the table; null for a conflict. */
function applied(
  model: Model,
  change: SnapshotChange,
  matches: (file: DataFile) => boolean,
  number: bigint,
): Model | null {
  const after: Model = new Map(model);
  const gone: DataFile[] = [];
  for (const file of change.removed) {
    if (!after.delete(fileKey(file))) return null;
    gone.push(file);
  }
  for (const [key, { file }] of after) {
    if (!matches(file)) continue;
    after.delete(key);
    gone.push(file);
  }
  if (change.removed.length > 0 || change.removeAll) {
    const paths = new Set(gone.filter(({ content }) => content === 'data').map(({ path }) => path));
    const numbers = [...after.values()].filter(({ file }) => file.content === 'data').map((one) => one.sequenceNumber);
    if (change.addedData.length > 0) numbers.push(change.dataSequenceNumber ?? number);
    const min = numbers.reduce((a, b) => (a < b ? a : b), number);
    for (const [key, { file, sequenceNumber }] of after) {
      const isDangling = file.content === 'position-deletes' && paths.has(file.referencedDataFile!);
      if (file.content !== 'data' && (isDangling || (sequenceNumber > 0n && sequenceNumber < min))) after.delete(key);
    }
  }
  for (const { files } of change.addedData) {
    for (const file of files) after.set(fileKey(file), { file, sequenceNumber: change.dataSequenceNumber ?? number });
  }
  for (const { files } of change.addedDeletes) {
    for (const file of files) after.set(fileKey(file), { file, sequenceNumber: number });
  }
  return after;
}

/** A change and, where it has a scope, the files that are in it. */
interface Planned {
  readonly change: SnapshotChange;
  readonly matches: (file: DataFile) => boolean;
}

const nothing = (): boolean => false;

/** Runs steps on a table, with a model of its files beside it. */
class Run {
  readonly table: ChangeTable;
  model: Model = new Map();
  #ids = 0;
  #puffins = 0;
  #rowIds = new Map<string, bigint>();

  constructor(table: ChangeTable) {
    this.table = table;
  }

  async newFiles({ city, count }: Step): Promise<readonly DataFile[]> {
    const files: DataFile[] = [];
    for (let i = 0; i < count; i++) files.push(await this.table.dataFile(city, [this.#ids, (this.#ids += 10) - 1]));
    return files;
  }

  picked({ picks }: Step): readonly DataFile[] {
    const data = [...this.model.values()].map(({ file }) => file).filter(({ content }) => content === 'data');
    return data.length === 0 ? [] : [...new Set(picks.map((pick) => data[pick % data.length]!))];
  }

  async plan(one: Step): Promise<Planned | null> {
    const { table } = this;
    const { formatVersion } = await table.metadata();
    const make = async (...[over]: Parameters<ChangeTable['change']>): Promise<Planned> => ({
      change: await table.change(over),
      matches: nothing,
    });
    switch (one.op) {
      case 'append':
        return make({ operation: 'append', add: await this.newFiles(one) });
      case 'remove':
        return make({ operation: 'delete', removed: this.picked(one) });
      case 'overwrite':
        return make({ removed: this.picked(one), add: await this.newFiles(one) });
      case 'replace': {
        const dataSequenceNumber = (await table.head())?.sequenceNumber ?? 0n;
        const removed = this.picked(one);
        if (removed.length === 0) return null;
        return make({ operation: 'replace', removed, add: await this.newFiles(one), dataSequenceNumber });
      }
      case 'positions':
        return formatVersion === 1 ? null : make(await this.positions(one));
      case 'keys': {
        if (formatVersion === 1) return null;
        const deletes = [await table.equalityDelete(one.city, [0, 5])];
        return make({ deletes, add: await this.newFiles(one) });
      }
      case 'drop partition':
      case 'drop ids':
        return this.planDrop(one);
      default:
        return null;
    }
  }

  /** Deletion vectors of all picked files lie in one Puffin file, and take the place of those that are there. */
  async positions(one: Step): Promise<Parameters<ChangeTable['change']>[0]> {
    const { table } = this;
    const { formatVersion } = await table.metadata();
    const files = this.picked(one);
    const deletes: DataFile[] = [];
    const puffin = `memory:/wh/db/t/data/${this.#puffins++}.puffin`;
    for (const file of files) {
      const place = { path: puffin, offset: 4 + 40 * deletes.length };
      deletes.push(await table.positionDelete(file, formatVersion >= 3 ? place : undefined));
    }
    const about = new Set(files.map(({ path }) => path));
    const old = [...this.model.values()].filter(({ file }) => about.has(file.referencedDataFile ?? ''));
    return { operation: 'delete', deletes, removed: formatVersion >= 3 ? old.map(({ file }) => file) : [] };
  }

  async planDrop(one: Step): Promise<Planned> {
    const { table } = this;
    const metadata = await table.metadata();
    const add = one.count > 2 ? await this.newFiles(one) : [];
    const { removeAll, matches } =
      one.op === 'drop ids' ? await this.dropIds(one) : dropPartition(one, currentSpec(metadata));
    return { change: await table.change({ removeAll, add }), matches };
  }

  async dropIds({ picks }: Step): Promise<{ removeAll: RowScope; matches: (file: DataFile) => boolean }> {
    const below = picks[0]! * 10;
    const schema = currentSchema(await this.table.metadata());
    const filter = bindExpression(schema, toExpression(`id < ${below}`));
    return {
      removeAll: { filter },
      matches: (file) => file.content === 'data' && highest(file) < below,
    };
  }

  /** Commits steps as one transaction. */
  async commit(steps: readonly Step[], meanwhile: Step | null): Promise<void> {
    const { table } = this;
    if (steps.some(({ op }) => op === 'upgrade' || op === 'respec')) return this.evolve(steps[0]!);
    const planned: Planned[] = [];
    for (const one of steps) {
      const plan = await this.plan(one);
      if (plan) planned.push(plan);
    }
    if (planned.length === 0) return;
    const vectorsBefore = new Set([...this.model.values()].filter(({ file }) => isDeletionVector(file)));
    let raced = false;
    const ours = table.commit(
      planned.map(({ change }) => change),
      async () => {
        if (raced || meanwhile === null) return;
        raced = true;
        await this.commit([meanwhile], null);
      },
    );
    const outcome = await ours.catch((error: unknown) => error);
    const expected = await this.expected(planned, vectorsBefore);
    if (expected === null) {
      expect(outcome).toSatisfy(isValidationConflict);
    } else {
      if (outcome instanceof Error) throw outcome;
      this.model = expected;
    }
    await this.check();
  }

  /** The files after the changes; null if there is a conflict. */
  async expected(planned: readonly Planned[], vectorsBefore: ReadonlySet<Live>): Promise<Model | null> {
    const { formatVersion, snapshots } = await this.table.metadata();
    const newVectors = [...this.model.values()].filter((one) => isDeletionVector(one.file) && !vectorsBefore.has(one));
    const taken = new Set(newVectors.map(({ file }) => file.referencedDataFile));
    const changed = (await this.table.operations.load()).metadata;
    // Sequence numbers are those of the snapshots, which are known by now; numbers of ours are the newest.
    let model: Model | null = this.model;
    let number = this.lastNumber;
    for (const { change, matches } of planned) {
      const deletes = change.addedDeletes.flatMap(({ files }) => files);
      if (deletes.some((file) => isDeletionVector(file) !== formatVersion >= 3 && file.content === 'position-deletes'))
        return null;
      if (deletes.some((file) => isDeletionVector(file) && taken.has(file.referencedDataFile))) return null;
      const next: Model | null = applied(model, change, matches, formatVersion === 1 ? 0n : number + 1n);
      if (next === null) return null;
      const isNothing = change.addedData.length + deletes.length === 0 && sameKeys(model, next);
      if (!isNothing) number++;
      model = next;
    }
    this.lastNumber = number;
    expect(snapshots.length).toBeGreaterThanOrEqual(0);
    if (formatVersion > 1) expect(changed.lastSequenceNumber).toBe(number);
    return model;
  }

  lastNumber = 0n;

  async evolve({ op }: Step): Promise<void> {
    const { table } = this.table;
    await table.refresh();
    if (op === 'upgrade') {
      if (table.formatVersion < 3) await table.upgradeFormatVersion((table.formatVersion + 1) as FormatVersion);
    } else if (table.spec.fields.length === 0) {
      await table.updateSpec((p) => p.add(partitionBy.identity('city')));
    } else if (table.formatVersion > 1) {
      await table.updateSpec((p) => p.remove('city'));
    }
    this.lastNumber = table.metadata.lastSequenceNumber;
  }

  async check(): Promise<void> {
    const { table } = this;
    const metadata = await table.metadata();
    const manifests = await table.manifests();
    const live: ManifestEntry[] = [];
    for (const manifest of manifests) {
      const entries = await table.entriesOf(manifest);
      checkManifest(manifest, entries, metadata.currentSnapshotId);
      live.push(...entries.filter(({ status }) => status !== 'deleted'));
    }
    const found = live.map(({ file, sequenceNumber }) => [
      fileKey(file),
      sequenceNumber,
      partitionKey(file.specId, file.partition),
    ]);
    const wanted = [...this.model].map(([key, { file, sequenceNumber }]) => [
      key,
      sequenceNumber,
      partitionKey(file.specId, file.partition),
    ]);
    expect(found.toSorted(byKey)).toEqual(wanted.toSorted(byKey));
    if (metadata.formatVersion >= 3 && metadata.snapshots.at(-1)?.firstRowId != null)
      this.checkRowIds(live, metadata.nextRowId);
    await this.checkTotals();
  }

  /** Ranges of row ids don't overlap, and no file's ever changes. */
  checkRowIds(live: readonly ManifestEntry[], nextRowId: bigint): void {
    const ranges: (readonly [bigint, bigint])[] = [];
    for (const { file } of live) {
      if (file.content !== 'data') {
        expect(file.firstRowId).toBeNull();
        continue;
      }
      expect(file.firstRowId).not.toBeNull();
      const known = this.#rowIds.get(file.path);
      if (known !== undefined) expect(file.firstRowId).toBe(known);
      this.#rowIds.set(file.path, file.firstRowId!);
      ranges.push([file.firstRowId!, file.firstRowId! + BigInt(file.recordCount)]);
    }
    ranges.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [i, [start]] of ranges.entries()) if (i > 0) expect(start).toBeGreaterThanOrEqual(ranges[i - 1]![1]);
    if (ranges.length > 0) expect(ranges.at(-1)![1]).toBeLessThanOrEqual(nextRowId);
  }

  async checkTotals(): Promise<void> {
    const summary = (await this.table.head())?.summary;
    if (summary === undefined) return expect(this.model.size).toBe(0);
    const files = [...this.model.values()].map(({ file }) => file);
    const count = (content: DataFile['content']): readonly DataFile[] =>
      files.filter((file) => file.content === content);
    const rows = (some: readonly DataFile[]): string => String(some.reduce((sum, file) => sum + file.recordCount, 0));
    expect(summary).toMatchObject({
      'total-data-files': String(count('data').length),
      'total-delete-files': String(files.length - count('data').length),
      'total-records': rows(count('data')),
      'total-position-deletes': rows(count('position-deletes')),
      'total-equality-deletes': rows(count('equality-deletes')),
      'total-files-size': String(
        files.reduce((sum, file) => sum + (file.contentSizeInBytes ?? file.fileSizeInBytes), 0),
      ),
    });
  }
}

function dropPartition(
  { city }: Step,
  { specId, fields }: PartitionSpec,
): { removeAll: RowScope; matches: (file: DataFile) => boolean } {
  const tuple = fields.map(({ transform }) => (transform.kind === 'void' ? null : city));
  return {
    removeAll: { partitions: [{ specId, tuple }] },
    matches: (file) => partitionKey(file.specId, file.partition) === partitionKey(specId, tuple),
  };
}

function highest(file: DataFile): number {
  return Number(new DataView(file.upperBounds!.get(1)!.buffer).getBigInt64(0, true));
}

function sameKeys(a: Model, b: Model): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}

function byKey(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

/** What the manifest list says of a manifest is so, and only the snapshot that deletes an entry has it as deleted. */
function checkManifest(manifest: ManifestFile, entries: readonly ManifestEntry[], head: bigint | null): void {
  const ofStatus = (status: ManifestEntry['status']): readonly ManifestEntry[] =>
    entries.filter((entry) => entry.status === status);
  expect(ofStatus('added').length).toBe(manifest.addedFilesCount);
  expect(ofStatus('existing').length).toBe(manifest.existingFilesCount);
  expect(ofStatus('deleted').length).toBe(manifest.deletedFilesCount);
  if (manifest.addedSnapshotId !== head)
    expect(ofStatus('added').length + ofStatus('existing').length).toBeGreaterThan(0);
  const numbers = entries.filter(({ status }) => status !== 'deleted').map(({ sequenceNumber }) => sequenceNumber);
  for (const number of numbers) expect(number).toBeGreaterThanOrEqual(manifest.minSequenceNumber);
}

test.each([1, 2, 3] as const)('a table is what its changes made of it (format version %i)', async (formatVersion) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 3, maxLength: 14 }),
      fc.integer({ min: 2, max: 4 }),
      fc.boolean(),
      async (rounds, minCount, partitioned) => {
        const properties = { 'commit.manifest.min-count-to-merge': String(minCount) };
        const run = new Run(await ChangeTable.create({ formatVersion, partitioned, properties }));
        for (const { steps, meanwhile } of rounds) await run.commit(steps, meanwhile);
        const { table } = run.table;
        await table.refresh();
        expect(await orphans(table, run.table.io)).toEqual([]);
      },
    ),
    { numRuns: 15 },
  );
});
