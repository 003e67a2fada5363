import type { FileIO } from '@lh/core';
import { throwIfAborted } from '@lh/core';
import { deleteLoader, tableNameMapping } from '@lh/core/engine';
import type { DeleteLoader } from '@lh/core/engine';
import { QueryRows } from '../feed/query-rows.ts';
import { countedColumns, metadataAnswer } from '../plan/metadata-answers.ts';
import type { MetadataAnswer } from '../plan/metadata-answers.ts';
import type { Planner } from '../plan/planner.ts';
import type { FileSchemas } from '../relation/file-schema.ts';
import { metadataRelation } from '../relation/metadata-relation.ts';
import { hiddenPrefix, scanRelation } from '../relation/scan-relation.ts';
import type { RelationSource } from '../relation/scan-relation.ts';
import type { RemoteAccess } from '../remote/remote-access.ts';
import type { ScanFiles } from '../remote/scan-files.ts';
import type { Session } from '../session/session.ts';
import { withColumnNames } from './column-names.ts';
import { needsSession } from './context-calls.ts';
import { keyColumns, pruneByKeys } from './dynamic-pruning.ts';
import { isRead } from './mentions.ts';
import type { Mention, ReadMention } from './mentions.ts';
import { planMention, scanReports, withoutFiles } from './plan-mention.ts';
import type { PlannedMention, PlannedTable } from './plan-mention.ts';
import { QueryPlanning } from './query-planning.ts';
import type { QueryNeeds } from './query-planning.ts';
import type { Executor, PrepareOptions, QueryText } from './query-text.ts';
import { Relations } from './relations.ts';
import { replacements } from './replacements.ts';
import type { ScanReport } from './scan-report.ts';
import { replaceTables } from './table-references.ts';
import type { QueryReferences } from './table-references.ts';
import { readsVariants } from './variant-form.ts';

/** A query, ready to run. */
export interface PreparedQuery {
  readonly sql: string;
  readonly scans: readonly ScanReport[];
  /** To be called when the query is through. */
  dispose(): void;
}

/** Prepares queries over tables of catalogs: finds the tables, plans, prunes, and writes the query that DuckDB runs. */
export class QueryRunner {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #planning: QueryPlanning;
  readonly #files: FileSchemas;
  readonly #remote: RemoteAccess;
  /** Delete files never change either: what was read for one query serves the next. */
  readonly #positions = new WeakMap<FileIO, DeleteLoader>();

  constructor(session: Session, planner: Planner, files: FileSchemas, remote: RemoteAccess) {
    this.#session = session;
    this.#planner = planner;
    this.#planning = new QueryPlanning(session, planner);
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
    const query = await this.#planning.needs(text, references, mentions, executor, options);
    throwIfAborted(options.signal);
    const planned = await planAll(reads, query, options.signal);
    const shared = {
      rows: new QueryRows(this.#session.feeds, () => this.#session.lease()),
      remote: reads.map((mention) =>
        mention.kind === 'table' ? this.#remote.scanFiles(mention.table, options.signal) : null,
      ),
      variantBytes: query.variantBytes,
      signal: options.signal,
    };
    const relations = new Relations(shared, (one, _, place) =>
      one.plan === null
        ? metadataRelation(one.mention, one.needs, shared)
        : this.#tableRelation(one, shared.remote[place]!, shared),
    );
    const finish = (sql: string, read: readonly PlannedMention[]): PreparedQuery => ({
      sql: query.names ? withColumnNames(sql, query.names) : sql,
      scans: read.flatMap((one, i) => scanReports(one, relations.access(i))),
      dispose: () => relations.dispose(),
    });
    try {
      const answered = answeredFromMetadata(query, planned);
      if (answered) {
        const isAll = answered.table.plan.tasks.length === 0;
        const rest = isAll ? null : `(${await relations.of(answered.table, 0)})`;
        return finish(answered.sql(rest), [answered.table]);
      }
      const pruned = await pruneByKeys(this.#session, planned, query, relations);
      throwIfAborted(options.signal);
      const texts = await relations.all(pruned);
      return finish(replaceTables(text.sql, references, replacements(this.#session, mentions, texts)).text, pruned);
    } catch (error) {
      relations.dispose();
      throw error;
    }
  }

  async #tableRelation(
    { mention, needs, plan }: PlannedTable,
    remote: ScanFiles,
    { rows, variantBytes, signal }: ReadingOptions,
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

/** The tables with the files that their own filters keep. */
function planAll(
  reads: readonly ReadMention[],
  { needs, shadows, joinKeys, counting }: QueryNeeds,
  signal: AbortSignal | undefined,
): Promise<readonly PlannedMention[]> {
  return Promise.all(
    reads.map((mention, i) => {
      const { schema } = mention;
      const keys = joinKeys.filter(({ table }) => table === shadows[i]).flatMap((key) => keyColumns(key, schema));
      const counted = counting && counting.table === shadows[i] ? countedColumns(counting, schema) : [];
      const coverage = counting?.table === shadows[i];
      return planMention(mention, needs[i]!, { columnStats: [...keys, ...counted], coverage, signal });
    }),
  );
}

interface AnsweredQuery {
  /** With the files that have to be read nevertheless. */
  readonly table: PlannedTable;
  readonly sql: MetadataAnswer['sql'];
}

/** A query that the metadata of its table answers, at least for some of the files. */
function answeredFromMetadata(
  { counting, needs }: QueryNeeds,
  [only, ...others]: readonly PlannedMention[],
): AnsweredQuery | null {
  if (!counting || !only?.plan || others.length > 0 || only.mention.reading || !needs[0]!.isExact) return null;
  const answer = metadataAnswer(counting, only.mention.schema, only.plan.tasks);
  return answer && { table: withoutFiles(only, answer.rest, 'answered'), sql: answer.sql };
}

type ReadingOptions = Pick<RelationSource, 'rows' | 'variantBytes' | 'signal'>;
