import { LakehouseError } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import type { Planner } from '../plan/planner.ts';
import { explainedQuery } from '../results/explain.ts';
import type { SqlResult } from '../results/sql-result.ts';
import type { Session } from '../session/session.ts';
import type { StatementRequest, StatementText } from '../statements/statement-text.ts';
import { classify } from '../text/statements.ts';
import type { InnerQuery } from '../text/statements.ts';
import { isKeyword, isSymbol, tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import { keywordReferences } from './keyword-references.ts';
import { resolveMentions } from './mentions.ts';
import type { Mention } from './mentions.ts';
import type { PreparedQuery, QueryRunner } from './query-runner.ts';
import { syntaxError } from './query-text.ts';
import type { Executor, PrepareOptions, QueryText } from './query-text.ts';
import { resolveRead } from './resolve-read.ts';
import type { Serialized } from './serialized.ts';
import type { SessionViews } from './session-views.ts';
import { startStatement } from './start-statement.ts';
import { findReferences } from './table-references.ts';
import type { QueryReferences } from './table-references.ts';
import type { TableResolver } from './table-resolver.ts';

/** How the caller follows a statement, and stops it. */
export type Control = Pick<StatementRequest, 'signal' | 'onProgress'>;

export interface QueryExecutionOptions {
  readonly session: Session;
  readonly planner: Planner;
  readonly queries: QueryRunner;
  readonly views: SessionViews;
  readonly isInTransaction: () => boolean;
}

/** Runs statements in DuckDB that read tables of catalogs, or none. */
export class QueryExecution {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #queries: QueryRunner;
  readonly #views: SessionViews;
  readonly #isInTransaction: () => boolean;

  constructor({ session, planner, queries, views, isInTransaction }: QueryExecutionOptions) {
    this.#session = session;
    this.#planner = planner;
    this.#queries = queries;
    this.#views = views;
    this.#isInTransaction = isInTransaction;
  }

  /** A query, or a statement around one: then the inner text is planned, and the whole is run on the main connection. */
  async query(
    text: StatementText,
    inner: InnerQuery,
    resolver: TableResolver,
    control: Control,
    known?: Serialized,
  ): Promise<SqlResult> {
    const [start, end] = [
      text.tokens[inner.first]?.start ?? text.sql.length,
      text.tokens[inner.next - 1]?.end ?? text.sql.length,
    ];
    const own: QueryText = {
      sql: text.sql.slice(start, end),
      source: text.source,
      toSource: (offset) => text.toSource(start + offset),
    };
    const query = await this.#views.expand(own);
    const tokens = tokenize(query.sql);
    const parsed = (query === own ? known : undefined) ?? (await this.#planner.parse(query.sql));
    if (!parsed.ok && parsed.error.type === 'parser') throw syntaxError(query, parsed.error);
    const references = parsed.ok
      ? findReferences(query.sql, tokens, parsed.root)
      : await this.#knownReferences(query.sql, tokens, resolver);
    const mentions = await resolveMentions(this.#session, references, resolver, query);
    const options = { signal: control.signal, plans: parsed.ok, isWhole: inner.first === 0 };
    const whole = (sql: string): string => `${text.sql.slice(0, start)}${sql}${text.sql.slice(end)}`;
    const isWrapped = inner.first > 0;
    if (isWrapped || !parsed.ok || (await this.#queries.needsMain(references, mentions))) {
      const prepared = await this.#queries.prepare(query, references, mentions, this.#mainExecutor(), options);
      const result = await this.#runOnMain(whole(prepared.sql), prepared, control);
      return isExplained(text.tokens) ? this.#explained(result, text, control) : result;
    }
    return this.#runBeside(query, references, mentions, options, control);
  }

  /** What a change of a catalog's table would do is known only once its rows have been read. */
  async refuseExplained(text: StatementText, inner: InnerQuery, resolver: TableResolver): Promise<void> {
    const changed = classify(text.tokens.slice(inner.first));
    if (changed.kind !== 'change' || (await resolver.resolve(changed.target)) === null) return;
    throw unsupported(
      `EXPLAIN of ${changed.verb} isn't there for tables of catalogs ('${changed.target.join('.')}'): EXPLAIN a SELECT of the rows that it reads.`,
    );
  }

  /** The plan, below what is read of the tables of catalogs. */
  async #explained(result: SqlResult, text: StatementText, control: Control): Promise<SqlResult> {
    const rows = await result.rows();
    const plans = rows.map((row) => [String(row['explain_key']), String(row['explain_value'])] as const);
    const statement = text.source.slice(text.toSource(0), text.toSource(text.sql.length));
    const sql = explainedQuery(plans, result.scans, statement);
    return this.#runOnMain(sql, { sql, scans: result.scans, dispose: () => undefined }, control);
  }

  #mainExecutor(): Executor {
    // In a transaction it has one value anyway; to begin one here would be the user's to do.
    const isFrozen = this.#isInTransaction();
    return { connection: this.#session.main, isMain: true, freezeTime: () => Promise.resolve(isFrozen) };
  }

  /** Of a statement that can't be parsed, only names that are surely tables of a catalog are touched. */
  async #knownReferences(sql: string, tokens: readonly Token[], resolver: TableResolver): Promise<QueryReferences> {
    const references = keywordReferences(sql, tokens);
    const resolved = await Promise.all(references.tables.map(({ parts }) => resolveRead(resolver, parts)));
    return { ...references, tables: references.tables.filter((_, i) => resolved[i] !== null) };
  }

  /** A statement that changes a table of the session; tables of catalogs that it reads are scanned whole. */
  async changeLocal(text: StatementText, resolver: TableResolver, control: Control): Promise<SqlResult> {
    const query = await this.#views.expand(text);
    const references = await this.#knownReferences(query.sql, tokenize(query.sql), resolver);
    const mentions = await resolveMentions(this.#session, references, resolver, query);
    const prepared = await this.#queries.prepare(query, references, mentions, this.#mainExecutor(), {
      signal: control.signal,
      plans: false,
      isWhole: false,
    });
    return this.#runOnMain(prepared.sql, prepared, control);
  }

  /** Runs a statement on the session's connection as it is. */
  async onSession(sql: string, control: Control): Promise<SqlResult> {
    return this.#runOnMain(sql, { sql, scans: [], dispose: () => undefined }, control);
  }

  async #runOnMain(sql: string, prepared: PreparedQuery, { signal, onProgress }: Control): Promise<SqlResult> {
    const dispose = (): void => prepared.dispose();
    const start = (): Promise<SqlResult> =>
      startStatement(this.#session.main, sql, { scans: prepared.scans, signal, onProgress, done: dispose });
    const result = await this.#session.onMain(start).catch((error: unknown) => {
      dispose();
      throw error;
    });
    this.#session.readsFromMain(result);
    // SET, RESET, USE, and macros that do such things.
    this.#session.forgetSettings();
    return result;
  }

  /** A query that needs nothing of the session runs on a connection of its own, for as long as its rows are read. */
  async #runBeside(
    query: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    options: PrepareOptions,
    control: Control,
  ): Promise<SqlResult> {
    const lease = await this.#session.lease();
    let prepared: PreparedQuery | null = null;
    try {
      const executor: Executor = { connection: lease.connection, isMain: false, freezeTime: () => lease.begin() };
      const ready = await this.#queries.prepare(query, references, mentions, executor, options);
      prepared = ready;
      const done = (): void => {
        ready.dispose();
        lease.release();
      };
      const result = await startStatement(lease.connection, ready.sql, { ...control, scans: ready.scans, done });
      this.#session.follow(result, done);
      return result;
    } catch (error) {
      lease.release();
      // A type that the user made is known to the main connection only.
      const isUnknown = error instanceof LakehouseError && error.code === 'NOT_FOUND' && error.cause !== undefined;
      if (isUnknown && prepared) return this.#runOnMain(prepared.sql, prepared, control);
      prepared?.dispose();
      throw error;
    }
  }
}

/** Of other formats nothing but the plan is expected. */
function isExplained(tokens: readonly Token[]): boolean {
  if (!isKeyword(tokens[0], 'explain')) return false;
  const format = tokens.slice(0, 8).findIndex((token) => isKeyword(token, 'format'));
  return format < 0 || isKeyword(tokens[format + 1], 'text', 'default') || !isSymbol(tokens[1], '(');
}
