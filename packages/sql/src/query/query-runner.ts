import type { DuckDBConnection } from '@duckdb/node-api';
import type { FileIO, Schema } from '@lh/core';
import { LakehouseError, expr, throwIfAborted } from '@lh/core';
import { deleteLoader, tableNameMapping } from '@lh/core/engine';
import type { DeleteLoader } from '@lh/core/engine';
import { duckdbError, withoutPointer } from '../errors.ts';
import { QueryRows } from '../feed/query-rows.ts';
import type { Planner, ShadowColumn } from '../plan/planner.ts';
import { scanNeeds } from '../plan/prune.ts';
import type { ScanNeeds } from '../plan/prune.ts';
import type { FileSchemas } from '../relation/file-schema.ts';
import { handedOver, metadataRelation } from '../relation/metadata-relation.ts';
import { emptyRelation } from '../relation/empty-relation.ts';
import { hiddenPrefix, relationSchema, scanRelation } from '../relation/scan-relation.ts';
import type { RelationSource } from '../relation/scan-relation.ts';
import type { RemoteAccess } from '../remote/remote-access.ts';
import type { ScanFiles } from '../remote/scan-files.ts';
import type { Session } from '../session/session.ts';
import { isUtc } from '../session/settings.ts';
import { byteOffsetMap } from '../text/edits.ts';
import type { Edit, EditedText } from '../text/edits.ts';
import { pointAt } from '../text/tokens.ts';
import type { ScanReport } from './scan-report.ts';
import type { SerializedError } from './serialized.ts';
import { contextValues, isTime, needsSession } from './context-calls.ts';
import { describeSource, isRead, shadowColumns } from './mentions.ts';
import type { Mention, ReadMention } from './mentions.ts';
import { planMention, scanReports } from './plan-mention.ts';
import type { PlannedTable } from './plan-mention.ts';
import { ownColumnNames, withColumnNames } from './column-names.ts';
import { replaceTables } from './table-references.ts';
import { handsOnBytes, readsVariants } from './variant-form.ts';
import type { PlannedQuery } from './variant-form.ts';
import type { FileRead, QueryReferences, Replacement } from './table-references.ts';

/** A query, ready to run. */
export interface PreparedQuery {
  readonly sql: string;
  readonly scans: readonly ScanReport[];
  /** To be called when the query is through. */
  dispose(): void;
}

/** What a query will run on. */
export interface Executor {
  readonly connection: DuckDBConnection;
  /** It is the session's own connection, with its temporary tables, macros and variables. */
  readonly isMain: boolean;
  /** Keeps the time of `now()` from here to the end of the query. False if it can't. */
  freezeTime(): Promise<boolean>;
}

export interface QueryText {
  /** The query with its parameters in place. */
  readonly sql: string;
  /** The text that the user gave, and where an offset of `sql` is in it: for errors. */
  readonly source: string;
  toSource(offset: number): number;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  /** False for a statement that can't be planned; its tables are then scanned whole. */
  readonly plans: boolean;
  /** The query is the whole statement: its result is the user's. */
  readonly isWhole: boolean;
}

interface QueryNeeds {
  /** One for each table of a catalog. */
  readonly needs: readonly ScanNeeds[];
  /** Names of the result's columns, where the query that is run would give others. */
  readonly names: readonly string[] | null;
  /** It is given variants as their bytes. */
  readonly variantBytes: boolean;
}

/** Prepares queries over tables of catalogs: finds the tables, plans, prunes, and writes the query that DuckDB runs. */
export class QueryRunner {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #files: FileSchemas;
  readonly #remote: RemoteAccess;
  /** Delete files never change either: what was read for one query serves the next. */
  readonly #positions = new WeakMap<FileIO, DeleteLoader>();

  constructor(session: Session, planner: Planner, files: FileSchemas, remote: RemoteAccess) {
    this.#session = session;
    this.#planner = planner;
    this.#files = files;
    this.#remote = remote;
  }

