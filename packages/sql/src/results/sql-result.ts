import type { DuckDBType } from '@duckdb/node-api';
import { LakehouseError } from '@lh/core';
import { DataType, Table } from 'apache-arrow';
import type { RecordBatch } from 'apache-arrow';
import type { ScanReport } from '../query/scan-report.ts';
import type { BatchSource, ResultColumn } from './batch-source.ts';
import type { RowOptions, ValueReader } from './codec.ts';
import { define } from './nested-codecs.ts';
import { printTable } from './print-table.ts';
import type { PrintOptions } from './print-table.ts';
import type { OnProgress } from './progress.ts';

/** Rows fetched before `lake.sql` returns: most results are whole with these. */
const FIRST_ROWS = 8192;
/** Rows per Arrow batch. */
const BATCH_ROWS = 65_536;

export interface SqlResultOptions {
  /** Null for a statement that gives no rows. */
  readonly source: BatchSource | null;
  readonly scans: readonly ScanReport[];
  /** Rows that a statement without rows changed. */
  readonly changedRows: number | null;
  /** What it did to them, like 'inserted'. */
  readonly verb?: string | undefined;
  /** What the statement committed. */
  readonly snapshotId: bigint | null;
  /** Runs what fetches rows, and ends it when the caller wants no more; ABORTED then. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onProgress?: OnProgress | undefined;
  /** Turns what DuckDB throws while rows are fetched into the library's error. */
  readonly mapError: (error: unknown) => unknown;
  /** Called once, when no more rows will be fetched. */
  readonly done: () => void;
}

/**
 * The rows of a statement, fetched as they are asked for. `batches()` streams them, once; `rows()` and `arrow()` read
 * to the end, keep what they read, and may be called again.
 */
