import type { DuckDBConnection } from '@duckdb/node-api';
import { duckdbError, withoutPointer } from '../errors.ts';
import { joinKeys } from '../plan/join-keys.ts';
import type { JoinKey } from '../plan/join-keys.ts';
import { countingQuery } from '../plan/counting-query.ts';
import type { CountingQuery } from '../plan/counting-query.ts';
import type { Planner, ShadowColumn } from '../plan/planner.ts';
import { scanNeeds, wholeTable } from '../plan/prune.ts';
import type { ScanNeeds } from '../plan/prune.ts';
import type { ConversionOptions } from '../plan/to-expression.ts';
import { emptyRelation } from '../relation/empty-relation.ts';
import type { Session } from '../session/session.ts';
import { timeZoneOf } from '../session/settings.ts';
import type { Edit, EditedText } from '../text/edits.ts';
import { ownColumnNames } from './column-names.ts';
import { contextValues, isTime } from './context-calls.ts';
import { describeSource, isRead, shadowColumns } from './mentions.ts';
import type { Mention } from './mentions.ts';
import { pointer } from './query-text.ts';
import type { Executor, PrepareOptions, QueryText } from './query-text.ts';
import { exposed, replacements, schemaOf } from './replacements.ts';
import type { SerializedError } from './serialized.ts';
import { replaceTables } from './table-references.ts';
import type { FileRead, QueryReferences } from './table-references.ts';
import { handsOnBytes } from './variant-form.ts';
import type { PlannedQuery } from './variant-form.ts';

export interface QueryNeeds {
  /** One for each table of a catalog. */
  readonly needs: readonly ScanNeeds[];
  /** Names of the result's columns, where the query that is run would give others. */
  readonly names: readonly string[] | null;
  /** It is given variants as their bytes. */
  readonly variantBytes: boolean;
  /** What stands for each table of a catalog in `joinKeys` and `counting`. */
  readonly shadows: readonly string[];
  readonly joinKeys: readonly JoinKey[];
  /** Set for a query that metadata may answer. */
  readonly counting: CountingQuery | null;
  readonly conversion: ConversionOptions;
}

const NOTHING: QueryNeeds = {
  needs: [],
  names: null,
  variantBytes: false,
  shadows: [],
  joinKeys: [],
  counting: null,
  conversion: { zone: null },
};

/** Finds out what a query needs of its tables. */
export class QueryPlanning {
  readonly #session: Session;
  readonly #planner: Planner;

  constructor(session: Session, planner: Planner) {
    this.#session = session;
    this.#planner = planner;
  }

  /** What the query needs of each table, by DuckDB's own plan of it. */
  async needs(
    text: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    executor: Executor,
    { plans, isWhole }: PrepareOptions,
  ): Promise<QueryNeeds> {
    const reads = mentions.filter(isRead);
    const whole = (reason: string): QueryNeeds => ({ ...NOTHING, needs: reads.map(() => wholeTable(reason)) });
    if (reads.length === 0 && !references.hasUnnamedSubqueries) return NOTHING;
    if (!plans) return whole('Only plain SELECT statements can be planned.');
    const settings = await this.#session.settings();
    const constants = await this.#constants(text.sql, references, mentions, executor);
    if (!constants) return whole('It depends on values of the session that the plan can not know.');
    const files = await this.#fileColumns(text, references, executor.connection);
    const fileColumns = files.map(({ columns }) => columns);
    const rewrite = (names: readonly string[], edits: readonly Edit[]): EditedText =>
      replaceTables(
        text.sql,
        references,
        mentions.map((mention, i) => ({ ...exposed(mention), by: { name: names[i]! } })),
        files.map(({ read }, i) => ({ read, name: names[mentions.length + i]! })),
        edits,
      );
    const shadows = await this.#planner.shadows([...mentions.map(shadowColumns), ...fileColumns]);
    const edited = rewrite(shadows, constants);
    const serialized = await this.#planner.plan(edited.text, settings);
    if (!serialized.ok) {
      await this.#refuseInvalid(text, references, mentions, edited, serialized.error);
      return whole(`The query could not be planned: ${withoutPointer(serialized.error.message)}`);
    }
    const plan = serialized.root;
    const conversion = { zone: timeZoneOf(settings) };
    const needs = mentions.flatMap((mention, i) =>
      isRead(mention) ? [scanNeeds(plan, shadows[i]!, mention.schema, conversion)] : [],
    );
    const query: PlannedQuery = {
      plan,
      columnsOf: (mention) => needs[reads.indexOf(mention)]!.columns,
      mentions,
      fileColumns,
      rewrite: (others) => rewrite(others, constants).text,
      settings,
    };
    // What is written from the plan says nothing of collations: with another default it would mean something else.
    const isWritable = (settings.get('default_collation') ?? '') === '';
    const counting = isWritable ? countingQuery(plan) : null;
    const hasOtherNames = references.hasUnnamedSubqueries || counting !== null;
    // A column may be named after a call that a constant stands for in the plan.
    const names = hasOtherNames ? await this.#planner.columnNames(rewrite(shadows, []).text) : null;
    const shadowed = mentions.map(({ reference }, i) => ({ reference, shadow: shadows[i]! }));
    return {
      needs,
      variantBytes: isWhole && (await handsOnBytes(this.#planner, query)),
      names: names && ownColumnNames(names, shadowed),
      shadows: shadows.filter((_, i) => i < mentions.length && isRead(mentions[i]!)),
      joinKeys: isWritable ? joinKeys(plan) : [],
      counting,
      conversion,
    };
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
    const sql = replaceTables(text.sql, references, replacements(this.#session, mentions, relations)).text;
    await this.#session.onMain(async () => {
      try {
        (await this.#session.main.prepare(sql)).destroySync();
      } catch (error) {
        throw duckdbError(error, pointer(text, edited, planError));
      }
    });
  }
}