  /** Whether a query has to run on the session's own connection. */
  async needsMain(references: QueryReferences, mentions: readonly Mention[]): Promise<boolean> {
    if (needsSession(references.contextCalls) || mentions.some(({ kind }) => kind === 'local')) return true;
    return (await this.#planner.unknownFunctions(references.functions)).length > 0;
  }

  async prepare(
    text: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    executor: Executor,
    options: PrepareOptions,
  ): Promise<PreparedQuery> {
    const reads = mentions.filter(isRead);
    // Before a transaction begins, which would not see what changes here.
    for (const mention of reads)
      if (mention.kind === 'table') await this.#remote.prepare(mention.table, options.signal);
    const { needs, names, variantBytes } = await this.#needs(text, references, mentions, executor, options);
    throwIfAborted(options.signal);
    const planned = await Promise.all(reads.map((mention, i) => planMention(mention, needs[i]!, options.signal)));
    const rows = new QueryRows(this.#session.feeds, () => this.#session.lease());
    const remote = reads.map((mention) =>
      mention.kind === 'table' ? this.#remote.scanFiles(mention.table, options.signal) : null,
    );
    const dispose = (): void => {
      rows.dispose();
      for (const files of remote) files?.release();
    };
    const shared = { rows, variantBytes, signal: options.signal };
    const relations = await allOrNone(
      planned.map((one, i) =>
        one.plan === null
          ? metadataRelation(one.mention, one.needs, shared)
          : this.#tableRelation(one, remote[i]!, shared),
      ),
      dispose,
    );
    const sql = replaceTables(text.sql, references, this.#replacements(mentions, relations)).text;
    return {
      sql: names ? withColumnNames(sql, names) : sql,
      scans: planned.flatMap((one, i) => scanReports(one, remote[i]?.access)),
      dispose,
    };
  }

  /** What the query needs of each table, by DuckDB's own plan of it. */
  async #needs(
    text: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    executor: Executor,
    { plans, isWhole }: PrepareOptions,
  ): Promise<QueryNeeds> {
    const reads = mentions.filter(isRead);
    const whole = (reason: string): QueryNeeds => ({
      needs: reads.map(() => ({
        filter: expr.alwaysTrue(),
        notPushed: [{ predicate: '(the whole query)', reason }],
        columns: null,
        parts: new Map(),
        distinctColumns: new Set(),
        maxRows: null,
      })),
      names: null,
      variantBytes: false,
    });
    if (reads.length === 0 && !references.hasUnnamedSubqueries) return { needs: [], names: null, variantBytes: false };
    if (!plans) return whole('Only plain SELECT statements can be planned.');
    const settings = await this.#session.settings();
    const constants = await this.#constants(text.sql, references, mentions, executor);
    if (!constants) return whole('It depends on values of the session that the plan can not know.');
    const files = await this.#fileColumns(text, references, executor.connection);
    const fileColumns = files.map(({ columns }) => columns);
    const rewrite = (names: readonly string[]): EditedText =>
      replaceTables(
        text.sql,
        references,
        mentions.map((mention, i) => ({ ...exposed(mention), by: { name: names[i]! } })),
        files.map(({ read }, i) => ({ read, name: names[mentions.length + i]! })),
        constants,
      );
    const shadows = await this.#planner.shadows([...mentions.map(shadowColumns), ...fileColumns]);
    const edited = rewrite(shadows);
    const serialized = await this.#planner.plan(edited.text, settings);
    if (serialized.ok) {
      const needs = mentions.flatMap((mention, i) =>
        isRead(mention) ? [scanNeeds(serialized.root, shadows[i]!, mention.schema, { utc: isUtc(settings) })] : [],
      );
      const names = references.hasUnnamedSubqueries ? await this.#planner.columnNames(edited.text) : null;
      const query: PlannedQuery = {
        plan: serialized.root,
        columnsOf: (mention) => needs[reads.indexOf(mention)]!.columns,
        mentions,
        fileColumns,
        rewrite: (others) => rewrite(others).text,
        settings,
      };
      return {
        needs,
        variantBytes: isWhole && (await handsOnBytes(this.#planner, query)),
        names:
          names &&
          ownColumnNames(
            names,
            mentions.map(({ reference }, i) => ({ reference, shadow: shadows[i]! })),
          ),
      };
    }
    await this.#refuseInvalid(text, references, mentions, edited, serialized.error);
    return whole(`The query could not be planned: ${withoutPointer(serialized.error.message)}`);
  }

  /** The session's macros are made known to the planner, and its values are put into the query; null if that can't be. */
  async #constants(
    sql: string,
    { contextCalls, functions }: QueryReferences,
    mentions: readonly Mention[],
    executor: Executor,
  ): Promise<readonly Edit[] | null> {
    if ((await this.#planner.unknownFunctions(functions)).length > 0) {
      const areTimeless = await this.#session.onMain(() => this.#planner.copyMacros(this.#session.main));
      if (!areTimeless) return null;
    }
    if (contextCalls.length === 0) return [];
    const columns = new Set(mentions.flatMap(shadowColumns).map(({ name }) => name.toLowerCase()));
    // A column of the name would be meant instead.
    if (contextCalls.some(({ name, start }) => start < 0 || columns.has(name))) return null;
    if (contextCalls.some(isTime) && !(await executor.freezeTime())) return null;
    const evaluate = () => contextValues(executor.connection, sql, contextCalls);
    return executor.isMain ? this.#session.onMain(evaluate) : evaluate();
  }

  /** Columns of the files that the query reads directly. A call that depends on other tables is left as it is. */
  async #fileColumns(
    text: QueryText,
    { fileReads }: QueryReferences,
    connection: DuckDBConnection,
  ): Promise<readonly { readonly read: FileRead; readonly columns: readonly ShadowColumn[] }[]> {
    const described = await Promise.all(
      fileReads.map(async (read) => {
        const columns = await describeSource(connection, text.sql.slice(read.start, read.end)).catch(() => null);
        return columns ? [{ read, columns }] : [];
      }),
    );
    return described.flat();
  }

  /** Planning may fail where running doesn't; if DuckDB refuses the query as well, the error is the user's to mend. */
  async #refuseInvalid(
    text: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    edited: EditedText,
    planError: SerializedError,
  ): Promise<void> {
    const relations = mentions.flatMap((mention) => (isRead(mention) ? [emptyRelation(schemaOf(mention))] : []));
    const sql = replaceTables(text.sql, references, this.#replacements(mentions, relations)).text;
    await this.#session.onMain(async () => {
      try {
        (await this.#session.main.prepare(sql)).destroySync();
      } catch (error) {
        throw duckdbError(error, pointer(text, edited, planError));
      }
    });
  }

  #replacements(mentions: readonly Mention[], relations: readonly string[]): readonly Replacement[] {
    let next = 0;
    return mentions.flatMap((mention): readonly Replacement[] => {
      const { reference } = mention;
      if (isRead(mention)) return [{ ...exposed(mention), by: { query: relations[next++]! } }];
      if (mention.kind === 'data') return [{ reference, by: { query: this.#session.feeds.relation(mention.data.id) } }];
      return [];
    });
  }

  async #tableRelation(
    { mention, needs, plan }: PlannedTable,
    remote: ScanFiles,
    { rows, variantBytes, signal }: SharedByReads,
  ): Promise<string> {
    const { table, schema } = mention;
    const leftOut = mention.reading?.files;
    const lease = await this.#session.lease();
    try {
      const source = {
        connection: lease.connection,
        io: table.io,
        schema,
        metadataColumns: mention.metadataColumns,
        columns: needs.columns,
        maxRows: needs.maxRows,
        variantBytes: variantBytes && readsVariants(mention, needs.columns),
        nameMapping: tableNameMapping(table.metadata.properties),
        files: this.#files,
        positions: leftOut ? deleteLoader(table.io, undefined, leftOut) : this.#positionsOf(table.io),
        leftOut,
        guarded: needs.distinctColumns,
        hiddenPrefix: hiddenPrefix(schema),
        rows,
        remote,
        signal,
      };
      return await scanRelation(source, plan.tasks);
    } finally {
      lease.release();
    }
  }

  #positionsOf(io: FileIO): DeleteLoader {
    const loader = this.#positions.get(io) ?? deleteLoader(io);
    this.#positions.set(io, loader);
    return loader;
  }
}

type SharedByReads = Pick<RelationSource, 'rows' | 'variantBytes' | 'signal'>;

function schemaOf(mention: ReadMention): Schema {
  return mention.kind === 'table' ? relationSchema({ ...mention, variantBytes: false }) : handedOver(mention.schema);
}

function exposed(mention: Mention): Pick<Replacement, 'reference' | 'metadataColumns'> {
  const { reference } = mention;
  return mention.kind === 'table' ? { reference, metadataColumns: mention.metadataColumns } : { reference };
}

/** Waits for all, so that if one fails `dispose` finds whatever the others have made. */
async function allOrNone<T>(promises: readonly Promise<T>[], dispose: () => void): Promise<readonly T[]> {
  try {
    return await Promise.all(promises);
  } catch (error) {
    await Promise.allSettled(promises);
    dispose();
    throw error;
  }
}

/** The place of a planning error in the text that the user wrote. */
function pointer(text: QueryText, edited: EditedText, { position }: SerializedError): string | undefined {
  if (position === null) return undefined;
  const offset = edited.toOriginal(byteOffsetMap(edited.text)(position));
  return pointAt(text.source, text.toSource(offset));
}

/** The place of a syntax error in the text that the user wrote. */
export function syntaxError(text: QueryText, error: SerializedError): LakehouseError {
  const offset = error.position === null ? null : text.toSource(byteOffsetMap(text.sql)(error.position));
  const place = offset === null ? '' : `\n${pointAt(text.source, offset)}`;
  return new LakehouseError('INVALID_ARGUMENT', `${error.message}${place}`, {
    context: offset === null ? {} : { position: offset },
  });
}