export class SqlResult {
  readonly columns: readonly ResultColumn[];
  /** One report per mention of a table: which files were scanned, which were skipped, and by which predicate. */
  readonly scans: readonly ScanReport[];
  /** The snapshot that the statement committed; null for one that commits none. */
  readonly snapshotId: bigint | null;
  readonly #options: SqlResultOptions;
  /** Batches that were fetched and not streamed. */
  #kept: RecordBatch[] = [];
  #fetchedRows = 0;
  /** Batches go to `batches()` only. */
  #isStreamed = false;
  #isFinished = false;
  #isComplete = false;
  #failure: unknown = null;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(options: SqlResultOptions) {
    this.#options = options;
    this.columns = options.source?.columns ?? [];
    this.scans = options.scans;
    this.snapshotId = options.snapshotId;
  }

  /** @internal */
  static async start(options: SqlResultOptions): Promise<SqlResult> {
    const result = new SqlResult(options);
    if (options.source) await result.#enqueue(() => result.#fetch(FIRST_ROWS));
    else result.#finish();
    return result;
  }

  /** @internal DuckDB's types of the columns. */
  get types(): readonly DuckDBType[] {
    return this.#options.source?.types ?? [];
  }

  /** Rows of the result, or rows changed; null as long as rows of a large result are still to be fetched. */
  get rowCount(): number | null {
    if (!this.#options.source) return this.#options.changedRows ?? 0;
    return this.#isComplete ? this.#fetchedRows : null;
  }

  /** Every row as an object; the values are those of the README's type table. */
  async rows(options: RowOptions = {}): Promise<Record<string, unknown>[]> {
    const batches = await this.#all();
    const names = this.columns.map((column) => column.name);
    const rows: Record<string, unknown>[] = [];
    for (const batch of batches) {
      const readers = this.#readers(batch, options);
      for (let row = 0; row < batch.numRows; row++) rows.push(rowObject(names, readers, row));
    }
    return rows;
  }

  /** The whole result as an Arrow table. */
  async arrow(): Promise<Table> {
    const { source } = this.#options;
    return source ? new Table(source.schema, [...(await this.#all())]) : new Table();
  }

  /** Streams Arrow batches: no more of the result is in memory than one of them. It can be read once. */
  async *batches(): AsyncGenerator<RecordBatch, void, undefined> {
    if (!this.#options.source) return;
    this.#checkUnread();
    if (this.#isComplete) {
      yield* this.#kept;
      return;
    }
    this.#isStreamed = true;
    try {
      for (;;) {
        if (this.#kept.length === 0)
          await this.#enqueue(() => (this.#kept.length === 0 ? this.#fetch(BATCH_ROWS) : Promise.resolve()));
        const batch = this.#kept.shift();
        if (!batch) return;
        yield batch;
      }
    } finally {
      // Whoever leaves the loop doesn't want the rest.
      this.#finish();
    }
  }

  /** The first rows as a table of text. */
  table(options: PrintOptions = {}): string {
    const { source } = this.#options;
    if (!source) return this.#changes();
    this.#checkUnread();
    if (this.columns[1]?.name === 'explain_value') return this.#explained();
    const { maxRows = 40 } = options;
    const rows: unknown[][] = [];
    for (const batch of this.#kept) {
      const readers = this.#readers(batch, {});
      for (let row = 0; row < batch.numRows && rows.length < maxRows; row++)
        rows.push(readers.map((read) => read(row)));
    }
    // Like a CREATE TABLE, which is to be read and copied.
    if (rows.length === 1 && rows[0]!.length === 1 && isLines(rows[0]![0])) return rows[0]![0];
    const columns = this.columns.map(({ name }, i) => ({ name, isNumeric: isNumeric(source.codecs[i]!.arrowType) }));
    return printTable(columns, rows, this.#footer(rows.length), options);
  }

  #changes(): string {
    const { verb } = this.#options;
    const count = this.rowCount ?? 0;
    const isOfRows = verb !== undefined || count > 0;
    const rows = isOfRows
      ? `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'} ${verb ?? 'changed'}`
      : 'done';
    return this.snapshotId === null ? rows : `${rows}, snapshot ${this.snapshotId}`;
  }

  /** A plan is a drawing of many lines. */
  #explained(): string {
    return this.#kept
      .flatMap((batch) => Array.from({ length: batch.numRows }, (_, row) => String(this.#readers(batch, {})[1]!(row))))
      .join('\n');
  }

  /** @internal There are rows to be fetched. */
  get isOpen(): boolean {
    return !this.#isFinished;
  }

  /** @internal Fetches what is left, because the connection is needed for something else. */
  async detach(): Promise<void> {
    await this.#enqueue(async () => {
      while (!this.#isFinished) await this.#fetch(BATCH_ROWS);
    }).catch(() => undefined);
  }

  /** @internal The connection is going away. */
  close(): void {
    this.#finish();
  }

  async #all(): Promise<readonly RecordBatch[]> {
    this.#checkUnread();
    await this.#enqueue(async () => {
      while (!this.#isFinished) await this.#fetch(BATCH_ROWS);
    });
    if (this.#failure !== null) throw this.#failure;
    if (this.#options.source && !this.#isComplete) {
      throw new LakehouseError(
        'INVALID_ARGUMENT',
        'The lakehouse was closed before all rows of this result were read.',
      );
    }
    return this.#kept;
  }

  /** One fetch at a time: callers that read at once take turns. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #fetch(rows: number): Promise<void> {
    if (this.#isFinished) return;
    try {
      const batch = await this.#options.guard(() => this.#options.source!.next(rows));
      if (batch) {
        this.#fetchedRows += batch.numRows;
        this.#kept.push(batch);
        this.#options.onProgress?.({ phase: 'reading', fraction: null, rows: this.#fetchedRows });
      }
      if (this.#options.source!.isDone) {
        this.#isComplete = true;
        this.#finish();
      }
    } catch (error) {
      this.#failure = this.#options.mapError(error);
      this.#finish();
      throw this.#failure;
    }
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#options.done();
  }

  #checkUnread(): void {
    if (this.#isStreamed) {
      throw new LakehouseError(
        'INVALID_ARGUMENT',
        'The rows go to batches(), which can be read once; run the statement again to read them again.',
      );
    }
  }

  #readers(batch: RecordBatch, options: RowOptions): readonly ValueReader[] {
    return this.#options.source!.codecs.map((codec, i) => codec.reader(batch.data.children[i]!, options));
  }

  #footer(shown: number): string {
    const total = this.rowCount;
    const rows = `${total === null ? `more than ${this.#fetchedRows}` : total} ${total === 1 ? 'row' : 'rows'}`;
    return total === shown ? rows : `${rows}, the first ${shown} shown`;
  }
}

function rowObject(names: readonly string[], readers: readonly ValueReader[], row: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let i = 0; i < names.length; i++) define(object, names[i]!, readers[i]!(row));
  return object;
}

function isLines(value: unknown): value is string {
  return typeof value === 'string' && value.includes('\n');
}

function isNumeric(type: DataType): boolean {
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type);
}
