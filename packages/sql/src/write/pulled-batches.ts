import { BIGINT, DuckDBTableFunction } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { StructType } from '@lh/core';
import type { ColumnBatch } from '@lh/core/engine';
import { fedIcebergType } from '../feed/column-types.ts';
import type { FedType } from '../feed/column-types.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';

const FUNCTION = '__lh_pull';
/** Rows of a DuckDB vector. */
const CHUNK_ROWS = 2048;
/** One thread takes so many rows at once, so that those of a row group stay together. */
const RUN_ROWS = 122_880;
/** Each thread holds a run of rows. */
const MAX_THREADS = 8;

interface Pull {
  readonly names: readonly string[];
  readonly types: readonly FedType[];
  readonly batches: Iterator<ColumnBatch>;
  /** What the batches' maker threw, which DuckDB knows the text of only. */
  failure: unknown;
}

/** What a thread of DuckDB's has still to read. */
interface Run {
  readonly batches: ColumnBatch[];
  /** The next row of the first batch. */
  row: number;
}

/** Batches that are made when DuckDB asks for them, each read once, by any number of its threads. */
export class PulledBatches {
  readonly #pulls = new Map<bigint, Pull>();
  #next = 0n;

  constructor(connection: DuckDBConnection) {
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name: FUNCTION,
        parameterTypes: [BIGINT],
        bindFunction: (info) => {
          const pull = this.#pulls.get(info.getParameter(0) as bigint);
          if (!pull) return info.setError('These rows have been read.');
          pull.names.forEach((name, i) => info.addResultColumn(name, pull.types[i]!.type));
          info.setBindData(pull);
        },
        initFunction: (info) => info.setMaxThreads(MAX_THREADS),
        localInitFunction: (info) => info.setInitData({ batches: [], row: 0 } satisfies Run),
        mainFunction: (info, output) => {
          const pull = info.getBindData() as Pull;
          try {
            fillChunk(pull, info.getLocalInitData() as Run, output.chunk);
          } catch (error) {
            pull.failure ??= error;
            info.setError(error instanceof Error ? error.message : String(error));
          }
        },
      }),
    );
  }

  /**
   * Runs a statement over batches of a schema, whose rows `use` gets as a query. An error of the batches' maker is
   * thrown as it is.
   */
  async read<T>(schema: StructType, batches: Iterable<ColumnBatch>, use: (query: string) => Promise<T>): Promise<T> {
    const id = this.#next++;
    const types = schema.fields.map(({ type }) => fedIcebergType(type));
    const names = duckdbNames(schema);
    const pull: Pull = { names, types, batches: batches[Symbol.iterator](), failure: null };
    this.#pulls.set(id, pull);
    try {
      return await use(`SELECT ${names.map(quoteName).join(', ')} FROM ${FUNCTION}(${id})`);
    } catch (error) {
      throw pull.failure ?? error;
    } finally {
      this.#pulls.delete(id);
      pull.batches.return?.();
    }
  }
}

function fillChunk(pull: Pull, run: Run, chunk: duckdb.DataChunk): void {
  if (run.batches.length === 0) takeRun(pull, run);
  const [batch] = run.batches;
  if (!batch) {
    duckdb.data_chunk_set_size(chunk, 0);
    return;
  }
  const count = Math.min(CHUNK_ROWS, batch.length - run.row);
  duckdb.data_chunk_set_size(chunk, count);
  batch.columns.forEach((column, i) => {
    pull.types[i]!.fill(duckdb.data_chunk_get_vector(chunk, i), column, run.row, count);
  });
  run.row += count;
  if (run.row < batch.length) return;
  run.batches.shift();
  run.row = 0;
}

function takeRun({ batches }: Pull, run: Run): void {
  for (let rows = 0; rows < RUN_ROWS;) {
    const { value, done } = batches.next() as IteratorResult<ColumnBatch, undefined>;
    if (done) return;
    if (value.length === 0) continue;
    run.batches.push(value);
    rows += value.length;
  }
}
