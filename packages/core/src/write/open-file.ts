import type { ColumnBatch } from '../columns/column.ts';
import type { ParquetEncoding, StoredSchema } from '../formats/parquet/encode.ts';
import { ParquetFileWriter } from '../formats/parquet/file-writer.ts';
import { invalidData } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import type { FileStat } from '../io/file-io.ts';
import { concatBytes } from '../spec/concat-bytes.ts';
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
  /** Writes a file that is in one piece. */
  readonly writeSmall: (location: string, bytes: Uint8Array) => Promise<unknown>;
  readonly signal: AbortSignal | undefined;
}

const UNSORTED_ORDER_ID = 0;

/** A file of up to so many bytes goes to the store in one piece, which is one request to most. */
const ONE_PIECE_BYTES = 1 << 20;

/** A data file being written: once it is no longer small, row groups go to the store as they are made. */
export class OpenFile {
  readonly location: string;
  readonly #format: FileFormat;
  readonly #partition: PartitionTuple;
  readonly #writer: ParquetFileWriter;
  readonly #values: ValueMetricsCollector;
  /** What the store has not been given yet. */
  #held: Uint8Array[] = [];
  #stream: StoreStream | null = null;
  #lastKey: SortKey | null = null;
  #sorted: boolean;

  constructor(location: string, partition: PartitionTuple, format: FileFormat) {
    this.location = location;
    this.#format = format;
    this.#partition = partition;
    this.#writer = new ParquetFileWriter(format.stored.schema, format.encoding, format.keyValues);
    this.#values = new ValueMetricsCollector(format.schema, format.modes);
    this.#sorted = format.sorter !== null;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#writer.size;
  }

  /** Appends a row group; with a sorter, of one batch that is in its order. */
  async append(batches: readonly ColumnBatch[]): Promise<void> {
    for (const batch of batches) this.#values.add(batch);
    this.#checkOrder(batches);
    this.#held.push(...(await this.#writer.addRowGroup(batches.map(this.#format.stored.store))));
    if (this.size <= ONE_PIECE_BYTES) return;
    this.#stream ??= streamTo(this.location, this.#format);
    await this.#pushHeld(this.#stream);
  }

  async #pushHeld({ queue }: StoreStream): Promise<void> {
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) await queue.push(bytes);
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

  /** Writes the footer. */
  async finish(): Promise<DataFile> {
    this.#held.push(this.#writer.finish());
    await this.#store();
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

  async #store(): Promise<void> {
    if (this.#stream !== null) {
      await this.#pushHeld(this.#stream);
      this.#stream.queue.end();
      await this.#stream.writing;
      return;
    }
    await this.#format.writeSmall(this.location, concatBytes(this.#held));
  }

  /** Gives the file up; what the store has of it is for the caller to delete. */
  async abandon(reason: unknown): Promise<void> {
    this.#stream?.queue.fail(reason);
    await this.#stream?.writing.catch(() => undefined);
  }
}

interface StoreStream {
  readonly queue: ByteQueue;
  readonly writing: Promise<FileStat>;
}

function streamTo(location: string, { io, signal }: FileFormat): StoreStream {
  const queue = new ByteQueue();
  const writing = io.write(location, queue, signal ? { signal } : {});
  void watchStore(location, { queue, writing });
  return { queue, writing };
}

/** A store that fails, or stops reading, must not leave the writer waiting. */
async function watchStore(location: string, { queue, writing }: StoreStream): Promise<void> {
  try {
    await writing;
    queue.fail(invalidData(`The store finished ${location} before all of it was written.`));
  } catch (error) {
    queue.fail(error);
  }
}
