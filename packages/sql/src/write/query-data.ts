import type { DataFile, DataFileWriter } from '@lh/core';
import { coreWriter, inputBatches, sourceField } from '@lh/core/engine';
import type { BatchInput, DataFileOptions, SelfWritingRows } from '@lh/core/engine';
import type { RecordBatch } from 'apache-arrow';
import type { SqlResult } from '../results/sql-result.ts';
import { copyRows } from './copy-rows.ts';
import type { CopySource } from './copy-rows.ts';
import { copyWarnings } from './copy-settings.ts';
import { QUERY, renamedColumns, selectColumns } from './query-columns.ts';
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

  /** @internal */
  constructor({ query, run, writer, isRestricted }: QueryDataOptions) {
    this.#query = query;
    this.#run = run;
    this.#writer = writer;
    this.#isRestricted = isRestricted;
  }

  /** The rows as Arrow batches. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#batches(this.#query, undefined);
  }

  async *#batches(sql: string, signal: AbortSignal | undefined): AsyncGenerator<RecordBatch, void, undefined> {
    yield* (await this.#run(sql, signal)).batches();
  }

  /** @internal */
  async writeDataFiles(options: DataFileOptions): Promise<readonly DataFile[]> {
    const { schema, signal } = options;
    // Lines of their own, as the text may end in a comment.
    const from = `FROM (\n${this.#query}\n) AS ${QUERY}`;
    const described = await (await this.#run(`SELECT * ${from} LIMIT 0`, signal)).arrow();
    const given = described.schema.fields.map((field) => sourceField(field));
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
      run: async (sql) => (await this.#run(sql, signal)).rows(),
    };
    return copyRows(source, options);
  }
}
