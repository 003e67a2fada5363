import type { DuckDBConnection } from '@duckdb/node-api';
import type { StructType } from '@lh/core';
import { batchBytes } from '@lh/core/engine';
import type { ColumnBatch } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import { quoteName } from '../text/quote.ts';
import { icebergFeed } from './feeds.ts';
import type { Feed, Feeds } from './feeds.ts';

/** A connection to be given back. */
export interface Lent {
  readonly connection: DuckDBConnection;
  release(): void;
}

/** Rows beyond so many bytes go into a table of DuckDB's, which spills them to disk if they don't fit into its memory. */
const MEMORY_BYTES = 64 * 2 ** 20;

/** Rows that come from this library, for DuckDB to read in one query; they are forgotten when it is through. */
export class QueryRows {
  readonly #feeds: Feeds;
  readonly #lend: () => Promise<Lent>;
  readonly #memoryBytes: number;
  readonly #ids: bigint[] = [];
  readonly #databases: string[] = [];

  constructor(feeds: Feeds, lend: () => Promise<Lent>, memoryBytes: number = MEMORY_BYTES) {
    this.#feeds = feeds;
    this.#lend = lend;
    this.#memoryBytes = memoryBytes;
  }

  /** SQL that reads rows which are in memory. */
  feed(feed: Feed): string {
    const id = this.#feeds.add(feed);
    this.#ids.push(id);
    return this.#feeds.relation(id);
  }

  /** SQL that reads the rows of batches, however many there are; of no more batches than have `maxRows`, if that is given. */
  async collect(
    schema: StructType,
    batches: AsyncIterable<ColumnBatch>,
    maxRows: number | null = null,
  ): Promise<string> {
    let [kept, bytes]: [ColumnBatch[], number] = [[], 0];
    let table: string | null = null;
    for await (const batch of enough(batches, maxRows)) {
      kept.push(batch);
      bytes += batchBytes(batch);
      if (bytes < this.#memoryBytes) continue;
      table = await this.#store(icebergFeed(schema, kept), table);
      [kept, bytes] = [[], 0];
    }
    const rest = icebergFeed(schema, kept);
    if (table === null) return this.feed(rest);
    if (rest.rowCount > 0) await this.#store(rest, table);
    return `SELECT ${rest.select.join(', ')} FROM ${table}`;
  }

  /** The rows may still be being read: DuckDB keeps them until they aren't. */
  dispose(): void {
    for (const id of this.#ids.splice(0)) this.#feeds.remove(id);
    const databases = this.#databases.splice(0);
    // A closed session has let go of everything.
    if (databases.length > 0) void this.#drop(databases).catch(() => undefined);
  }

  /** Adds rows to a table, which is made if there is none yet; gives its name. */
  async #store(feed: Feed, table: string | null): Promise<string> {
    const id = this.#feeds.add(feed);
    const { connection, release } = await this.#lend();
    try {
      const source = this.#feeds.source(id);
      if (table !== null) {
        await connection.run(`INSERT INTO ${table} ${source}`);
        return table;
      }
      // A database of its own: a transaction that is open elsewhere sees it, as it has not looked into it before.
      const database = quoteName(`__lh_rows_${id}`);
      await connection.run(`ATTACH ':memory:' AS ${database}`);
      this.#databases.push(database);
      await connection.run(`CREATE TABLE ${database}.main.collected AS ${source}`);
      return `${database}.main.collected`;
    } catch (error) {
      throw duckdbError(error);
    } finally {
      release();
      this.#feeds.remove(id);
    }
  }

  async #drop(databases: readonly string[]): Promise<void> {
    const { connection, release } = await this.#lend();
    try {
      for (const database of databases) await connection.run(`DETACH ${database}`);
    } finally {
      release();
    }
  }
}

/** Batches until there are so many rows. */
async function* enough(batches: AsyncIterable<ColumnBatch>, maxRows: number | null): AsyncGenerator<ColumnBatch> {
  let missing = maxRows ?? Number.POSITIVE_INFINITY;
  if (missing <= 0) return;
  for await (const batch of batches) {
    yield batch;
    missing -= batch.length;
    if (missing <= 0) return;
  }
}
