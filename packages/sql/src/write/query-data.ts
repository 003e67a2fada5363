import type { DataFile, DataFileWriter } from '@lh/core';
import { coreWriter, inputBatches, sourceField } from '@lh/core/engine';
import type { BatchInput, DataFileOptions, SelfWritingRows, SourceField } from '@lh/core/engine';
import type { RecordBatch } from 'apache-arrow';
import type { SqlResult } from '../results/sql-result.ts';
import { copyRows } from './copy-rows.ts';
import type { CopySource } from './copy-rows.ts';
import { copyWarnings } from './copy-settings.ts';
import { QUERY, checkWidth, renamedColumns, selectColumns } from './query-columns.ts';
import { quoteName } from '../text/quote.ts';
import type { ScanReport } from '../query/scan-report.ts';
import { sqlPartitions } from './sql-partitions.ts';
import { isMovedIn } from './staging.ts';
import { unwritable } from './unwritable.ts';
import { valueChecks } from './value-checks.ts';

/** Runs a statement with the parameters of the query. */
type Run = (sql: string, signal?: AbortSignal) => Promise<SqlResult>;

export interface QueryDataOptions {
  /** The text of one query. */
  readonly query: string;
  readonly run: Run;
  readonly writer: DataFileWriter;
  readonly isRestricted: boolean;
  /** The table's columns that those of the query are, in their order; they go by name if left out. */
  readonly columns?: readonly string[] | undefined;
}

/**
 * The rows of a query, as something to be written to a table: `table.append(lake.query('SELECT …'))`. DuckDB runs it
 * and writes the files in one go. Columns go by name, of any case, and are cast to the table's types. Each use runs the
 * query again.
 */
export class QueryData implements SelfWritingRows {
  readonly #query: string;
  readonly #run: Run;
  /** For tables whose partitions only core can tell, and for files that the session must not make. */
  readonly #writer: DataFileWriter;
  /** The session can write to the places of tables only. */
  readonly #isRestricted: boolean;
  readonly #columns: readonly string[] | undefined;
  #rowCount = 0;
  #scans: readonly ScanReport[] = [];

  /** @internal */
  constructor({ query, run, writer, isRestricted, columns }: QueryDataOptions) {
    this.#columns = columns;
    this.#query = query;
    this.#run = run;
    this.#writer = writer;
    this.#isRestricted = isRestricted;
  }

  /** @internal How many rows the last use has written. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** @internal What the query has read of tables of catalogs, when it was used last. */
  get scans(): readonly ScanReport[] {
    return this.#scans;
  }

  /** @internal The rows as a result of their own. */
  result(): Promise<SqlResult> {
    return this.#run(this.#query);
  }

  /** The rows as Arrow batches. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#batches(this.#query, undefined);
  }

  async *#batches(sql: string, signal: AbortSignal | undefined): AsyncGenerator<RecordBatch, void, undefined> {
    const result = await this.#run(sql, signal);
    this.#scans = result.scans;
    yield* result.batches();
  }

  /** @internal */
  async writeDataFiles(options: DataFileOptions): Promise<readonly DataFile[]> {
    const files = await this.#writeDataFiles(options);
    this.#rowCount = files.reduce((sum, { recordCount }) => sum + recordCount, 0);
    return files;
  }

  async #writeDataFiles(options: DataFileOptions): Promise<readonly DataFile[]> {
    const { schema, signal } = options;
    const { from, given } = await this.#describe(signal);
    const batches = (): BatchInput => {
      const renamed = `SELECT ${renamedColumns(schema.fields, given).join(', ')} ${from}`;
      return inputBatches(this.#batches(renamed, signal), schema, signal ? { signal } : {});
    };
    const reason = unwritable(options);
    if (reason !== null) {
      options.onWarning?.(`Core wrote the files, as DuckDB can't: ${reason}.`);
      return coreWriter.writeDataFiles(batches(), options);
    }
    const partition = sqlPartitions(options);
    const select = selectColumns(schema.fields, given);
    if (partition === undefined || select === null || (this.#isRestricted && !isMovedIn(options.io))) {
      return this.#writer.writeDataFiles(batches(), options);
    }
    for (const warning of copyWarnings(options.properties)) options.onWarning?.(warning);
    const source: CopySource = {
      query: `SELECT ${select.join(', ')} ${from}`,
      checks: valueChecks(schema),
      partition,
      run: async (sql) => {
        const result = await this.#run(sql, signal);
        this.#scans = result.scans;
        return result.rows();
      },
    };
    return copyRows(source, options);
  }

  /** The query as a FROM clause, and its columns under the names that they have there. */
  async #describe(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly from: string; readonly given: readonly SourceField[] }> {
    // Lines of their own, as the text may end in a comment.
    const from = `FROM (\n${this.#query}\n) AS ${QUERY}`;
    const { schema } = await (await this.#run(`SELECT * ${from} LIMIT 0`, signal)).arrow();
    const given = schema.fields.map((field) => sourceField(field));
    const columns = this.#columns;
    if (columns === undefined) return { from, given };
    checkWidth(given.length, columns);
    return {
      from: `${from}(${columns.map(quoteName).join(', ')})`,
      given: given.map((field, i) => ({ ...field, name: columns[i]! })),
    };
  }
}
