import type { DuckDBResult, DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { Field, RecordBatch, Schema, Struct, makeData } from 'apache-arrow';
import type { ColumnCodec } from './codec.ts';
import { codecFor, typeText } from './codecs.ts';

export interface ResultColumn {
  readonly name: string;
  /** DuckDB's type as SQL text. */
  readonly type: string;
}

/** Turns the chunks of a running query into Arrow batches, one at a time. */
export class BatchSource {
  readonly columns: readonly ResultColumn[];
  readonly types: readonly DuckDBType[];
  readonly codecs: readonly ColumnCodec[];
  readonly schema: Schema;
  readonly #result: DuckDBResult;
  #done = false;

  constructor(result: DuckDBResult) {
    const types: readonly DuckDBType[] = result.columnTypes();
    const names = result.deduplicatedColumnNames();
    this.#result = result;
    this.types = types;
    this.columns = names.map((name, i) => ({ name, type: typeText(types[i]!) }));
    this.codecs = types.map(codecFor);
    this.schema = new Schema(names.map((name, i) => new Field(name, this.codecs[i]!.arrowType, true)));
  }

  /** The next rows, `target` of them or a few more; null when there are none left. */
  async next(target: number): Promise<RecordBatch | null> {
    if (this.#done) return null;
    const copiers = this.codecs.map((codec) => codec.copier(target + CHUNK_ROWS));
    let rows = 0;
    while (rows < target) {
      const chunk = await this.#result.fetchChunk();
      const count = chunk?.rowCount ?? 0;
      if (!chunk || count === 0) {
        this.#done = true;
        break;
      }
      copiers.forEach((copier, i) => {
        copier.open(duckdb.data_chunk_get_vector(chunk.chunk, i), count);
        copier.copy(0, count);
      });
      rows += count;
    }
    if (rows === 0) return null;
    const children = copiers.map((copier) => copier.finish());
    const type = new Struct(this.schema.fields);
    return new RecordBatch(this.schema, makeData({ type, length: rows, nullCount: 0, children }));
  }

  get isDone(): boolean {
    return this.#done;
  }
}

/** Rows of a DuckDB vector. */
const CHUNK_ROWS = 2048;
