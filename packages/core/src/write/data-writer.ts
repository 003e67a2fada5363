import { batchBytes } from '../columns/column.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { concatBatches } from '../columns/concat.ts';
import { sliceBatch } from '../columns/slice.ts';
import { takeBatch } from '../columns/take.ts';
import { throwIfAborted, unsupported } from '../errors.ts';
import { storedSchema } from '../formats/parquet/encode.ts';
import type { ParquetCodec, ParquetEncoding } from '../formats/parquet/encode.ts';
import type { FileIO } from '../io/file-io.ts';
import { randomUuid } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { DataFile } from '../spec/data-file.ts';
import { stringifyJson } from '../spec/json.ts';
import type { PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import { schemaToJson } from '../spec/schema-json.ts';
import type { Schema } from '../spec/schema.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import { tableProperty } from '../spec/table-properties.ts';
import type { Properties } from '../spec/table-properties.ts';
import { partitionPath } from '../transforms/partition-path.ts';
import type { BatchInput } from './data-file-writer.ts';
import type { DataLocations } from './locations.ts';
import { metricsModes } from './metrics-config.ts';
import { OpenFile } from './open-file.ts';
import type { FileFormat } from './open-file.ts';
import { partitioner } from './partition-rows.ts';
import type { Partitioner } from './partition-rows.ts';
import { sorter } from './sort-rows.ts';
import { TaskPool } from './task-pool.ts';
import { CORE_LIMITS, unmetProperties } from './unmet-properties.ts';

export interface WriteOptions {
  readonly io: FileIO;
  /** The batches' columns: the table's, and behind them any others that are to be stored, by their reserved ids. */
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  readonly sortOrder: SortOrder;
  /** The table's: `write.parquet.*`, `write.target-file-size-bytes`, `write.metadata.metrics.*`. */
  readonly properties: Properties;
  readonly locationFor: DataLocations;
  /**
   * Writes a small file, which need not be there yet when this resolves: whoever gives it knows when it is. Left out,
   * files are written with `io`, and are there.
   */
  readonly writeSmall?: (location: string, bytes: Uint8Array) => Promise<void>;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: WriteProgress) => void;
  /** Told, in a sentence, what the properties ask for and the writer doesn't do. */
  readonly onWarning?: (warning: string) => void;
}

/** What has been written so far. */
export interface WriteProgress {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Writes batches as data files: one file per partition and target size, rows of each in the table's sort order as far
 * as memory allows (only files that are sorted as a whole say so). Memory is bounded however many partitions there are.
 * If it fails or is aborted, the files written so far are deleted as far as possible and none is returned.
 */
export async function writeDataFiles(input: BatchInput, options: WriteOptions): Promise<readonly DataFile[]> {
  const writer = new DataWriter(options);
  for (const warning of unmetProperties(options.properties, CORE_LIMITS)) options.onWarning?.(warning);
  try {
    for await (const batch of input) {
      throwIfAborted(options.signal);
      await writer.write(batch);
    }
    return await writer.finish();
  } catch (error) {
    await writer.abandon(error);
    throw error;
  }
}

/** Rows in memory that are not encoded yet, of all partitions together. */
const BUFFER_BYTES = 128 * 1024 * 1024;
/** A row group is encoded as a whole, so it is made no larger than this, unencoded. */
const MAX_ROW_GROUP_BYTES = 64 * 1024 * 1024;
const MAX_OPEN_FILES = 32;
/** Pieces of fewer rows are joined before they are encoded. */
const MIN_PIECE_ROWS = 4096;

/** Rows of one partition that wait to be encoded, and the file that they will go to. */
interface Partition {
  readonly tuple: PartitionTuple;
  pieces: ColumnBatch[];
  rows: number;
  bytes: number;
  file: OpenFile | null;
}

class DataWriter {
  readonly #options: WriteOptions;
  readonly #format: FileFormat;
  readonly #split: Partitioner;
  readonly #targetBytes: number;
  readonly #rowGroupBytes: number;
  readonly #operationId: string;
  readonly #partitions = new Map<string, Partition>();
  /** Partitions with an open file, the least recently written first. */
  readonly #open = new Set<Partition>();
  readonly #closing: TaskPool<DataFile>;
  readonly #locations: string[] = [];
  #bufferedBytes = 0;
  #rows = 0;
  /** How many encoded bytes come of one in memory: learnt from the row groups so far. */
  #encodedBytes = 0;
  #rawBytes = 0;

