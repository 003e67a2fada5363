import type { Commit, DataFileWriter, Transaction } from '@lh/core';
import { invalidArgument, unsupported } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import type { Planner } from '../plan/planner.ts';
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
import { isKeyword, tokenize } from '../text/tokens.ts';
import { QueryData } from '../write/query-data.ts';
import { QueryExecution } from './query-execution.ts';
import type { Control } from './query-execution.ts';
import type { QueryRunner } from './query-runner.ts';
import { syntaxError } from './query-text.ts';
import type { QueryText } from './query-text.ts';
import { PreparedStatements } from './prepared-statements.ts';
import type { SessionViews } from './session-views.ts';
import type { TableResolver } from './table-resolver.ts';
import type { Names } from './table-resolver.ts';

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
  readonly #execution: QueryExecution;
  readonly #views: SessionViews;
  readonly #writer: DataFileWriter;
  readonly #fence: Fence | null;
  readonly #transactions: Transactions;
  readonly #prepared = new PreparedStatements();
  #watchesSettings = false;

  constructor({ session, planner, queries, names, views, writer, fence }: StatementRunnerOptions) {
    this.#session = session;
    this.#planner = planner;
    this.#writer = writer;
    this.#fence = fence;
    this.#views = views;
    this.#transactions = new Transactions(session, names, writer);
    const isInTransaction = (): boolean => this.#transactions.current !== null;
    this.#execution = new QueryExecution({ session, planner, queries, views, isInTransaction });
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
        return this.#execution.query(text, { first: 0, next: text.tokens.length }, resolver, request, parsed);
      case 'wrapped':
        if (isKeyword(text.tokens[0], 'explain')) await this.#execution.refuseExplained(text, kind.query, resolver);
        return this.#execution.query(text, kind.query, resolver, request);
      case 'change':
        await this.#refuseCatalogTarget(kind.verb, kind.target, resolver);
        if (kind.query) return this.#execution.query(text, kind.query, resolver, request);
        return this.#execution.changeLocal(text, resolver, request);
      case 'session':
        return this.#execution.onSession(sessionStatement(text), request);
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
    return outcome.kind === 'rows' ? this.#execution.onSession(outcome.sql, control) : changedResult(outcome);
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
