import { throwIfAborted } from '@lh/core';
import type { DataFile, PartitionTuple } from '@lh/core';
import {
  bloomFilterColumns,
  describeParquetFile,
  isUnpartitioned,
  lookAhead,
  metricsModes,
  partitionPath,
  randomUuid,
  tableProperty,
} from '@lh/core/engine';
import type { DataFileOptions } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import { escapeGlob } from '../relation/file-list.ts';
import { quoteName, quoteString } from '../text/quote.ts';
import { copiedFiles, floatMetrics } from './copied-files.ts';
import type { CopiedFile } from './copied-files.ts';
import { copySettings } from './copy-settings.ts';
import { sortTerms } from './sort-terms.ts';
import { splitFile } from './split-file.ts';
import { Staging } from './staging.ts';
import { ROWS, storedColumns } from './stored-columns.ts';

/** Rows that DuckDB can read, and how it tells their partitions apart. */
export interface CopySource {
  /** A query of the schema's columns, by their names, and of what `partition` names. */
  readonly query: string;
  /** Conditions that rows have to meet. */
  readonly checks: readonly string[];
  /** Null if all rows are in one partition. */
  readonly partition: PartitionKeys | null;
  /** That partition; nulls if left out. */
  readonly tuple?: PartitionTuple;
  /** What a row takes in a file at least, if that is known. */
  readonly rowBytes?: number;
  /** Terms of an ORDER BY; those of the table's sort order if left out. */
  readonly order?: readonly string[];
  /** Runs a COPY and gives the rows of its statistics. */
  readonly run: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Columns that together tell the partition of a row. */
export interface PartitionKeys {
  readonly columns: readonly { readonly name: string; readonly sql: string }[];
  /** The partition whose columns have these values as text. */
  readonly tupleOf: (values: ReadonlyMap<string, string | null>) => PartitionTuple;
}

/** Writes rows as data files with DuckDB's COPY. The table must be one that DuckDB can write. */
export async function copyRows(source: CopySource, options: DataFileOptions): Promise<readonly DataFile[]> {
  const { io, runtime, signal } = options;
  throwIfAborted(signal);
  const operationId = randomUuid(runtime);
  const staging = await Staging.open(options, operationId);
  const copy = new Copy(source, options, staging, operationId);
  try {
    return await copy.write();
  } catch (error) {
    await copy.settle();
    // Nothing refers to these files: one that can't be deleted is an orphan, which is no reason for another error.
    if (copy.placed.length > 0) await io.delete(copy.placed).catch(() => undefined);
    throwIfAborted(signal);
    throw duckdbError(error);
  } finally {
    await staging.remove();
  }
}

/** A file that is so much larger than it should be is written again as several. */
const OVERSIZE = 1.5;

class Copy {
  readonly placed: string[] = [];
  readonly #source: CopySource;
  readonly #options: DataFileOptions;
  readonly #staging: Staging;
  readonly #operationId: string;
  readonly #columns: ReturnType<typeof storedColumns>;
  readonly #settings: readonly string[];
  readonly #targetBytes: number;
  readonly #terms: readonly string[];
  readonly #placing: Promise<DataFile>[] = [];
  #pieces = 0;
  #progress = { rows: 0, files: 0, bytes: 0 };

  constructor(source: CopySource, options: DataFileOptions, staging: Staging, operationId: string) {
    this.#source = source;
    this.#options = options;
    this.#staging = staging;
    this.#operationId = operationId;
    this.#columns = storedColumns(options.schema);
    this.#settings = copySettings(options, this.#columns, source.rowBytes);
    this.#targetBytes = tableProperty(options.properties, 'write.target-file-size-bytes');
    this.#terms = source.order ?? sortTerms(options.sortOrder, options.schema) ?? [];
  }

