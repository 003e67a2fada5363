import type { DataFile, DataFileWriter, NestedField } from '@lh/core';
import { coreWriter, defaultValue, inputBatches, invalidArgument } from '@lh/core/engine';
import type { DataFileOptions, SelfWritingRows } from '@lh/core/engine';
import type { RecordBatch } from 'apache-arrow';
import type { SqlResult } from '../results/sql-result.ts';
import { nearNames } from '../text/near-names.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbType } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';
import { copyRows } from './copy-rows.ts';
import type { CopySource } from './copy-rows.ts';
import { copyWarnings } from './copy-settings.ts';
import { requiredValues } from './required-values.ts';
import { sqlPartitions } from './sql-partitions.ts';
import { unwritable } from './unwritable.ts';

/** Runs a statement with the parameters of the query. */
type Run = (sql: string, signal?: AbortSignal) => Promise<SqlResult>;

/**
 * The rows of a query, as something to be written to a table: `table.append(lake.query('SELECT …'))`. DuckDB runs it
 * and writes the files in one go. Columns go by name, of any case, and are cast to the table's types. Each use runs the
 * query again.
 */
export class QueryData implements SelfWritingRows {
  readonly #query: string;
  readonly #run: Run;
  /** For tables whose partitions only core can tell. */
  readonly #writer: DataFileWriter;

  /** @internal */
  constructor(query: string, run: Run, writer: DataFileWriter) {
    this.#query = query;
    this.#run = run;
    this.#writer = writer;
  }

  /** The rows as Arrow batches. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    yield* (await this.#run(this.#query)).batches();
  }

  /** @internal */
  async writeDataFiles(options: DataFileOptions): Promise<readonly DataFile[]> {
    const { schema, signal } = options;
    const batches = () => inputBatches(this, schema, signal ? { signal } : {});
    const reason = unwritable(options);
    if (reason !== null) {
      options.onWarning?.(`Core wrote the files, as DuckDB can't: ${reason}.`);
      return coreWriter.writeDataFiles(batches(), options);
    }
    const partition = sqlPartitions(options);
    if (partition === undefined) return this.#writer.writeDataFiles(batches(), options);
    for (const warning of copyWarnings(options.properties)) options.onWarning?.(warning);
    // Lines of their own, as the text may end in a comment.
    const from = `FROM (\n${this.#query}\n) AS ${QUERY}`;
    const { columns } = await this.#run(`SELECT * ${from} LIMIT 0`, signal);
    const names = columns.map(({ name }) => name);
    const source: CopySource = {
      query: `SELECT ${selectColumns(schema.fields, names).join(', ')} ${from}`,
      checks: requiredValues(schema),
      partition,
      run: async (sql) => (await this.#run(sql, signal)).rows(),
    };
    return copyRows(source, options);
  }
}

const QUERY = '__lh_query';

/** The table's columns out of those of a query; one that is missing takes its write default, or null. */
function selectColumns(fields: readonly NestedField[], given: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  const select = fields.map((field) => {
    const found = given.find((name) => name === field.name) ?? findIgnoringCase(field.name, given);
    const name = quoteName(field.name);
    if (found === undefined) return `${absent(field)} AS ${name}`;
    taken.add(found);
    return `CAST(${QUERY}.${quoteName(found)} AS ${duckdbType(field.type)}) AS ${name}`;
  });
  const unknown = given.find((name) => !taken.has(name));
  if (unknown !== undefined) {
    const near = nearNames(
      unknown,
      fields.map(({ name }) => name),
    );
    const hint = near.length === 0 ? '' : ` Did you mean ${near.map((name) => `'${name}'`).join(' or ')}?`;
    throw invalidArgument(`The query has a column '${unknown}', which the table lacks.${hint}`);
  }
  return select;
}

function findIgnoringCase(wanted: string, given: readonly string[]): string | undefined {
  return given.find((name) => name.toLowerCase() === wanted.toLowerCase());
}

function absent(field: NestedField): string {
  const value = defaultValue(field, 'writeDefault');
  if (value === null && field.required) {
    throw invalidArgument(`The column '${field.name}' is required, and the query lacks it.`);
  }
  return valueLiteral(field.type, value);
}
