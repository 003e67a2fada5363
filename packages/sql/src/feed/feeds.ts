import { DuckDBTableFunction, BIGINT } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { StructType } from '@lh/core';
import { sourceColumn, sourceField } from '@lh/core/engine';
import type { ArrowDataLike, ArrowFieldLike, Column, ColumnBatch } from '@lh/core/engine';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { fedArrowType, fedIcebergType } from './column-types.ts';
import type { FedType } from './column-types.ts';
import type { Fill } from './fill.ts';

/** Rows in memory that DuckDB reads through a table function of ours. */
export interface Feed {
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  readonly fills: readonly Fill[];
  /** What SQL selects of the columns. */
  readonly select: readonly string[];
  readonly batches: readonly FeedBatch[];
  readonly rowCount: number;
}

interface FeedBatch {
  readonly length: number;
  /** Made when it is first read: Arrow's own layouts may have to be laid out plainly. */
  column(index: number): Column;
}

/** An Arrow table of any version or copy of apache-arrow: it is known by its shape. */
export interface ArrowTableLike {
  readonly schema: { readonly fields: readonly object[] };
  readonly batches: readonly object[];
}

export function isArrowTable(value: unknown): value is ArrowTableLike {
  const table = value as { batches?: unknown; schema?: { fields?: unknown } } | null;
  return (
    typeof table === 'object' && table !== null && Array.isArray(table.batches) && Array.isArray(table.schema?.fields)
  );
}

export function arrowFeed(table: ArrowTableLike): Feed {
  const fields = table.schema.fields.map((field) => sourceField(field as ArrowFieldLike));
  const types = fields.map(fedArrowType);
  const names = duckdbNames({
    kind: 'struct',
    fields: fields.map(({ name }) => ({ id: 0, name, required: false, type: { kind: 'unknown' } })),
  });
  const batches = table.batches.map((batch): FeedBatch => {
    const { data } = batch as { readonly data: ArrowDataLike };
    const columns = new Map<number, Column>();
    return {
      length: data.length,
      column(index) {
        const known = columns.get(index) ?? sourceColumn(data.children[index]!);
        columns.set(index, known);
        return known;
      },
    };
  });
  return makeFeed(names, types, batches);
}

/** Batches of Iceberg columns, as core's reader gives them. */
export function icebergFeed(schema: StructType, batches: readonly ColumnBatch[]): Feed {
  const types = schema.fields.map((field) => fedIcebergType(field.type));
  return makeFeed(
    duckdbNames(schema),
    types,
    batches.map(({ length, columns }) => ({ length, column: (index) => columns[index]! })),
  );
}

function makeFeed(names: readonly string[], types: readonly FedType[], batches: readonly FeedBatch[]): Feed {
  return {
    names,
    types: types.map(({ type }) => type),
    fills: types.map(({ fill }) => fill),
    select: types.map(({ convert }, i) => {
      const name = quoteName(names[i]!);
      return convert ? `${convert(name)} AS ${name}` : name;
    }),
    batches: batches.filter(({ length }) => length > 0),
    rowCount: batches.reduce((sum, { length }) => sum + length, 0),
  };
}

const FUNCTION = '__lh_feed';
/** Rows of a DuckDB vector. */
const CHUNK_ROWS = 2048;

interface Cursor {
  batch: number;
  row: number;
  readonly columns: readonly number[];
}

/** The feeds of one DuckDB instance, behind one table function that takes the number of a feed. */
export class Feeds {
  readonly #feeds = new Map<bigint, Feed>();
  #next = 0n;

  constructor(connection: DuckDBConnection) {
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name: FUNCTION,
        parameterTypes: [BIGINT],
        supportsProjectionPushdown: true,
        bindFunction: (info) => {
          const feed = this.#feeds.get(info.getParameter(0) as bigint);
          if (!feed) return info.setError('This data is no longer registered.');
          feed.names.forEach((name, i) => info.addResultColumn(name, feed.types[i]!));
          info.setCardinality(feed.rowCount, true);
          info.setBindData(feed);
        },
        initFunction: (info) => {
          const cursor: Cursor = { batch: 0, row: 0, columns: info.getColumnIndexes() };
          info.setInitData(cursor);
          // There is one JavaScript thread.
          info.setMaxThreads(1);
        },
        mainFunction: (info, output) => {
          try {
            feedChunk(info.getBindData() as Feed, info.getInitData() as Cursor, output.chunk);
          } catch (error) {
            info.setError(error instanceof Error ? error.message : String(error));
          }
        },
      }),
    );
  }

  add(feed: Feed): bigint {
    const id = this.#next++;
    this.#feeds.set(id, feed);
    return id;
  }

  remove(id: bigint): void {
    this.#feeds.delete(id);
  }

  /** SQL that reads a feed. */
  relation(id: bigint): string {
    const feed = this.#feeds.get(id)!;
    return `SELECT ${feed.select.join(', ')} FROM ${FUNCTION}(${id})`;
  }

  /** SQL that reads a feed's columns as they are filled in, of which `select` makes its values. */
  source(id: bigint): string {
    return `FROM ${FUNCTION}(${id})`;
  }
}

function feedChunk(feed: Feed, cursor: Cursor, chunk: duckdb.DataChunk): void {
  const batch = feed.batches[cursor.batch];
  if (!batch) {
    duckdb.data_chunk_set_size(chunk, 0);
    return;
  }
  const count = Math.min(CHUNK_ROWS, batch.length - cursor.row);
  duckdb.data_chunk_set_size(chunk, count);
  cursor.columns.forEach((column, i) => {
    // The row id is asked for when no column is (`count(*)`).
    if (column >= feed.fills.length) return;
    feed.fills[column]!(duckdb.data_chunk_get_vector(chunk, i), batch.column(column), cursor.row, count);
  });
  cursor.row += count;
  if (cursor.row === batch.length) {
    cursor.batch++;
    cursor.row = 0;
  }
}
