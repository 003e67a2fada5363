import { batchBytes } from '../columns/column.ts';
import type { ColumnBatch } from '../columns/column.ts';
import type { FileIO } from '../io/file-io.ts';
import type { MetadataColumn } from '../read/metadata-columns.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { Schema } from '../spec/schema.ts';
import type { StructType } from '../spec/types.ts';
import type { ChangedRows } from './plan-changes.ts';
import { projector } from './project-columns.ts';
import { readChangedRows } from './read-changed-rows.ts';
import { hashRows } from './row-hash.ts';

export interface RowReaderOptions {
  readonly io: FileIO;
  readonly schema: Schema;
  readonly projection: StructType;
  readonly metadataColumns: readonly MetadataColumn[];
  readonly nameMapping: NameMapping | null;
  readonly signal: AbortSignal | undefined;
}

/** Rows, and the hashes of all their columns, whatever of them is wanted. */
export interface HashedRows {
  readonly rows: ColumnBatch;
  readonly hashes: Int32Array;
}

/** Rows that are read several times are kept up to this size, in bytes in memory. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** Reads candidates: the columns that are wanted, or with them the hashes of whole rows. */
export class RowReader {
  readonly #options: RowReaderOptions;
  readonly #project: (batch: ColumnBatch) => ColumnBatch;
  readonly #isWhole: boolean;

  constructor(options: RowReaderOptions) {
    const { schema, projection, metadataColumns } = options;
    this.#options = options;
    this.#isWhole = projection === schema;
    this.#project = projector(schema, projection, metadataColumns.length);
  }

  /** Rows as they are wanted. */
  rows(changed: ChangedRows): AsyncIterable<ColumnBatch> {
    return this.#read(changed, this.#options.projection);
  }

  async *hashed(changed: ChangedRows): AsyncGenerator<HashedRows, void, undefined> {
    const { schema } = this.#options;
    const types = schema.fields.map(({ type }) => type);
    for await (const whole of this.#read(changed, schema)) {
      const hashes = hashRows(types, whole.columns, whole.length);
      yield { rows: this.#isWhole ? whole : this.#project(whole), hashes };
    }
  }

  /** A reader for the files of one snapshot that keeps what is small. */
  replaying(): (changed: ChangedRows) => AsyncIterable<HashedRows> {
    const kept = new Map<ChangedRows, readonly HashedRows[]>();
    let room = KEPT_BYTES;
    const read = (changed: ChangedRows): AsyncIterable<HashedRows> => this.hashed(changed);
    return async function* (changed) {
      const known = kept.get(changed);
      if (known) return yield* known;
      const batches: HashedRows[] = [];
      let bytes = 0;
      for await (const batch of read(changed)) {
        bytes += batchBytes(batch.rows) + batch.hashes.byteLength;
        if (bytes <= room) batches.push(batch);
        yield batch;
      }
      if (bytes > room) return;
      room -= bytes;
      kept.set(changed, batches);
    };
  }

  #read(changed: ChangedRows, projection: StructType): AsyncIterable<ColumnBatch> {
    const { io, metadataColumns, nameMapping, signal } = this.#options;
    return readChangedRows(io, changed, {
      projection,
      metadataColumns,
      ...(nameMapping && { nameMapping }),
      ...(signal && { signal }),
    });
  }
}
