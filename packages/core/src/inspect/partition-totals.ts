import { columnBuilder } from '../columns/builder.ts';
import type { ColumnBuilder } from '../columns/builder.ts';
import { bitmapSize, setBit } from '../columns/column.ts';
import type { Column } from '../columns/column.ts';
import { grownCapacity } from '../columns/growable.ts';
import { partitionKey } from '../scan/partition-key.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/** The codes of `content` (spec: "Data File Fields"). */
export const CONTENT = { data: 0, positionDeletes: 1, equalityDeletes: 2 } as const;
const CONTENTS = 3;

/** What a file adds to its partition. */
export interface CountedFile {
  readonly specId: number;
  readonly content: number;
  readonly records: bigint;
  readonly bytes: bigint;
  /** The snapshot that added it; null if it has been expired. */
  readonly snapshot: { readonly snapshotId: bigint; readonly timestampMs: number } | null;
}

/** Adds up files by partition, in columns: a table may have as many partitions as files. */
export class PartitionTotals {
  readonly #rows = new Map<string, number>();
  readonly #tuples: ColumnBuilder;
  #specIds = new Int32Array(0);
  /** By row and content. */
  #files = new Int32Array(0);
  #records = new BigInt64Array(0);
  #dataBytes = new BigInt64Array(0);
  /** 0 where no snapshot is known; those that are known have been made later. */
  #updatedAtMicros = new BigInt64Array(0);
  #updatedBy = new BigInt64Array(0);

  constructor(partition: StructType) {
    this.#tuples = columnBuilder(partition);
  }

  get length(): number {
    return this.#tuples.length;
  }

  /**
   * `fieldCount`: how many fields of the tuple the file's spec has. Specs share a partition where their values are equal
   * and no field of one is missing in the other.
   */
  add(tuple: readonly Value[], fieldCount: number, file: CountedFile): void {
    const row = this.#row(partitionKey(fieldCount, tuple), tuple, file.specId);
    const at = row * CONTENTS + file.content;
    this.#files[at]!++;
    this.#records[at]! += file.records;
    if (file.content === CONTENT.data) this.#dataBytes[row]! += file.bytes;
    if (file.snapshot === null) return;
    const updatedAt = BigInt(file.snapshot.timestampMs) * 1000n;
    if (updatedAt <= this.#updatedAtMicros[row]!) return;
    this.#specIds[row] = file.specId;
    this.#updatedAtMicros[row] = updatedAt;
    this.#updatedBy[row] = file.snapshot.snapshotId;
  }

  /** The partitions so far, in the order in which they were first seen. To be called once. */
  finish(): PartitionColumns {
    const { length } = this;
    const files = (content: number): Column =>
      numbers(Int32Array.from({ length }, (_, row) => this.#files[row * CONTENTS + content]!));
    const records = (content: number): Column =>
      numbers(BigInt64Array.from({ length }, (_, row) => this.#records[row * CONTENTS + content]!));
    const known = new Uint8Array(bitmapSize(length));
    for (let row = 0; row < length; row++) if (this.#updatedAtMicros[row] !== 0n) setBit(known, row);
    return {
      length,
      partition: this.#tuples.finish(),
      specIds: numbers(this.#specIds.slice(0, length)),
      files,
      records,
      dataBytes: numbers(this.#dataBytes.slice(0, length)),
      updatedAt: { ...numbers(this.#updatedAtMicros.slice(0, length)), validity: known },
      updatedBy: { ...numbers(this.#updatedBy.slice(0, length)), validity: known },
    };
  }

  #row(key: string, tuple: readonly Value[], specId: number): number {
    const found = this.#rows.get(key);
    if (found !== undefined) return found;
    const row = this.length;
    this.#rows.set(key, row);
    this.#tuples.append(tuple);
    this.#reserve(row + 1);
    this.#specIds[row] = specId;
    return row;
  }

  #reserve(rows: number): void {
    if (rows <= this.#specIds.length) return;
    const capacity = grownCapacity(rows, this.#specIds.length);
    this.#specIds = withLength(this.#specIds, new Int32Array(capacity));
    this.#files = withLength(this.#files, new Int32Array(capacity * CONTENTS));
    this.#records = withLength(this.#records, new BigInt64Array(capacity * CONTENTS));
    this.#dataBytes = withLength(this.#dataBytes, new BigInt64Array(capacity));
    this.#updatedAtMicros = withLength(this.#updatedAtMicros, new BigInt64Array(capacity));
    this.#updatedBy = withLength(this.#updatedBy, new BigInt64Array(capacity));
  }
}

export interface PartitionColumns {
  readonly length: number;
  readonly partition: Column;
  readonly specIds: Column;
  /** Of files of a content. */
  readonly files: (content: number) => Column;
  readonly records: (content: number) => Column;
  readonly dataBytes: Column;
  readonly updatedAt: Column;
  readonly updatedBy: Column;
}

function withLength<T extends Int32Array | BigInt64Array>(values: T, larger: T): T {
  (larger as Int32Array).set(values as Int32Array);
  return larger;
}

function numbers(values: Int32Array | BigInt64Array): Extract<Column, { layout: 'numbers' }> {
  return { layout: 'numbers', length: values.length, validity: null, values };
}
