import { LakehouseError } from '@lh/core';
import type { Commit, DataFileWriter, Transaction } from '@lh/core';
import { invalidArgument, unsupported } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import type { Planner } from '../plan/planner.ts';
import { explainedQuery } from '../results/explain.ts';
import { SqlResult } from '../results/sql-result.ts';
import type { Fence } from '../session/fence.ts';
import { checkFenced } from '../session/fenced-statements.ts';
import type { Session } from '../session/session.ts';
import type {
  CatalogStatement,
  QueryContext,
  StatementContext,
  StatementOutcome,
  Target,
} from '../statements/catalog-statement.ts';
import { catalogStatement } from '../statements/statements.ts';
import { isTransactionControl } from '../statements/transaction/transaction-statement.ts';
import { Transactions } from '../statements/transaction/transactions.ts';
import { prepareText } from '../statements/statement-text.ts';
import type { StatementRequest, StatementText } from '../statements/statement-text.ts';
import { quoteNames } from '../text/quote.ts';
import { classify, splitStatements } from '../text/statements.ts';
import type { InnerQuery } from '../text/statements.ts';
import { isKeyword, isSymbol, tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import { QueryData } from '../write/query-data.ts';
import { keywordReferences } from './keyword-references.ts';
import { resolveMentions } from './mentions.ts';
import type { Mention } from './mentions.ts';
import type { PreparedQuery, QueryRunner } from './query-runner.ts';
import { syntaxError } from './query-text.ts';
import type { Executor, PrepareOptions, QueryText } from './query-text.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { resolveRead } from './resolve-read.ts';
import type { SessionViews } from './session-views.ts';
import { startStatement } from './start-statement.ts';
import type { Serialized } from './serialized.ts';
import { findReferences } from './table-references.ts';
import type { QueryReferences } from './table-references.ts';
import type { TableResolver } from './table-resolver.ts';
import type { Names } from './table-resolver.ts';

/** How the caller follows a statement, and stops it. */
type Control = Pick<StatementRequest, 'signal' | 'onProgress'>;

export interface StatementRunnerOptions {
  readonly session: Session;
  readonly planner: Planner;
  readonly queries: QueryRunner;
  readonly names: Names;
  readonly views: SessionViews;
  /** Makes the data files of tables that statements change. */
  readonly writer: DataFileWriter;
  /** What SQL may touch; null for everything. */
  readonly fence: Fence | null;
}

export class StatementRunner {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #queries: QueryRunner;
  readonly #views: SessionViews;
  readonly #writer: DataFileWriter;
  readonly #fence: Fence | null;
  readonly #transactions: Transactions;
  readonly #prepared = new PreparedStatements();
  #watchesSettings = false;

  constructor({ session, planner, queries, names, views, writer, fence }: StatementRunnerOptions) {
    this.#session = session;
    this.#planner = planner;
    this.#queries = queries;
    this.#writer = writer;
    this.#fence = fence;
    this.#views = views;
    this.#transactions = new Transactions(session, names, writer);
  }

  /** From now on settings are read anew for every statement. */
  watchSettings(): void {
    this.#watchesSettings = true;
    this.#session.forgetSettings();
  }

  /** Takes back what a transaction that is open has done. */
  close(): Promise<void> {
    return this.#transactions.close();
  }

  /** Runs a statement of the user's. */
  async run(given: StatementRequest): Promise<SqlResult> {
    const { onProgress } = given;
    onProgress?.({ phase: 'planning', fraction: null, rows: 0 });
    if (this.#watchesSettings) this.#session.forgetSettings();
    const request = this.#prepared.resolve(given);
    if (request === null) return changedResult({ kind: 'changed', rows: 0, snapshotId: null, scans: [] });
    if (this.#fence) await checkFenced(prepareText(request), this.#fence);
    const isControl = isTransactionControl(request.statement.tokens);
    return this.#transactions.run(isControl, () => this.#run(request));
  }

  /**
   * Runs a statement that was made of one of the user's, which alone has to keep inside the fence: where files of tables
   * are written is not of his choice.
   */
  async runMadeOf(user: StatementRequest, request: StatementRequest): Promise<SqlResult> {
    if (this.#watchesSettings) this.#session.forgetSettings();
    if (this.#fence) await checkFenced(prepareText(user), this.#fence);
    return this.#transactions.run(false, () => this.#run(request));
  }

  /** Runs a statement of the user's, or one that is a part of it. */
  async #run(request: StatementRequest, resolver = this.#transactions.resolver()): Promise<SqlResult> {
    const text = prepareText(request);
    const own = catalogStatement(text);
    const done = own && (await this.#catalogStatement(own, resolver, request));
    if (done) return done;
    const parsed = await this.#planner.parse(text.sql);
    if (!parsed.ok && parsed.error.type === 'parser') throw syntaxError(text, parsed.error);
    const kind = classify(text.tokens);
    switch (kind.kind) {
      case 'query':
        return this.#query(text, { first: 0, next: text.tokens.length }, resolver, request, parsed);
      case 'wrapped':
        if (isKeyword(text.tokens[0], 'explain')) await this.#refuseExplained(text, kind.query, resolver);
        return this.#query(text, kind.query, resolver, request);
      case 'change':
        await this.#refuseCatalogTarget(kind.verb, kind.target, resolver);
        if (kind.query) return this.#query(text, kind.query, resolver, request);
        return this.#changeLocal(text, resolver, request);
      case 'session':
        return this.#onSession(sessionStatement(text), request);
    }
  }

  /** Null if the statement turns out to be DuckDB's. */
  async #catalogStatement(
    statement: CatalogStatement,
    resolver: TableResolver,
    control: Control,
  ): Promise<SqlResult | null> {
    const { signal } = control;
    const context: StatementContext = {
      ...this.#queryContext(signal),
      resolver,
      signal,
      target: (parts) => this.#target(parts, resolver),
      change: (target, work) => this.#change(target, work, signal),
      refuseInTransaction: (what) => this.#refuseInTransaction(what),
      transactions: this.#transactions,
      writable: (table) => table.withWriter(this.#writer),
      place: (parts) => resolver.place(parts, null),
      checkPath: async (location, use) => this.#fence?.check(location, use),
      isFenced: this.#fence !== null,
      views: this.#views,
      isLocal: (parts) => this.#isLocal(parts),
      lease: () => this.#session.lease(),
      over: (other, origin) => this.#queryContext(signal, other, origin),
      onSession: async (sql) => {
        await this.#session.onMain(() => this.#session.main.run(sql));
      },
    };
    const outcome = await statement.run(context).catch((error: unknown) => {
      throw duckdbError(error);
    });
    if (outcome === null) return null;
    if (outcome.kind === 'result') return outcome.result;
    return outcome.kind === 'rows' ? this.#onSession(outcome.sql, control) : changedResult(outcome);
  }

  #queryContext(signal: AbortSignal | undefined, resolver?: TableResolver, whole?: QueryText): QueryContext {
    const isRestricted = this.#fence !== null;
    const runner =
      (origin: QueryText | undefined = whole) =>
      (sql: string, other: AbortSignal | undefined = signal) =>
        this.#runText(sql, other, { resolver, origin });
    return {
      run: runner(),
      rows: (query, { columns, origin } = {}) =>
        new QueryData({ query, columns, run: runner(origin), writer: this.#writer, isRestricted }),
    };
  }

  async #target(parts: readonly string[], resolver: TableResolver): Promise<Target | null> {
    const resolved = await resolver.resolve(parts);
    if (resolved?.kind === 'table') return { table: resolved.table, branch: undefined };
    if (resolved === null && (await this.#isLocal(parts))) return null;
    if (resolved === null) return this.#branchTarget(parts, resolver);
    const what = resolved.kind === 'metadata' ? 'a metadata table' : 'registered data';
    throw invalidArgument(`'${parts.join('.')}' is ${what}, which can only be read.`);
  }

  /** A branch that has its name in the table's, as Spark has it: `web.events.branch_audit`. */
  async #branchTarget(parts: readonly string[], resolver: TableResolver): Promise<Target> {
    const branch = /^branch_(.+)$/i.exec(parts.at(-1)!)?.[1];
    const resolved = branch === undefined || parts.length === 1 ? null : await resolver.resolve(parts.slice(0, -1));
    if (resolved?.kind !== 'table') throw await resolver.unknown(parts, []);
    return { table: resolved.table, branch };
  }

  async #change(
    target: Target,
    work: (transaction: Transaction) => unknown,
    signal: AbortSignal | undefined,
  ): Promise<Commit | null> {
    const transaction = this.#transactions.current;
    if (transaction === null) {
      const { branch } = target;
      return target.table.change(work, { signal, branch, writer: this.#writer });
    }
    await transaction.change(target, work);
    return null;
  }

  #refuseInTransaction(what: string): void {
    if (this.#transactions.current === null) return;
    throw unsupported(`${what} can't be a part of a transaction; COMMIT or ROLLBACK first.`);
  }

  /** Runs one statement with neither parameters nor anything else to be resolved. */
  #runText(
    source: string,
    signal: AbortSignal | undefined,
    { resolver, origin }: { readonly resolver?: TableResolver | undefined; readonly origin?: QueryText | undefined },
  ): Promise<SqlResult> {
    const [statement, ...others] = splitStatements(tokenize(source));
    if (statement === undefined || others.length > 0) throw invalidArgument('Rows come from one query.');
    return this.#run({ source, statement, parameters: undefined, isOnly: true, signal, origin }, resolver);
  }

  /** A query, or a statement around one: then the inner text is planned, and the whole is run on the main connection. */
  async #query(
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
  async #refuseExplained(text: StatementText, inner: InnerQuery, resolver: TableResolver): Promise<void> {
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
    const isFrozen = this.#transactions.current !== null;
    return { connection: this.#session.main, isMain: true, freezeTime: () => Promise.resolve(isFrozen) };
  }

  /** Of a statement that can't be parsed, only names that are surely tables of a catalog are touched. */
  async #knownReferences(sql: string, tokens: readonly Token[], resolver: TableResolver): Promise<QueryReferences> {
    const references = keywordReferences(sql, tokens);
    const resolved = await Promise.all(references.tables.map(({ parts }) => resolveRead(resolver, parts)));
    return { ...references, tables: references.tables.filter((_, i) => resolved[i] !== null) };
  }

  /** A statement that changes a table of the session; tables of catalogs that it reads are scanned whole. */
  async #changeLocal(text: StatementText, resolver: TableResolver, control: Control): Promise<SqlResult> {
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

  async #refuseCatalogTarget(verb: string, target: readonly string[], resolver: TableResolver): Promise<void> {
    const name = target.join('.');
    const isOfCatalog = target.length === 1 && (await resolver.resolve(target)) !== null;
    if (!isOfCatalog && (await this.#isLocal(target))) return;
    throw unsupported(
      `${verb} of '${name}' isn't supported in SQL yet: tables of a catalog are changed with table.append() and the other methods of a table. ` +
        'Tables of the session are made with CREATE TEMP TABLE.',
    );
  }

  async #isLocal(parts: readonly string[]): Promise<boolean> {
    return this.#session.onMain(async () => {
      try {
        await this.#session.main.run(`DESCRIBE ${quoteNames(parts)}`);
        return true;
      } catch {
        return false;
      }
    });
  }

  async #onSession(sql: string, control: Control): Promise<SqlResult> {
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

function changedResult({
  rows,
  done,
  snapshotId,
  scans,
}: Extract<StatementOutcome, { readonly kind: 'changed' }>): Promise<SqlResult> {
  return SqlResult.start({
    source: null,
    changedRows: rows,
    verb: done,
    snapshotId,
    scans,
    guard: (work) => work(),
    mapError: duckdbError,
    done: () => undefined,
  });
}

/** RESET would give the host's time zone, and not the session's default. */
function sessionStatement({ sql, tokens }: StatementText): string {
  const [verb, ...rest] = tokens;
  const name = isKeyword(rest[0], 'session', 'local', 'global') ? rest[1] : rest[0];
  const isTimeZone = isKeyword(verb, 'reset') && name?.value.toLowerCase() === 'timezone';
  return isTimeZone ? "SET TimeZone = 'UTC'" : sql;
}

/** Of other formats nothing but the plan is expected. */
function isExplained(tokens: readonly Token[]): boolean {
  if (!isKeyword(tokens[0], 'explain')) return false;
  const format = tokens.slice(0, 8).findIndex((token) => isKeyword(token, 'format'));
  return format < 0 || isKeyword(tokens[format + 1], 'text', 'default') || !isSymbol(tokens[1], '(');
}
