import { DuckDBTypeId, ResultReturnType } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBResult, DuckDBType } from '@duckdb/node-api';
import { LakehouseError } from '@lh/core';
import type { DataFileWriter, Table } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import { duckdbError } from '../errors.ts';
import type { Planner } from '../plan/planner.ts';
import { callStatement } from '../procedures/call-statement.ts';
import { callProcedure } from '../procedures/procedures.ts';
import { BatchSource } from '../results/batch-source.ts';
import { SqlResult } from '../results/sql-result.ts';
import type { Session } from '../session/session.ts';
import { dialectEdits } from '../text/dialect.ts';
import { applyEdits } from '../text/edits.ts';
import { parameterEdits } from '../text/parameters.ts';
import { quoteName } from '../text/quote.ts';
import type { SqlParameters } from '../text/parameters.ts';
import { describeStatement } from '../text/describe-statement.ts';
import { classify } from '../text/statements.ts';
import type { InnerQuery, Statement } from '../text/statements.ts';
import { isKeyword, tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import { describeRows } from './describe-rows.ts';
import { keywordReferences } from './keyword-references.ts';
import { resolveMentions } from './mentions.ts';
import type { Mention } from './mentions.ts';
import type { Executor, PrepareOptions, PreparedQuery, QueryRunner, QueryText } from './query-runner.ts';
import { syntaxError } from './query-runner.ts';
import type { Serialized } from './serialized.ts';
import { findReferences } from './table-references.ts';
import type { QueryReferences } from './table-references.ts';
import { TableResolver, namedParts } from './table-resolver.ts';
import type { Names, TablePlace } from './table-resolver.ts';

export interface StatementRunnerOptions {
  readonly session: Session;
  readonly planner: Planner;
  readonly queries: QueryRunner;
  readonly names: Names;
  /** Makes the data files of tables that statements change. */
  readonly writer: DataFileWriter;
}

export interface StatementRequest {
  /** The whole text, of which the statement is a part. */
  readonly source: string;
  readonly statement: Statement;
  readonly parameters: SqlParameters | undefined;
  /** The text has no other statement: then all parameters are its own. */
  readonly isOnly: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A statement's text with parameters and dialect resolved, and its tokens. */
interface Prepared extends QueryText {
  readonly tokens: readonly Token[];
}

export class StatementRunner {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #queries: QueryRunner;
  readonly #names: Names;
  readonly #writer: DataFileWriter;
  #watchesSettings = false;

  constructor({ session, planner, queries, names, writer }: StatementRunnerOptions) {
    this.#session = session;
    this.#planner = planner;
    this.#queries = queries;
    this.#names = names;
    this.#writer = writer;
  }

  /** From now on settings are read anew for every statement. */
  watchSettings(): void {
    this.#watchesSettings = true;
    this.#session.forgetSettings();
  }

  async run(request: StatementRequest): Promise<SqlResult> {
    if (this.#watchesSettings) this.#session.forgetSettings();
    const text = prepareText(request);
    const resolver = new TableResolver(this.#names);
    const described = (await this.#described(text, resolver)) ?? (await this.#called(text, resolver, request.signal));
    if (described !== null) return this.#onSession(described, request.signal);
    const parsed = await this.#planner.parse(text.sql);
    if (!parsed.ok && parsed.error.type === 'parser') throw syntaxError(text, parsed.error);
    const kind = classify(text.tokens);
    switch (kind.kind) {
      case 'query':
        return this.#query(text, { first: 0, next: text.tokens.length }, resolver, request.signal, parsed);
      case 'wrapped':
        return this.#query(text, kind.query, resolver, request.signal);
      case 'view':
        await this.#refuseTables(text, kind.query, resolver, 'CREATE VIEW over a table of a catalog');
        return this.#onSession(text.sql, request.signal);
      case 'change':
        await this.#refuseCatalogTarget(kind.verb, kind.target, resolver);
        if (kind.query) return this.#query(text, kind.query, resolver, request.signal);
        return this.#change(text, resolver, request.signal);
      case 'session':
        return this.#onSession(sessionStatement(text), request.signal);
    }
  }

  /** The rows of a DESCRIBE of a catalog's table, as a query; null for any other statement. */
  async #described({ sql, tokens }: Prepared, resolver: TableResolver): Promise<string | null> {
    const statement = describeStatement(sql, tokens);
    const resolved = statement && (await resolver.resolve(statement.parts));
    if (resolved?.kind !== 'table' && resolved?.kind !== 'metadata') {
      // The grammar has no such words: a table of the session can't be meant.
      if (statement?.isExtended) throw await resolver.unknown(statement.parts, []);
      return null;
    }
    const lease = await this.#session.lease();
    try {
      return await describeRows(lease.connection, resolved, statement!);
    } catch (error) {
      throw duckdbError(error);
    } finally {
      lease.release();
    }
  }

  /** Runs a procedure; gives a query for its rows, or null for any other statement. */
  async #called(
    { sql, tokens }: Prepared,
    resolver: TableResolver,
    signal: AbortSignal | undefined,
  ): Promise<string | null> {
    const call = callStatement(sql, tokens);
    if (call === null) return null;
    const lease = await this.#session.lease();
    try {
      const table = async (name: string): Promise<Table> =>
        (await resolver.table(namedParts(name), call.catalog)).withWriter(this.#writer);
      const place = (name: string): TablePlace => resolver.place(namedParts(name), call.catalog);
      return await callProcedure(lease.connection, call, { table, place, signal });
    } catch (error) {
      throw duckdbError(error);
    } finally {
      lease.release();
    }
  }

  /** A query, or a statement around one: then the inner text is planned, and the whole is run on the main connection. */
  async #query(
    text: Prepared,
    inner: InnerQuery,
    resolver: TableResolver,
    signal: AbortSignal | undefined,
    known?: Serialized,
  ): Promise<SqlResult> {
    const [start, end] = [
      text.tokens[inner.first]?.start ?? text.sql.length,
      text.tokens[inner.next - 1]?.end ?? text.sql.length,
    ];
    const query: QueryText = {
      sql: text.sql.slice(start, end),
      source: text.source,
      toSource: (offset) => text.toSource(start + offset),
    };
    const tokens = tokenize(query.sql);
    const parsed = known ?? (await this.#planner.parse(query.sql));
    if (!parsed.ok && parsed.error.type === 'parser') throw syntaxError(query, parsed.error);
    const references = parsed.ok
      ? findReferences(query.sql, tokens, parsed.root)
      : await this.#knownReferences(query.sql, tokens, resolver);
    const mentions = await resolveMentions(this.#session, references, resolver);
    const options = { signal, plans: parsed.ok, isWhole: inner.first === 0 };
    const whole = (sql: string): string => `${text.sql.slice(0, start)}${sql}${text.sql.slice(end)}`;
    const isWrapped = inner.first > 0;
    if (isWrapped || !parsed.ok || (await this.#queries.needsMain(references, mentions))) {
      const prepared = await this.#queries.prepare(query, references, mentions, this.#mainExecutor(), options);
      return this.#runOnMain(whole(prepared.sql), prepared, signal);
    }
    return this.#runBeside(query, references, mentions, options);
  }

  #mainExecutor(): Executor {
    // A transaction here would be the user's.
    return { connection: this.#session.main, isMain: true, freezeTime: () => Promise.resolve(false) };
  }

  /** Of a statement that can't be parsed, only names that are surely tables of a catalog are touched. */
  async #knownReferences(sql: string, tokens: readonly Token[], resolver: TableResolver): Promise<QueryReferences> {
    const references = keywordReferences(sql, tokens);
    const resolved = await Promise.all(references.tables.map((reference) => resolver.resolve(reference.parts)));
    return { ...references, tables: references.tables.filter((_, i) => resolved[i] !== null) };
  }

  /** A statement that changes a table of the session; tables of catalogs that it reads are scanned whole. */
  async #change(text: Prepared, resolver: TableResolver, signal: AbortSignal | undefined): Promise<SqlResult> {
    const references = await this.#knownReferences(text.sql, text.tokens, resolver);
    const mentions = await resolveMentions(this.#session, references, resolver);
    const prepared = await this.#queries.prepare(text, references, mentions, this.#mainExecutor(), {
      signal,
      plans: false,
      isWhole: false,
    });
    return this.#runOnMain(prepared.sql, prepared, signal);
  }

  async #refuseTables(text: Prepared, inner: InnerQuery, resolver: TableResolver, what: string): Promise<void> {
    const references = keywordReferences(text.sql, text.tokens.slice(inner.first, inner.next));
    for (const reference of references.tables) {
      if (await resolver.resolve(reference.parts))
        throw unsupported(
          `${what} ('${reference.parts.join('.')}') isn't supported yet; use WITH, or CREATE TEMP TABLE … AS.`,
        );
    }
  }

  async #refuseCatalogTarget(verb: string, target: readonly string[], resolver: TableResolver): Promise<void> {
    const name = target.join('.');
    if (target.length === 1 && !(await resolver.resolve(target)) && (await this.#isLocal(name))) return;
    if (target.length > 1 && (await this.#isLocal(name))) return;
    throw unsupported(
      `${verb} of '${name}' isn't supported in SQL yet: tables of a catalog are changed with table.append() and the other methods of a table. ` +
        'Tables of the session are made with CREATE TEMP TABLE.',
    );
  }

  async #isLocal(name: string): Promise<boolean> {
    return this.#session.onMain(async () => {
      try {
        await this.#session.main.run(`DESCRIBE ${name}`);
        return true;
      } catch {
        return false;
      }
    });
  }

  async #onSession(sql: string, signal: AbortSignal | undefined): Promise<SqlResult> {
    return this.#runOnMain(sql, { sql, scans: [], dispose: () => undefined }, signal);
  }

  async #runOnMain(sql: string, prepared: PreparedQuery, signal: AbortSignal | undefined): Promise<SqlResult> {
    const dispose = (): void => prepared.dispose();
    const start = (): Promise<SqlResult> => startStatement(this.#session.main, sql, prepared, signal, dispose);
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
      const result = await startStatement(lease.connection, ready.sql, ready, options.signal, done);
      this.#session.follow(result, done);
      return result;
    } catch (error) {
      lease.release();
      // A type that the user made is known to the main connection only.
      const isUnknown = error instanceof LakehouseError && error.code === 'NOT_FOUND' && error.cause !== undefined;
      if (isUnknown && prepared) return this.#runOnMain(prepared.sql, prepared, options.signal);
      prepared?.dispose();
      throw error;
    }
  }
}

