import fc from 'fast-check';
import { bindExpression } from '../../src/expr/bind.ts';
import { toExpression } from '../../src/expr/filter-input.ts';
import { isDeletionVector } from '../../src/manifest/content-problem.ts';
import { partitionKey } from '../../src/scan/partition-key.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { currentSchema, currentSpec } from '../../src/spec/metadata-accessors.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { isValidationConflict } from '../../src/transaction/conflict.ts';
import { fileKey } from '../../src/transaction/file-key.ts';
import type { RowScope } from '../../src/transaction/row-scope.ts';
import type { SnapshotChange } from '../../src/transaction/snapshot-change.ts';
import type { ChangeTable } from './change-support.ts';
import { checkTable } from './table-checks.ts';

const CITIES = ['a', 'b', null] as const;

export interface Step {
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

export interface Round {
  readonly steps: readonly Step[];
  readonly meanwhile: Step | null;
}

/** Steps of one transaction, and what another writer does between its building and its first attempt to commit. */
export const round: fc.Arbitrary<Round> = fc.record({
  steps: fc.oneof({ weight: 5, arbitrary: fc.tuple(step) }, { weight: 1, arbitrary: fc.tuple(step, step) }),
  meanwhile: fc.option(step, { freq: 3, nil: null }),
});

export interface Live {
  readonly file: DataFile;
  readonly sequenceNumber: bigint;
}

export type Model = Map<string, Live>;

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
export class ChangeModel {
  readonly table: ChangeTable;
  model: Model = new Map();
  #ids = 0;
  #puffins = 0;
  /** By path, from the first time that it was seen. */
  readonly rowIds: Map<string, bigint> = new Map();
  lastNumber = 0n;

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
    const base = await table.head();
    let raced = false;
    let getRowIds = false;
    const ours = table.commit(
      planned.map(({ change }) => change),
      async () => {
        if (raced || meanwhile === null) return;
        raced = true;
        await this.commit([meanwhile], null);
        getRowIds = base?.firstRowId === null && (await table.head())!.firstRowId !== null;
      },
    );
    const outcome = await ours.catch((error: unknown) => error);
    const losesRowIds = getRowIds && planned.some(({ change }) => rewritesRows(change));
    const expected = losesRowIds ? null : await this.expected(planned, vectorsBefore);
    if (expected === null) {
      if (!isValidationConflict(outcome)) throw new Error('The commit should have met a conflict.', { cause: outcome });
    } else {
      if (outcome instanceof Error) throw outcome;
      this.model = expected;
    }
    await checkTable(this);
  }

  /** The files after the changes; null if there is a conflict. */
  async expected(planned: readonly Planned[], vectorsBefore: ReadonlySet<Live>): Promise<Model | null> {
    const { formatVersion, lastSequenceNumber } = await this.table.metadata();
    const newVectors = [...this.model.values()].filter((one) => isDeletionVector(one.file) && !vectorsBefore.has(one));
    const taken = new Set(newVectors.map(({ file }) => file.referencedDataFile));
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
    if (formatVersion > 1 && lastSequenceNumber !== number)
      throw new Error(`${lastSequenceNumber}, not ${number} snapshots`);
    return model;
  }

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

function rewritesRows({ addedData, addedDeletes, removed }: SnapshotChange): boolean {
  return addedData.length > 0 && addedDeletes.length + removed.length > 0;
}

function sameKeys(a: Model, b: Model): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}