  async write(): Promise<readonly DataFile[]> {
    const { partition } = this.#source;
    const isOneFile = partition === null && this.#terms.length > 0;
    const target = partition
      ? [`PARTITION_BY (${partition.columns.map(({ name }) => quoteName(name)).join(', ')})`]
      : isOneFile
        ? []
        : [this.#fileSize()];
    const copied = await this.#copy(this.#select(), 'files', target);
    const written: Written[] = [];
    for (const file of copied)
      written.push(...(await this.#sized({ file, isSorted: isOneFile, partition: file.partition })));
    const files: DataFile[] = [];
    const { concurrency } = this.#options.runtime;
    const place = (one: Written): Promise<DataFile> => {
      const placing = this.#place(one);
      this.#placing.push(placing);
      return placing;
    };
    for await (const file of lookAhead(written, concurrency, place)) files.push(file);
    return files;
  }

  /** Waits until no file is on its way to its place any more. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#placing);
  }

  #select(): string {
    const { query, partition, checks } = this.#source;
    const columns = this.#columns.map(({ field, name }) => `${ROWS}.${quoteName(field.name)} AS ${quoteName(name)}`);
    const keys = partition?.columns.map(({ name, sql }) => `${sql} AS ${quoteName(name)}`) ?? [];
    const where = checks.length > 0 ? ` WHERE ${checks.join(' AND ')}` : '';
    const order = this.#order();
    const orderBy = order.length > 0 ? ` ORDER BY ${order.join(', ')}` : '';
    return `SELECT ${[...columns, ...keys].join(', ')} FROM (${query}) AS ${ROWS}${where}${orderBy}`;
  }

  /**
   * Rows of one partition are brought together first, as Spark does: of thousands of partitions DuckDB would otherwise
   * write many small files, and of few it is no slower.
   */
  #order(): readonly string[] {
    const isClustered = tableProperty(this.#options.properties, 'write.distribution-mode') !== 'none';
    const keys = this.#source.partition?.columns ?? [];
    return [...(isClustered || this.#terms.length > 0 ? keys.map(({ name }) => quoteName(name)) : []), ...this.#terms];
  }

  #fileSize(): string {
    return `FILE_SIZE_BYTES ${this.#targetBytes}`;
  }

  async #copy(select: string, name: string, target: readonly string[]): Promise<readonly CopiedFile[]> {
    throwIfAborted(this.#options.signal);
    const path = this.#staging.path(target.length === 0 ? `${name}.parquet` : name);
    const settings = [...this.#settings, ...target].join(', ');
    return copiedFiles(await this.#source.run(`COPY (${select}) TO ${quoteString(path)} (${settings})`));
  }

  /** COPY heeds the size of files only where it writes neither partitions nor a single file. */
  async #sized(written: Written): Promise<readonly Written[]> {
    const { file, partition } = written;
    const isOneFile = partition.size > 0 || written.isSorted;
    if (!isOneFile || file.size <= OVERSIZE * this.#targetBytes) return [written];
    const pieces = `pieces-${this.#pieces++}`;
    if (bloomFilterColumns(this.#options.properties).length === 0) {
      const parts = await splitFile(file.path, this.#targetBytes, (part) =>
        this.#staging.path(`${pieces}-${part}.parquet`),
      );
      return parts.map(({ path, rows }) => ({ ...written, file: { ...file, path, rows } }));
    }
    const columns = this.#columns.map(({ name }) => quoteName(name)).join(', ');
    const rows = `read_parquet(${quoteString(escapeGlob(file.path))}, hive_partitioning = false)`;
    const copied = await this.#copy(`SELECT ${columns} FROM ${rows}`, pieces, [this.#fileSize()]);
    return copied.map((piece) => ({ file: piece, isSorted: false, partition }));
  }

  async #place({ file, isSorted, partition }: Written): Promise<DataFile> {
    const { schema, spec, sortOrder, properties, locationFor, onProgress, signal } = this.#options;
    throwIfAborted(signal);
    const { tuple: only, partition: keys } = this.#source;
    const tuple = keys?.tupleOf(partition) ?? only ?? spec.fields.map(() => null);
    const number = String(this.placed.length + 1).padStart(5, '0');
    const name = `00000-0-${this.#operationId}-${number}.parquet`;
    const location = locationFor(name, isUnpartitioned(spec) ? '' : partitionPath(spec, schema, tuple));
    this.placed.push(location);
    const { size } = await this.#staging.place(file.path, location);
    const description = {
      location,
      size,
      schema,
      specId: spec.specId,
      partition: tuple,
      sortOrderId: isSorted ? sortOrder.orderId : UNSORTED_ORDER_ID,
      modes: metricsModes(schema, properties, sortOrder),
      values: floatMetrics(this.#columns, file),
    };
    const reader = this.#staging.reader(file.path);
    const described = await describeParquetFile(reader, description, signal ? { signal } : {});
    const { rows, files, bytes } = this.#progress;
    this.#progress = { rows: rows + file.rows, files: files + 1, bytes: bytes + size };
    onProgress?.(this.#progress);
    return described;
  }
}

const UNSORTED_ORDER_ID = 0;

interface Written {
  readonly file: CopiedFile;
  /** Its rows are in the table's order from the first to the last. */
  readonly isSorted: boolean;
  readonly partition: CopiedFile['partition'];
}