  constructor(options: WriteOptions) {
    const { io, schema, spec, sortOrder, properties, runtime, signal, writeSmall } = options;
    checkFormat(properties);
    this.#options = options;
    this.#format = {
      io,
      schema,
      stored: storedSchema(schema),
      encoding: encodingOf(properties),
      keyValues: new Map([['iceberg.schema', stringifyJson(schemaToJson(schema))]]),
      modes: metricsModes(schema, properties, sortOrder),
      specId: spec.specId,
      sorter: sorter(sortOrder, schema),
      sortOrderId: sortOrder.orderId,
      writeSmall: writeSmall ?? ((location, bytes) => io.write(location, bytes, signal ? { signal } : {})),
      signal,
    };
    this.#split = partitioner(spec, schema);
    this.#targetBytes = tableProperty(properties, 'write.target-file-size-bytes');
    this.#rowGroupBytes = Math.min(
      tableProperty(properties, 'write.parquet.row-group-size-bytes'),
      MAX_ROW_GROUP_BYTES,
    );
    this.#operationId = randomUuid(runtime);
    this.#closing = new TaskPool(runtime.concurrency);
  }

  async write(batch: ColumnBatch): Promise<void> {
    if (batch.length === 0) return;
    for (const { key, tuple, batch: piece } of this.#split(batch)) {
      let partition = this.#partitions.get(key);
      if (!partition) {
        partition = { tuple, pieces: [], rows: 0, bytes: 0, file: null };
        this.#partitions.set(key, partition);
      }
      this.#buffer(partition, piece);
      for (
        let limit = this.#rowGroupLimit(partition);
        partition.bytes >= limit;
        limit = this.#rowGroupLimit(partition)
      ) {
        await this.#writeRowGroup(partition, limit);
      }
    }
    while (this.#bufferedBytes > BUFFER_BYTES) await this.#writeRowGroup(this.#largest(), Number.POSITIVE_INFINITY);
    this.#rows += batch.length;
    this.#report();
  }

  async finish(): Promise<readonly DataFile[]> {
    for (const partition of this.#partitions.values()) {
      throwIfAborted(this.#options.signal);
      if (partition.rows > 0) await this.#writeRowGroup(partition, Number.POSITIVE_INFINITY);
      await this.#close(partition);
    }
    const files = await this.#closing.drain();
    this.#report();
    return files;
  }

  /** Stops all writing and deletes what there is. */
  async abandon(reason: unknown): Promise<void> {
    await Promise.all([...this.#open].map(async (partition) => partition.file?.abandon(reason)));
    await this.#closing.settle();
    // Nothing refers to these files: one that can't be deleted is an orphan, which is no reason for another error.
    if (this.#locations.length > 0) await this.#options.io.delete(this.#locations).catch(() => undefined);
  }

  #buffer(partition: Partition, piece: ColumnBatch): void {
    const bytes = batchBytes(piece);
    addPiece(partition.pieces, piece);
    partition.rows += piece.length;
    partition.bytes += bytes;
    this.#bufferedBytes += bytes;
  }

  /** Rows, by their size in memory, that fill the current file, or a row group if that is less. */
  #rowGroupLimit({ file }: Partition): number {
    const ratio = this.#rawBytes === 0 ? 1 : this.#encodedBytes / this.#rawBytes;
    const left = Math.max(1, this.#targetBytes - (file?.size ?? 0));
    return Math.min(this.#rowGroupBytes, left / ratio);
  }

  #largest(): Partition {
    let largest: Partition | null = null;
    for (const partition of this.#partitions.values())
      if (largest === null || partition.bytes > largest.bytes) largest = partition;
    return largest!;
  }

  /** Encodes buffered rows of about so many bytes, and closes the file if it is large enough then. */
  async #writeRowGroup(partition: Partition, limit: number): Promise<void> {
    const { batches, bytes } = this.#take(partition, limit);
    const file = await this.#fileOf(partition);
    const before = file.size;
    await file.append(this.#arranged(batches));
    this.#rawBytes += bytes;
    this.#encodedBytes += file.size - before;
    if (file.size >= this.#targetBytes) await this.#close(partition);
  }

  #take(partition: Partition, limit: number): { readonly batches: readonly ColumnBatch[]; readonly bytes: number } {
    const { pieces, rows, bytes } = partition;
    const wanted = limit >= bytes ? rows : Math.max(1, Math.floor((rows * limit) / bytes));
    const batches: ColumnBatch[] = [];
    let missing = wanted;
    while (missing > 0) {
      const piece = pieces.shift()!;
      const taken = Math.min(missing, piece.length);
      batches.push(sliceBatch(piece, 0, taken));
      if (taken < piece.length) pieces.unshift(sliceBatch(piece, taken, piece.length));
      missing -= taken;
    }
    const takenBytes = wanted === rows ? bytes : (bytes * wanted) / rows;
    partition.rows -= wanted;
    partition.bytes -= takenBytes;
    this.#bufferedBytes -= takenBytes;
    return { batches, bytes: takenBytes };
  }

  /** Sorted, if the table is; joined where the pieces are small. */
  #arranged(batches: readonly ColumnBatch[]): readonly ColumnBatch[] {
    const rows = batches.reduce((sum, batch) => sum + batch.length, 0);
    if (this.#format.sorter === null && rows >= batches.length * MIN_PIECE_ROWS) return batches;
    const joined = concatBatches(batches);
    const order = this.#format.sorter?.order(joined) ?? null;
    return [order === null ? joined : takeBatch(joined, order)];
  }

  async #fileOf(partition: Partition): Promise<OpenFile> {
    this.#open.delete(partition);
    if (partition.file === null) {
      for (const oldest of this.#open) {
        if (this.#open.size < MAX_OPEN_FILES) break;
        await this.#close(oldest);
      }
      partition.file = new OpenFile(this.#newLocation(partition.tuple), partition.tuple, this.#format);
    }
    this.#open.add(partition);
    return partition.file;
  }

  /** `<partition>-<task>-<operation>-<file>`, as Iceberg Java names them. */
  #newLocation(tuple: PartitionTuple): string {
    const { spec, schema, locationFor } = this.#options;
    const number = String(this.#locations.length + 1).padStart(5, '0');
    const location = locationFor(`00000-0-${this.#operationId}-${number}.parquet`, partitionPath(spec, schema, tuple));
    this.#locations.push(location);
    return location;
  }

  async #close(partition: Partition): Promise<void> {
    const { file } = partition;
    if (file === null) return;
    partition.file = null;
    this.#open.delete(partition);
    try {
      await this.#closing.add(() => file.finish());
    } catch (error) {
      // Another file has failed; this one was never started on, and nobody else knows of it any more.
      await file.abandon(error);
      throw error;
    }
  }

  #report(): void {
    this.#options.onProgress?.({ rows: this.#rows, files: this.#closing.done, bytes: this.#encodedBytes });
  }
}

/** Below so many rows, what a piece is made of takes more memory than its values. */
const TINY_PIECE_ROWS = 64;

/** Joins small pieces as they come: with many partitions, each gets few rows of each batch. Doubling keeps the copying low. */
function addPiece(pieces: ColumnBatch[], piece: ColumnBatch): void {
  const run = [piece];
  let rows = piece.length;
  for (let last = pieces.at(-1); last !== undefined && last.length < MIN_PIECE_ROWS; last = pieces.at(-1)) {
    if (last.length >= TINY_PIECE_ROWS && last.length > 2 * rows) break;
    run.unshift(last);
    rows += last.length;
    pieces.pop();
  }
  pieces.push(concatBatches(run));
}

function checkFormat(properties: Properties): void {
  const format = tableProperty(properties, 'write.format.default');
  if (format !== 'parquet') {
    throw unsupported(
      `The table wants data files in the format ${format}, and only Parquet can be written; set 'write.format.default' to parquet.`,
    );
  }
}

function encodingOf(properties: Properties): ParquetEncoding {
  const codec = tableProperty(properties, 'write.parquet.compression-codec');
  return {
    codec: (codec === 'lz4_raw' ? 'lz4' : codec) satisfies ParquetCodec,
    pageSize: tableProperty(properties, 'write.parquet.page-size-bytes'),
    dictionarySize: tableProperty(properties, 'write.parquet.dict-size-bytes'),
  };
}
