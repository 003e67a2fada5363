import type { ColumnBatch } from '../columns/column.ts';
import { takeBatch } from '../columns/take.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { isUnpartitioned } from '../spec/partition-spec.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import type { StructType } from '../spec/types.ts';
import type { ChangedRows, PlannedChanges } from './plan-changes.ts';
import { HASH_WORDS } from './row-hash.ts';
import { RowCounts } from './row-counts.ts';
import type { HashedRows, RowReader } from './row-reader.ts';

/** Rows that were deleted, or inserted. */
export interface ChangedBatch {
  readonly type: 'delete' | 'insert';
  readonly batch: ColumnBatch;
}

export interface DifferenceOptions {
  readonly reader: RowReader;
  /** The schema of the rows. */
  readonly schema: StructType;
  /** Rows that are counted at a time: some 40 bytes each. */
  readonly maxCounted?: number;
}

const MAX_COUNTED = 2_000_000;

/**
 * Reads what a step changed: first the deleted rows, then the inserted ones. Rows that are among both, as rewritten
 * files carry them over, are left out: the result is the difference of two multisets. Where only one of the two can have
 * rows, none is compared. Else the fewer ones are counted by their hashes, in several passes over the files if there are
 * too many for memory.
 */
export async function* changedBatches(
  planned: PlannedChanges,
  options: DifferenceOptions,
): AsyncGenerator<ChangedBatch, void, undefined> {
  const { reader } = options;
  const { alone, compared } = arrange(planned, options);
  const comparisons = compared.map((one) => new Comparison(one, reader, options.maxCounted ?? MAX_COUNTED));
  for (const rows of alone.deleted) for await (const batch of reader.rows(rows)) yield { type: 'delete', batch };
  for (const one of comparisons) for await (const batch of one.deleted()) yield { type: 'delete', batch };
  for (const rows of alone.inserted) for await (const batch of reader.rows(rows)) yield { type: 'insert', batch };
  for (const one of comparisons) for await (const batch of one.inserted()) yield { type: 'insert', batch };
}

interface Arranged {
  readonly alone: PlannedChanges;
  readonly compared: readonly PlannedChanges[];
}

/** What has to be compared with what: within a partition, where equal rows are sure to be in the same one. */
function arrange(planned: PlannedChanges, { schema, maxCounted = MAX_COUNTED }: DifferenceOptions): Arranged {
  const { deleted, inserted } = planned;
  if (deleted.length === 0 || inserted.length === 0) return { alone: planned, compared: [] };
  if (!arePartitionsApart([...deleted, ...inserted], schema)) {
    return { alone: { deleted: [], inserted: [] }, compared: [planned] };
  }
  const groups = [...byPartition(planned).values()];
  const both = groups.filter((one) => one.deleted.length > 0 && one.inserted.length > 0);
  const single = groups.filter((one) => !both.includes(one));
  // At once if there is memory: a file that is read for several reasons is read once more for each of them.
  const together = joined(both);
  const fits = Math.min(rowCount(together.deleted), rowCount(together.inserted)) <= maxCounted;
  return { alone: joined(single), compared: both.length > 1 && !fits ? both : both.length > 0 ? [together] : [] };
}

/**
 * Whether rows of different partitions surely differ: they do where they are of one spec, all of whose source columns
 * the rows have.
 */
function arePartitionsApart(rows: readonly ChangedRows[], schema: StructType): boolean {
  const spec: PartitionSpec = rows[0]!.task.spec;
  if (isUnpartitioned(spec) || rows.some(({ task }) => task.spec.specId !== spec.specId)) return false;
  return spec.fields.every(({ transform, sourceIds }) => {
    return transform.kind !== 'unknown' && sourceIds.every((id) => findField(schema, id) !== undefined);
  });
}

function byPartition({ deleted, inserted }: PlannedChanges): ReadonlyMap<string, PlannedChanges> {
  const groups = new Map<string, { deleted: ChangedRows[]; inserted: ChangedRows[] }>();
  const groupOf = ({ task: { file } }: ChangedRows) => {
    const key = partitionKey(file.specId, file.partition);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { deleted: [], inserted: [] }));
    return group;
  };
  for (const rows of deleted) groupOf(rows).deleted.push(rows);
  for (const rows of inserted) groupOf(rows).inserted.push(rows);
  return groups;
}

function joined(parts: readonly PlannedChanges[]): PlannedChanges {
  return { deleted: parts.flatMap((one) => one.deleted), inserted: parts.flatMap((one) => one.inserted) };
}

/** At most so many. */
function rowCount(rows: readonly ChangedRows[]): number {
  return rows.reduce((sum, { task, deletedBy }) => sum + candidates(task.file.recordCount, deletedBy), 0);
}

