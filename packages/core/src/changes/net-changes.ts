import { batchBytes } from '../columns/column.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { concatBatches } from '../columns/concat.ts';
import { findColumn } from '../columns/find-column.ts';
import { takeBatch } from '../columns/take.ts';
import { LakehouseError } from '../errors.ts';
import type { Schema } from '../spec/schema.ts';
import { withChanges } from './change-columns.ts';
import type { ChangeType, ChangeValues } from './change-columns.ts';
import { HASH_WORDS, hashRows } from './row-hash.ts';

/** Rows of one snapshot that were deleted, or inserted, with all columns of their schema. */
export interface RowChanges {
  readonly type: 'delete' | 'insert';
  readonly ordinal: number;
  readonly snapshotId: bigint;
  readonly batch: ColumnBatch;
}

export interface NetChangesOptions {
  /** Of the rows; metadata columns may follow. */
  readonly schema: Schema;
  /** The columns that tell which rows are the same one. */
  readonly keyIds: readonly number[];
  /** Leaves what is wanted of the rows. */
  readonly project: (batch: ColumnBatch) => ColumnBatch;
  /** Rows that are held at a time, in bytes. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** What a row costs besides its values: an estimate. */
const ROW_OVERHEAD = 200;
const MAX_PARTS = 2 ** 16;
const BATCH_ROWS = 8192;

/** The keys, by their hashes, that are looked at together. */
interface Part {
  readonly index: number;
  readonly of: number;
}

/**
 * What changes come to for each key: what was undone again is left out; where a row was deleted and another one inserted
 * that is an update, of two images that follow each other. If keys are not unique, all their rows that are gone are
 * deletes, and all that came are inserts. Changes that don't fit into memory are read several times, for a part of the keys each.
 */
export async function* netChanges(
  read: () => AsyncIterable<RowChanges>,
  options: NetChangesOptions,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const parts: Part[] = [{ index: 0, of: 1 }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const rows = await collect(read(), part, options);
    if (rows !== null) yield* rows.batches();
    else parts.push({ index: part.index + part.of, of: 2 * part.of }, { index: part.index, of: 2 * part.of });
  }
}

/** Null if the part's rows don't fit into memory. */
async function collect(
  changes: AsyncIterable<RowChanges>,
  part: Part,
  options: NetChangesOptions,
): Promise<NetRows | null> {
  const { schema, keyIds, project, maxBytes = MAX_BYTES } = options;
  const keys = keyIds.map((id) => findColumn(schema, id)!);
  const keyTypes = keys.map(({ field }) => field.type);
  const rowTypes = schema.fields.map(({ type }) => type);
  const net = new NetRows();
  for await (const change of changes) {
    const { batch } = change;
    const keyHashes = hashRows(
      keyTypes,
      keys.map(({ find }) => find(batch)),
      batch.length,
    );
    const selected = rowsIn(part, keyHashes, batch.length);
    if (selected.length === 0) continue;
    net.add(
      change,
      project(takeBatch(batch, selected)),
      selected,
      keyHashes,
      hashRows(rowTypes, batch.columns, batch.length),
    );
    if (net.bytes <= maxBytes) continue;
    net.compact();
    if (net.bytes <= maxBytes) continue;
    if (part.of < MAX_PARTS) return null;
    throw new LakehouseError(
      'RESOURCE_EXHAUSTED',
      'One key has more changes than fit into memory; are these columns a key?',
    );
  }
  return net;
}

function rowsIn({ index, of }: Part, hashes: Int32Array, length: number): Int32Array {
  const rows: number[] = [];
  for (let row = 0; row < length; row++) if ((hashes[HASH_WORDS * row]! >>> 0) % of === index) rows.push(row);
  return Int32Array.from(rows);
}

interface Entry {
  readonly change: RowChanges;
  readonly key: string;
  readonly content: string;
  isLive: boolean;
}

/** Changes that have not been undone so far. */
class NetRows {
  /** What the entries are about, in their order. */
  #pieces: ColumnBatch[] = [];
  #entries: Entry[] = [];
  /** Live entries by content, all of the same type: the other one would undo them. */
  #byContent = new Map<string, Entry[]>();
  #bytes = 0;

  /** In memory: an estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `rows`: those of the change's batch that `piece` has. The hashes are of all its rows. */
  add(change: RowChanges, piece: ColumnBatch, rows: Int32Array, keys: Int32Array, contents: Int32Array): void {
    this.#pieces.push(piece);
    this.#bytes += batchBytes(piece) + ROW_OVERHEAD * rows.length;
    for (const row of rows) {
      const entry = { change, key: hashText(keys, row), content: hashText(contents, row), isLive: true };
      this.#entries.push(entry);
      const same = this.#byContent.get(entry.content);
      const undone = same?.at(-1);
      if (undone !== undefined && undone.change.type !== change.type) {
        same!.pop();
        undone.isLive = false;
        entry.isLive = false;
      } else if (same) same.push(entry);
      else this.#byContent.set(entry.content, [entry]);
    }
  }

  /** Lets go of rows that have been undone. */
  compact(): void {
    const live = this.#liveRows();
    this.#pieces = live.length === 0 ? [] : [takeBatch(concatBatches(this.#pieces), live)];
    this.#entries = this.#entries.filter(({ isLive }) => isLive);
    for (const [content, entries] of this.#byContent) if (entries.length === 0) this.#byContent.delete(content);
    this.#bytes = this.#pieces.reduce((sum, piece) => sum + batchBytes(piece), ROW_OVERHEAD * live.length);
  }

  /** The rows with how they changed, those of a key together, in the order in which keys were first met. */
  *batches(): Generator<ColumnBatch, void, undefined> {
    const byKey = new Map<string, number[]>();
    for (const row of this.#liveRows()) {
      const { key } = this.#entries[row]!;
      const rows = byKey.get(key);
      if (rows) rows.push(row);
      else byKey.set(key, [row]);
    }
    if (byKey.size === 0) return;
    const all = concatBatches(this.#pieces);
    const order: number[] = [];
    const changes: ChangeValues[] = [];
    for (const rows of byKey.values()) {
      for (const [row, type] of this.#outcome(rows)) {
        const { ordinal, snapshotId } = this.#entries[row]!.change;
        order.push(row);
        changes.push([type, ordinal, snapshotId]);
      }
    }
    for (let start = 0; start < order.length; start += BATCH_ROWS) {
      const end = start + BATCH_ROWS;
      yield withChanges(takeBatch(all, Int32Array.from(order.slice(start, end))), changes.slice(start, end));
    }
  }

  /** Of one key. */
  #outcome(rows: readonly number[]): readonly (readonly [row: number, type: ChangeType])[] {
    const ofType = (type: ChangeType): readonly number[] =>
      rows.filter((row) => this.#entries[row]!.change.type === type);
    const [deleted, inserted] = [ofType('delete'), ofType('insert')];
    const isUpdate = deleted.length === 1 && inserted.length === 1;
    return [
      ...deleted.map((row) => [row, isUpdate ? 'update_before' : 'delete'] as const),
      ...inserted.map((row) => [row, isUpdate ? 'update_after' : 'insert'] as const),
    ];
  }

  #liveRows(): Int32Array {
    return Int32Array.from(this.#entries.flatMap(({ isLive }, row) => (isLive ? [row] : [])));
  }
}

function hashText(hashes: Int32Array, row: number): string {
  return hashes.subarray(HASH_WORDS * row, HASH_WORDS * (row + 1)).join();
}
