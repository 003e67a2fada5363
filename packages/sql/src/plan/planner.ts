import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { openInstance, queryText } from '../session/instance.ts';
import { applySettings, readSettings } from '../session/settings.ts';
import type { SessionSettings } from '../session/settings.ts';
import { mentionsContext } from '../query/context-calls.ts';
import { parseSerialized } from '../query/serialized.ts';
import type { Serialized } from '../query/serialized.ts';
import { quoteName, quoteString } from '../text/quote.ts';

export interface ShadowColumn {
  readonly name: string;
  /** DuckDB's type as SQL text. */
  readonly type: string;
}

/** The optimizers that bring filters down to the scans. */
const KEPT_OPTIMIZERS: ReadonlySet<string> = new Set([
  'expression_rewriter',
  'filter_pullup',
  'filter_pushdown',
  'cte_filter_pusher',
  'cte_inlining',
  'regex_range',
  'deliminator',
  'unnest_rewriter',
]);

/**
 * A DuckDB of its own that parses and plans, and never runs, the session's queries. Tables are there as empty shadows.
 *
 * Of the optimizers only those stay on that rewrite filters and push them down. Some of the others conclude from a
 * table being empty; after others (leaving out unused columns is one) some plans can't be serialized. They can be switched off only globally, which is why the
 * session's own instance can't plan.
 */
export class Planner {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  #settings: SessionSettings;
  /** Names of shadow tables that exist, by their columns. */
  readonly #shadows = new Map<string, string[]>();
  #shadowCount = 0;
  readonly #macros = new Set<string>();
  #builtIns: ReadonlySet<string> | null = null;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, settings: SessionSettings) {
    this.#instance = instance;
    this.#connection = connection;
    this.#settings = settings;
  }

  static async open(allowedPaths: readonly string[] | null): Promise<Planner> {
    const instance = await openInstance({ allowedPaths, threads: 1, memoryLimit: '1GB' });
    const connection = await instance.connect();
    const optimizers = await connection.runAndReadAll('SELECT name FROM duckdb_optimizers()');
    const disabled = optimizers
      .getRows()
      .map(([name]) => String(name))
      .filter((name) => !KEPT_OPTIMIZERS.has(name));
    await connection.run(`SET disabled_optimizers = ${quoteString(disabled.join(','))}`);
    return new Planner(instance, connection, await readSettings(connection));
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  /** The parsed query; anything but a SELECT is refused with the error 'not implemented'. */
  async parse(sql: string): Promise<Serialized> {
    return this.#serialized(`SELECT json_serialize_sql(${quoteString(sql)}, skip_null := true, skip_empty := true)`);
  }

  /** The optimized plan of a query over shadow tables. */
  async plan(sql: string, settings: SessionSettings): Promise<Serialized> {
    await applySettings(this.#connection, this.#settings, settings);
    this.#settings = settings;
    return this.#serialized(`SELECT json_serialize_plan(${quoteString(sql)}, skip_null := true, optimize := true)`);
  }

  /** The names that DuckDB gives the columns of a query over shadow tables. */
  async columnNames(sql: string): Promise<readonly string[]> {
    const statement = await this.#connection.prepare(sql);
    try {
      return Array.from({ length: statement.columnCount }, (_, i) => statement.columnName(i));
    } finally {
      statement.destroySync();
    }
  }

  async #serialized(sql: string): Promise<Serialized> {
    return parseSerialized(await queryText(this.#connection, sql));
  }

  /**
   * Names of empty tables with the given columns, one per mention of a table in a query: their scans are told apart by
   * name.
   */
  async shadows(mentions: readonly (readonly ShadowColumn[])[]): Promise<readonly string[]> {
    const used = new Map<string, number>();
    const names: string[] = [];
    for (const columns of mentions) {
      const definition = columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ');
      const index = used.get(definition) ?? 0;
      used.set(definition, index + 1);
      names.push(await this.#shadow(definition, index));
    }
    return names;
  }

  async #shadow(definition: string, index: number): Promise<string> {
    const known = this.#shadows.get(definition) ?? [];
    this.#shadows.set(definition, known);
    while (known.length <= index) {
      const name = `__lh_scan_${this.#shadowCount++}`;
      await this.#connection.run(`CREATE TABLE ${quoteName(name)} (${definition})`);
      known.push(name);
    }
    return known[index]!;
  }

  /** Those of the functions that DuckDB doesn't bring along: macros of the session. */
  async unknownFunctions(functions: ReadonlySet<string>): Promise<readonly string[]> {
    if (!this.#builtIns) {
      const reader = await this.#connection.runAndReadAll(
        'SELECT DISTINCT lower(function_name) FROM duckdb_functions()',
      );
      this.#builtIns = new Set(reader.getRows().map(([name]) => String(name)));
    }
    return [...functions].filter((name) => !this.#builtIns!.has(name));
  }

  /**
   * Makes the session's macros known here; those that don't bind are left out, and queries that use them run unpruned.
   * False if one depends on when or by whom it is called.
   */
  async copyMacros(session: DuckDBConnection): Promise<boolean> {
    let areTimeless = true;
    const reader = await session.runAndReadAll(`
      SELECT function_name, parameters, macro_definition, function_type FROM duckdb_functions()
      WHERE NOT internal AND function_type IN ('macro', 'table_macro') ORDER BY function_oid`);
    for (const [name, parameters, definition, type] of reader.getRowsJS()) {
      const names = (parameters as readonly string[]).map(quoteName).join(', ');
      const body = type === 'table_macro' ? `TABLE ${String(definition)}` : `(${String(definition)})`;
      areTimeless &&= !mentionsContext(String(definition));
      const sql = `CREATE OR REPLACE MACRO ${quoteName(String(name))}(${names}) AS ${body}`;
      if (this.#macros.has(sql)) continue;
      try {
        await this.#connection.run(sql);
        this.#macros.add(sql);
      } catch {
        // It refers to something that only the session has.
      }
    }
    return areTimeless;
  }
}
