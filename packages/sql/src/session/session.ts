import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LakehouseError } from '@lh/core';
import { Feeds } from '../feed/feeds.ts';
import type { SqlResult } from '../results/sql-result.ts';
import { quoteString } from '../text/quote.ts';
import { openInstance } from './instance.ts';
import type { InstanceOptions } from './instance.ts';
import { applySettings, readSettings } from './settings.ts';
import type { SessionSettings } from './settings.ts';

/** A connection that a statement runs on, until `release`. */
export interface Lease {
  readonly connection: DuckDBConnection;
  /** Begins a transaction that lasts as long as the lease: `now()` then has one value. */
  begin(): Promise<boolean>;
  /** Says that the statement is through: its rows are fetched, or no one wants them. */
  release(): void;
}

/**
 * DuckDB and its connections. The main one belongs to the user as well: it has the temporary tables, macros, variables
 * and settings. Queries that need nothing of those run beside it, so that several results can be read at once.
 */
export class Session {
  readonly main: DuckDBConnection;
  readonly feeds: Feeds;
  readonly #instance: DuckDBInstance;
  readonly #initialSettings: SessionSettings;
  readonly #ownTempDirectory: string | null;
  readonly #idle: DuckDBConnection[] = [];
  readonly #idleSettings = new WeakMap<DuckDBConnection, SessionSettings>();
  readonly #leaked: FinalizationRegistry<() => void>;
  #settings: SessionSettings;
  #settingsAreKnown = true;
  #mainQueue: Promise<unknown> = Promise.resolve();
  /** The result that is still being read from the main connection. */
  #mainResult: WeakRef<SqlResult> | null = null;
  /** Results that are still being read from other connections. */
  #results: WeakRef<SqlResult>[] = [];
  #closed = false;

  private constructor(
    instance: DuckDBInstance,
    main: DuckDBConnection,
    settings: SessionSettings,
    ownTempDirectory: string | null,
  ) {
    this.#instance = instance;
    this.main = main;
    this.#initialSettings = settings;
    this.#settings = settings;
    this.#ownTempDirectory = ownTempDirectory;
    this.feeds = new Feeds(main);
    this.#leaked = new FinalizationRegistry((release) => release());
  }

  static async open(options: InstanceOptions): Promise<Session> {
    // DuckDB's own default is a directory in the working directory, which would stay there.
    const ownTempDirectory = options.tempDirectory === undefined ? await mkdtemp(join(tmpdir(), 'lakehouse-')) : null;
    const instance = await openInstance({
      ...options,
      tempDirectory: options.tempDirectory ?? ownTempDirectory ?? undefined,
    });
    const main = await instance.connect();
    return new Session(instance, main, await readSettings(main), ownTempDirectory);
  }

  /** The session's settings that change what a query means. */
  async settings(): Promise<SessionSettings> {
    if (!this.#settingsAreKnown) {
      this.#settings = await this.onMain(() => readSettings(this.main));
      this.#settingsAreKnown = true;
    }
    return this.#settings;
  }

  /** A statement or someone with the raw connection may have changed settings. */
  forgetSettings(): void {
    this.#settingsAreKnown = false;
  }

  /** Runs something on the main connection, after what is before it there. A result that is being read is read to its end. */
  async onMain<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#mainQueue.then(async () => {
      this.#checkOpen();
      await this.#mainResult?.deref()?.detach();
      this.#mainResult = null;
      return work();
    });
    this.#mainQueue = turn.catch(() => undefined);
    return turn;
  }

  /** Whether a name of one part is that of a table or view of DuckDB's, in the schema that it is in now. */
  async hasTable(name: string): Promise<boolean> {
    const isVisible = `lower(table_name) = lower(${quoteString(name)})
      AND (temporary OR (database_name = current_database() AND schema_name = current_schema()))`;
    const sql = `SELECT 1 FROM (
      SELECT table_name, temporary, database_name, schema_name FROM duckdb_tables()
      UNION ALL SELECT view_name, temporary, database_name, schema_name FROM duckdb_views() WHERE NOT internal
    ) WHERE ${isVisible} LIMIT 1`;
    return this.onMain(async () => (await this.main.runAndReadAll(sql)).currentRowCount > 0);
  }

  /** Remembers that a result is being read from the main connection. */
  readsFromMain(result: SqlResult): void {
    this.#mainResult = new WeakRef(result);
  }

  /** A connection beside the main one, with the session's settings. */
  async lease(): Promise<Lease> {
    this.#checkOpen();
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    const settings = await this.settings();
    await applySettings(connection, this.#idleSettings.get(connection) ?? this.#initialSettings, settings);
    this.#idleSettings.set(connection, settings);
    let released = false;
    let began = false;
    return {
      connection,
      begin: async () => {
        await connection.run('BEGIN');
        began = true;
        return true;
      },
      release: () => {
        if (released) return;
        released = true;
        if (began) void this.#rollBack(connection);
        else this.#giveBack(connection);
      },
    };
  }

  #giveBack(connection: DuckDBConnection): void {
    if (this.#closed) connection.closeSync();
    else this.#idle.push(connection);
  }

  /** A connection whose transaction can't be ended isn't used again. */
  async #rollBack(connection: DuckDBConnection): Promise<void> {
    try {
      await connection.run('ROLLBACK');
      this.#giveBack(connection);
    } catch {
      connection.closeSync();
    }
  }

  /** Closes the result when the session is closed, and calls `release` if it is forgotten before its end was read. */
  follow(result: SqlResult, release: () => void): void {
    this.#leaked.register(result, release);
    this.#results = this.#results.filter((known) => known.deref()?.isOpen === true);
    if (result.isOpen) this.#results.push(new WeakRef(result));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const result of [this.#mainResult, ...this.#results]) result?.deref()?.close();
    for (const connection of this.#idle) connection.closeSync();
    this.main.closeSync();
    this.#instance.closeSync();
    if (this.#ownTempDirectory !== null) await rm(this.#ownTempDirectory, { recursive: true, force: true });
  }

  #checkOpen(): void {
    if (this.#closed) throw new LakehouseError('INVALID_ARGUMENT', 'The lakehouse is closed.');
  }
}
