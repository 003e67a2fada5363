import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LakehouseError, throwIfAborted } from '@lh/core';
import type { DataFile, DataFileWriter } from '@lh/core';
import { coreWriter } from '@lh/core/engine';
import type { BatchInput, ColumnBatch, DataFileOptions, DataFileRewrite } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import { Feeds } from '../feed/feeds.ts';
import { QueryRows } from '../feed/query-rows.ts';
import type { Lent } from '../feed/query-rows.ts';
import { FileSchemas } from '../relation/file-schema.ts';
import { openInstance } from '../session/instance.ts';
import { codedBatches, isPresent } from './batch-partitions.ts';
import { copyRows } from './copy-rows.ts';
import { copyWarnings } from './copy-settings.ts';
import { PulledBatches } from './pulled-batches.ts';
import { rewriteFiles } from './rewrite-files.ts';
import { ScratchDisk } from './scratch-disk.ts';
import { unwritable } from './unwritable.ts';

export interface DuckDBWriterOptions {
  /** How much memory DuckDB may use, like '4GB'; 80 % of the machine's if left out. */
  readonly memoryLimit?: string | undefined;
  /**
   * Where DuckDB puts what doesn't fit into memory, and files of stores while it rewrites them; a directory of its own
   * under the system's, removed on close, if left out.
   */
  readonly tempDirectory?: string | undefined;
}

/**
 * Makes data files with DuckDB, on all cores: `FileSystemCatalog.open({ io, warehouse, writer })`, or
 * `table.withWriter(writer)`. What DuckDB can't write exactly, by the table's schema, core writes, and the commit's
 * `warnings` say so. Close it when no table writes with it any more.
 */
export class DuckDBWriter implements DataFileWriter {
  readonly #options: DuckDBWriterOptions;
  #engine: Promise<Engine> | null = null;
  #closed = false;

  /** DuckDB is started by the first write. */
  constructor(options: DuckDBWriterOptions = {}) {
    this.#options = options;
  }

  async writeDataFiles(input: BatchInput, options: DataFileOptions): Promise<readonly DataFile[]> {
    this.#checkOpen();
    const reason = unwritable(options);
    if (reason !== null) {
      options.onWarning?.(`Core wrote the files, as DuckDB can't: ${reason}.`);
      return coreWriter.writeDataFiles(input, options);
    }
    for (const warning of copyWarnings(options.properties)) options.onWarning?.(warning);
    return (await this.#started()).write(input, options);
  }

  async rewriteDataFiles(rewrite: DataFileRewrite, options: DataFileOptions): Promise<readonly DataFile[] | null> {
    this.#checkOpen();
    if (unwritable(options) !== null) return null;
    const files = await (await this.#started()).rewrite(rewrite, options);
    if (files !== null) for (const warning of copyWarnings(options.properties)) options.onWarning?.(warning);
    return files;
  }

  #checkOpen(): void {
    if (this.#closed) throw new LakehouseError('INVALID_ARGUMENT', "The writer of the table's files is closed.");
  }

  async #started(): Promise<Engine> {
    this.#engine ??= Engine.start(this.#options);
    try {
      return await this.#engine;
    } catch (error) {
      // The next write may have more luck, with more room on the disk, say.
      this.#engine = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const engine = this.#engine;
    this.#engine = null;
    await (await engine)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A DuckDB of the writer's own: its settings would change what queries mean. */
class Engine {
  readonly #instance: DuckDBInstance;
  readonly #main: DuckDBConnection;
  readonly #ownTempDirectory: string | null;
  readonly #feeds: Feeds;
  readonly #pulled: PulledBatches;
  readonly #files = new FileSchemas();
  readonly #scratch: ScratchDisk;

  private constructor(
    instance: DuckDBInstance,
    main: DuckDBConnection,
    scratch: ScratchDisk,
    ownTempDirectory: string | null,
  ) {
    this.#instance = instance;
    this.#main = main;
    this.#scratch = scratch;
    this.#ownTempDirectory = ownTempDirectory;
    this.#feeds = new Feeds(main);
    this.#pulled = new PulledBatches(main);
  }

  static async start({ memoryLimit, tempDirectory }: DuckDBWriterOptions): Promise<Engine> {
    const own = tempDirectory === undefined ? await mkdtemp(join(tmpdir(), 'lakehouse-')) : null;
    const directory = tempDirectory ?? own!;
    const instance = await openInstance({ memoryLimit, tempDirectory: directory, allowedPaths: null });
    const main = await instance.connect();
    // Else rows that come from this process are written by one thread. Runs of them stay together all the same.
    await main.run('SET GLOBAL preserve_insertion_order = false');
    return new Engine(instance, main, new ScratchDisk(directory), own);
  }

  async write(input: BatchInput, options: DataFileOptions): Promise<readonly DataFile[]> {
    const { signal } = options;
    const { schema, code, partition } = codedBatches(options);
    return this.#work(signal, (connection, rows) => {
      const run = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
        (await connection.runAndReadAll(sql)).getRowObjectsJson();
      const copy = (query: string): Promise<readonly DataFile[]> =>
        copyRows({ query, checks: [], partition, run }, options);
      if (isPresent(input)) return this.#pulled.read(schema, present(input, code, signal), copy);
      return rows.collect(schema, awaited(input, code, signal)).then(copy);
    });
  }

  async rewrite(rewrite: DataFileRewrite, options: DataFileOptions): Promise<readonly DataFile[] | null> {
    try {
      return await this.#work(options.signal, (connection, rows) =>
        rewriteFiles(rewrite, options, { connection, rows, files: this.#files, scratch: this.#scratch }),
      );
    } catch (error) {
      throwIfAborted(options.signal);
      throw duckdbError(error);
    }
  }

  /** On a connection of its own, which is interrupted when the signal says so. */
  async #work<T>(
    signal: AbortSignal | undefined,
    work: (connection: DuckDBConnection, rows: QueryRows) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#instance.connect();
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener('abort', interrupt, { once: true });
    const rows = new QueryRows(this.#feeds, () => this.#lend());
    try {
      return await work(connection, rows);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      rows.dispose();
      connection.closeSync();
    }
  }

  async #lend(): Promise<Lent> {
    const connection = await this.#instance.connect();
    return { connection, release: () => connection.closeSync() };
  }

  async close(): Promise<void> {
    this.#main.closeSync();
    this.#instance.closeSync();
    if (this.#ownTempDirectory !== null) await rm(this.#ownTempDirectory, { recursive: true, force: true });
  }
}

type Code = (batch: ColumnBatch) => ColumnBatch;

function* present(input: Iterable<ColumnBatch>, code: Code, signal: AbortSignal | undefined): Generator<ColumnBatch> {
  for (const batch of input) {
    throwIfAborted(signal);
    yield code(batch);
  }
}

async function* awaited(
  input: AsyncIterable<ColumnBatch>,
  code: Code,
  signal: AbortSignal | undefined,
): AsyncGenerator<ColumnBatch> {
  for await (const batch of input) {
    throwIfAborted(signal);
    yield code(batch);
  }
}
