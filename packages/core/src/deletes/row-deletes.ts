import type { ColumnBatch } from '../columns/column.ts';
import { PositionBitmap } from '../formats/puffin/position-bitmap.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';
import { unlessAborted } from '../io/unless-aborted.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { StructType } from '../spec/types.ts';
import { EqualityDeleteFiles, columnsOf, keyColumns } from './equality-delete-files.ts';
import type { AppliedKeys } from './equality-delete-files.ts';
import { PositionDeletes } from './position-deletes.ts';
import type { ReadRows } from './read-rows.ts';

/**
 * Of some rows of a batch (null: all of them), those that are not deleted: the same rows if none is, else their numbers
 * in order. `firstRow` is the position in the file of the batch's first row.
 */
export type LiveRows = (batch: ColumnBatch, firstRow: number, rows: Int32Array | null) => Int32Array | null;

/** What is deleted from one data file. */
export interface RowDeletes {
  /** Columns that tell which rows are deleted: to be read with the others. */
  readonly fields: StructType;
  /** Prepares for batches of a schema that has all of `fields`. */
  readonly liveRows: (schema: StructType) => LiveRows;
}

export const NOTHING_DELETED: RowDeletes = {
  fields: { kind: 'struct', fields: [] },
  liveRows: () => (_, __, rows) => rows,
};

/** Delete files of one scan take this much memory at most while no task needs them, in bytes; each kind of them. */
const MAX_CACHED_BYTES = 64 * 1024 * 1024;

/** Positions by the path of a data file. */
export type PositionsByFile = ReadonlyMap<string, PositionBitmap>;

export interface LoadDeletesOptions extends IOOptions {
  /** For delete files without field ids. */
  readonly nameMapping?: NameMapping | undefined;
}

/**
 * Reads the delete files of tasks. To be shared by the tasks of a scan, concurrent ones too: a delete file that applies
 * to many data files is then read once, as far as memory is bounded. Never by tasks of several snapshots: keys that one
 * of them deletes would be deleted from the files of the others.
 */
export class DeleteLoader {
  readonly #positions: PositionDeletes;
  readonly #equality: EqualityDeleteFiles;
  readonly #others: PositionsByFile;

  /** `others`: rows to be taken for deleted, too. */
  constructor(
    io: FileIO,
    readRows: ReadRows,
    maxBytes: number = MAX_CACHED_BYTES,
    others: PositionsByFile = new Map(),
  ) {
    this.#others = others;
    this.#positions = new PositionDeletes(io, readRows, maxBytes);
    this.#equality = new EqualityDeleteFiles(io, readRows, maxBytes);
  }

  /** Only the positions that are deleted from a task's file; null if none is. Errors as `load`. */
  async positions(task: FileScanTask, { signal }: IOOptions = {}): Promise<PositionBitmap | null> {
    const positions = await unlessAborted(this.#positionsOf(task, signal), signal);
    return positions === null || positions.size === 0 ? null : positions;
  }

  /** Whether positions may be deleted from the task's file. */
  mayDelete({ file, deletes }: FileScanTask): boolean {
    return deletes.length > 0 || this.#others.has(file.path);
  }

  async #positionsOf(task: FileScanTask, signal: AbortSignal | undefined): Promise<PositionBitmap | null> {
    const others = this.#others.get(task.file.path) ?? null;
    const deleted = await this.#positions.forTask(task, signal ? { signal } : {});
    if (others === null || deleted === null) return deleted ?? others;
    const all = new PositionBitmap();
    all.addAll(deleted);
    all.addAll(others);
    return all;
  }

  /** INVALID_DATA for damaged delete files, NOT_FOUND for missing ones. */
  async load(task: FileScanTask, { nameMapping, signal }: LoadDeletesOptions = {}): Promise<RowDeletes> {
    if (!this.mayDelete(task)) return NOTHING_DELETED;
    const loading = Promise.all([this.#positionsOf(task, signal), this.#equality.forTask(task, nameMapping)]);
    const [positions, keys] = await unlessAborted(loading, signal);
    return {
      fields: columnsOf(keys),
      liveRows: (schema) => {
        const steps = keys.map((applied) => withoutKeys(applied, schema, task.sequenceNumber));
        if (positions !== null) steps.unshift(withoutPositions(positions));
        return (batch, firstRow, rows) => steps.reduce((left, step) => step(batch, firstRow, left), rows);
      },
    };
  }
}

function withoutPositions(positions: PositionBitmap): LiveRows {
  return (batch, firstRow, rows) => {
    const deleted = new Uint8Array(batch.length);
    return positions.mark(firstRow, deleted) ? unmarked(deleted, rows) : rows;
  };
}

function unmarked(deleted: Uint8Array, rows: Int32Array | null): Int32Array {
  const kept = new Int32Array(rows?.length ?? deleted.length);
  let count = 0;
  for (let i = 0; i < kept.length; i++) {
    const row = rows === null ? i : rows[i]!;
    if (deleted[row] === 0) kept[count++] = row;
  }
  return kept.subarray(0, count);
}

function withoutKeys({ columns, keys }: AppliedKeys, schema: StructType, sequenceNumber: bigint): LiveRows {
  const finders = columns.finders(schema);
  return (batch, _, rows) => keys.without(keyColumns(finders, batch), batch.length, rows, sequenceNumber);
}
