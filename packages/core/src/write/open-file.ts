import type { ColumnBatch } from '../columns/column.ts';
import type { ParquetEncoding, StoredSchema } from '../formats/parquet/encode.ts';
import { ParquetFileWriter } from '../formats/parquet/file-writer.ts';
import { invalidData } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import type { FileStat } from '../io/file-io.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { StructType } from '../spec/types.ts';
import { ByteQueue } from './byte-queue.ts';
import type { MetricsModes } from './metrics-config.ts';
import { parquetDataFile } from './parquet-data-file.ts';
import type { SortKey, Sorter } from './sort-rows.ts';
import { ValueMetricsCollector } from './value-metrics.ts';

/** What all files of one write have in common. */
export interface FileFormat {
  readonly io: FileIO;
  readonly schema: StructType;
  readonly stored: StoredSchema;
  readonly encoding: ParquetEncoding;
  readonly keyValues: ReadonlyMap<string, string>;
  readonly modes: MetricsModes;
  readonly specId: number;
  readonly sorter: Sorter | null;
  /** Given to files whose rows are in the sorter's order. */
  readonly sortOrderId: number;
  readonly signal: AbortSignal | undefined;
}

const UNSORTED_ORDER_ID = 0;

/** A data file being written: row groups go to the store as they are made. */
export class OpenFile {
  readonly location: string;
  readonly #format: FileFormat;
  readonly #partition: PartitionTuple;
  readonly #writer: ParquetFileWriter;
  readonly #values: ValueMetricsCollector;
  readonly #queue = new ByteQueue();
  readonly #writing: Promise<FileStat>;
  #lastKey: SortKey | null = null;
  #sorted: boolean;

  constructor(location: string, partition: PartitionTuple, format: FileFormat) {
    this.location = location;
    this.#format = format;
    this.#partition = partition;
    this.#writer = new ParquetFileWriter(format.stored.schema, format.encoding, format.keyValues);
    this.#values = new ValueMetricsCollector(format.schema, format.modes);
    this.#sorted = format.sorter !== null;
    this.#writing = format.io.write(location, this.#queue, format.signal ? { signal: format.signal } : {});
    void this.#watchStore();
  }

  /** A store that fails, or stops reading, must not leave the writer waiting. */
  async #watchStore(): Promise<void> {
    try {
      await this.#writing;
      this.#queue.fail(invalidData(`The store finished ${this.location} before all of it was written.`));
    } catch (error) {
      this.#queue.fail(error);
    }
  }

  /** Bytes so far. */
  get size(): number {
    return this.#writer.size;
  }

  /** Appends a row group; with a sorter, of one batch that is in its order. */
  async append(batches: readonly ColumnBatch[]): Promise<void> {
    for (const batch of batches) this.#values.add(batch);
    this.#checkOrder(batches);
    for (const bytes of await this.#writer.addRowGroup(batches.map(this.#format.stored.store)))
      await this.#queue.push(bytes);
  }

  /** Row groups that are sorted make a sorted file only if each begins where the one before ended. */
  #checkOrder(batches: readonly ColumnBatch[]): void {
    const { sorter } = this.#format;
    if (!this.#sorted || sorter === null) return;
    for (const batch of batches) {
      if (batch.length === 0) continue;
      const first = sorter.key(batch, 0);
      if (this.#lastKey !== null && sorter.compare(this.#lastKey, first) > 0) this.#sorted = false;
      this.#lastKey = sorter.key(batch, batch.length - 1);
    }
  }

  /** Writes the footer; the file is complete when this resolves. */
  async finish(): Promise<DataFile> {
    await this.#queue.push(this.#writer.finish());
    this.#queue.end();
    await this.#writing;
    const { rowGroups, footer, size } = this.#writer;
    const { schema, specId, modes, sortOrderId } = this.#format;
    const description = {
      location: this.location,
      size,
      schema,
      specId,
      partition: this.#partition,
      sortOrderId: this.#sorted ? sortOrderId : UNSORTED_ORDER_ID,
      modes,
      values: this.#values.result(),
    };
    return parquetDataFile(description, footer!, rowGroups);
  }

  /** Gives the file up; what the store has of it is for the caller to delete. */
  async abandon(reason: unknown): Promise<void> {
    this.#queue.fail(reason);
    await this.#writing.catch(() => undefined);
  }
}