function candidates(recordCount: number, deletedBy: ChangedRows['deletedBy']): number {
  if (deletedBy === null || deletedBy.files.some(({ file }) => file.content === 'equality-deletes')) return recordCount;
  return Math.min(
    recordCount,
    deletedBy.files.reduce((sum, { file }) => sum + file.recordCount, 0),
  );
}

/** The part of the rows, by their hashes, that is looked at in one pass. */
interface Pass {
  readonly index: number;
  readonly of: number;
}

/** Deleted rows that may have been inserted again. `deleted` comes before `inserted`. */
class Comparison {
  readonly #planned: PlannedChanges;
  readonly #read: (changed: ChangedRows) => AsyncIterable<HashedRows>;
  readonly #passes: readonly Pass[];
  readonly #insertsAreFewer: boolean;
  /** After a single pass over the deleted rows: what is left of the inserted ones. */
  #left: RowCounts | null = null;

  constructor(planned: PlannedChanges, reader: RowReader, maxCounted: number) {
    const [deleted, inserted] = [rowCount(planned.deleted), rowCount(planned.inserted)];
    const of = Math.max(1, Math.ceil(Math.min(deleted, inserted) / maxCounted));
    this.#planned = planned;
    this.#read = reader.replaying();
    this.#insertsAreFewer = inserted <= deleted;
    this.#passes = Array.from({ length: of }, (_, index) => ({ index, of }));
  }

  async *deleted(): AsyncGenerator<ColumnBatch, void, undefined> {
    const { deleted, inserted } = this.#planned;
    for (const pass of this.#passes) {
      if (!this.#insertsAreFewer) {
        yield* this.#taken(deleted, await this.#countLeft(deleted, inserted, pass), pass);
        continue;
      }
      const counts = await this.#count(inserted, pass);
      yield* this.#select(deleted, pass, (hashes, at) => !counts.take(hashes, at));
      if (pass.of === 1) this.#left = counts;
    }
  }

  async *inserted(): AsyncGenerator<ColumnBatch, void, undefined> {
    const { deleted, inserted } = this.#planned;
    for (const pass of this.#passes) {
      if (this.#insertsAreFewer) {
        yield* this.#taken(inserted, this.#left ?? (await this.#countLeft(inserted, deleted, pass)), pass);
        continue;
      }
      const counts = await this.#count(deleted, pass);
      yield* this.#select(inserted, pass, (hashes, at) => !counts.take(hashes, at));
    }
  }

  /** Those rows that are still counted. */
  #taken(files: readonly ChangedRows[], counts: RowCounts, pass: Pass): AsyncGenerator<ColumnBatch, void, undefined> {
    const isDone = (): boolean => counts.total === 0;
    return this.#select(files, pass, (hashes, at) => counts.take(hashes, at), isDone);
  }

  async #count(files: readonly ChangedRows[], pass: Pass): Promise<RowCounts> {
    const counts = new RowCounts(rowCount(files) / pass.of);
    await this.#each(files, pass, (hashes, at) => counts.add(hashes, at));
    return counts;
  }

  /** How many there are of each row of some files when those of others have been taken away. */
  async #countLeft(files: readonly ChangedRows[], others: readonly ChangedRows[], pass: Pass): Promise<RowCounts> {
    const counts = await this.#count(files, pass);
    await this.#each(others, pass, (hashes, at) => void counts.take(hashes, at));
    return counts;
  }

  async #each(
    files: readonly ChangedRows[],
    pass: Pass,
    visit: (hashes: Int32Array, at: number) => void,
  ): Promise<void> {
    for (const file of files) {
      for await (const { hashes } of this.#read(file)) {
        for (let at = 0; at < hashes.length; at += HASH_WORDS) if (isIn(pass, hashes, at)) visit(hashes, at);
      }
    }
  }

  async *#select(
    files: readonly ChangedRows[],
    pass: Pass,
    isWanted: (hashes: Int32Array, at: number) => boolean,
    isDone: () => boolean = () => false,
  ): AsyncGenerator<ColumnBatch, void, undefined> {
    for (const file of files) {
      if (isDone()) return;
      for await (const { rows, hashes } of this.#read(file)) {
        const selected: number[] = [];
        for (let at = 0; at < hashes.length; at += HASH_WORDS) {
          if (isIn(pass, hashes, at) && isWanted(hashes, at)) selected.push(at / HASH_WORDS);
        }
        if (selected.length > 0) {
          yield selected.length === rows.length ? rows : takeBatch(rows, Int32Array.from(selected));
        }
        if (isDone()) return;
      }
    }
  }
}

/** By the last word: the table of counts goes by the first. */
function isIn({ index, of }: Pass, hashes: Int32Array, at: number): boolean {
  return of === 1 || (hashes[at + HASH_WORDS - 1]! >>> 0) % of === index;
}