/** RESET would give the host's time zone, and not the session's default. */
function sessionStatement({ sql, tokens }: Prepared): string {
  const [verb, ...rest] = tokens;
  const name = isKeyword(rest[0], 'session', 'local', 'global') ? rest[1] : rest[0];
  const isTimeZone = isKeyword(verb, 'reset') && name?.value.toLowerCase() === 'timezone';
  return isTimeZone ? "SET TimeZone = 'UTC'" : sql;
}

function prepareText({ source, statement, parameters, isOnly }: StatementRequest): Prepared {
  const shift = (offset: number): number => offset - statement.start;
  const tokens = statement.tokens.map((token) => ({ ...token, start: shift(token.start), end: shift(token.end) }));
  const own = source.slice(statement.start, statement.end);
  const withValues = applyEdits(own, parameterEdits(tokens, parameters, isOnly));
  const withValuesTokens = tokenize(withValues.text);
  const inDialect = applyEdits(withValues.text, dialectEdits(withValues.text, withValuesTokens));
  return {
    sql: inDialect.text,
    tokens: tokenize(inDialect.text),
    source,
    toSource: (offset) => statement.start + withValues.toOriginal(inDialect.toOriginal(offset)),
  };
}

/** Variants leave DuckDB in Parquet's binary form: its own has no description outside of it. */
async function streamQuery(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  const result = await connection.stream(sql);
  if (result.columnCount === 0 || !result.columnTypes().some(isVariant)) return result;
  const names = result.deduplicatedColumnNames();
  const columns = result.columnTypes().map((type, i) => {
    const column = `c${i}`;
    // Of NULL it makes a variant that holds null.
    const encoded = `CASE WHEN ${column} IS NOT NULL THEN variant_to_parquet_variant(${column}) END`;
    return `${isVariant(type) ? encoded : column} AS ${quoteName(names[i]!)}`;
  });
  const inner = names.map((_, i) => `c${i}`).join(', ');
  return connection.stream(`SELECT ${columns.join(', ')} FROM (${sql}) AS variants(${inner})`);
}

function isVariant(type: DuckDBType): boolean {
  return type.typeId === DuckDBTypeId.VARIANT;
}

/** Starts a statement and fetches its first rows. `done` is called once, when no more rows will be fetched. */
async function startStatement(
  connection: DuckDBConnection,
  sql: string,
  prepared: PreparedQuery,
  signal: AbortSignal | undefined,
  done: () => void,
): Promise<SqlResult> {
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    const result = await streamQuery(connection, sql);
    const hasRows = result.columnCount > 0 && result.returnType === ResultReturnType.QUERY_RESULT;
    return await SqlResult.start({
      source: hasRows ? new BatchSource(result) : null,
      changedRows: hasRows ? null : result.rowsChanged,
      scans: prepared.scans,
      signal,
      mapError: duckdbError,
      done: () => {
        signal?.removeEventListener('abort', interrupt);
        done();
      },
    });
  } catch (error) {
    signal?.removeEventListener('abort', interrupt);
    throw duckdbError(error);
  }
}
