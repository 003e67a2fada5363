import type { DuckDBConnection } from '@duckdb/node-api';
import type { FileScanTask, IcebergType, ScanPlan, Schema, Table } from '@lh/core';
import { LakehouseError, expr, throwIfAborted } from '@lh/core';
import { bindExpression, expressionToText, readTaskColumns } from '@lh/core/engine';
import type { ColumnBatch } from '@lh/core/engine';
import { duckdbError, withoutPointer } from '../errors.ts';
import { icebergFeed } from '../feed/feeds.ts';
import type { Planner, ShadowColumn } from '../plan/planner.ts';
import { scanNeeds } from '../plan/prune.ts';
import type { ScanNeeds } from '../plan/prune.ts';
import type { FileSchemas } from '../relation/file-schema.ts';
import { emptyRelation, nameMappingOf, scanRelation } from '../relation/scan-relation.ts';
import type { Session } from '../session/session.ts';
import { isUtc } from '../session/settings.ts';
import { byteOffsetMap } from '../text/edits.ts';
import type { EditedText } from '../text/edits.ts';
import { pointAt } from '../text/tokens.ts';
import { duckdbNames, duckdbType } from '../types/duckdb-types.ts';
import type { ScanReport } from './scan-report.ts';
import type { SerializedError } from './serialized.ts';
import { replaceTables } from './table-references.ts';
import type { QueryReferences, Replacement, TableReference } from './table-references.ts';
import type { RegisteredFeed, TableResolver } from './table-resolver.ts';
import { scanTarget } from './time-travel.ts';
import type { ScanTarget } from './time-travel.ts';

/** A query, ready to run. */
export interface PreparedQuery {
  readonly sql: string;
  readonly scans: readonly ScanReport[];
  /** It needs temporary tables, macros or variables, which only the main connection has. */
  readonly needsMain: boolean;
  /** To be called when the query is through. */
  dispose(): void;
}

export interface QueryText {
  /** The query with its parameters in place. */
  readonly sql: string;
  /** The text that the user gave, and where an offset of `sql` is in it: for errors. */
  readonly source: string;
  toSource(offset: number): number;
}

/** A mention of a table, with what it stands for. */
type Mention =
  | {
      readonly kind: 'table';
      readonly reference: TableReference;
      readonly name: string;
      readonly table: Table;
      readonly target: ScanTarget;
      readonly schema: Schema;
    }
  | { readonly kind: 'data'; readonly reference: TableReference; readonly data: RegisteredFeed }
  | { readonly kind: 'local'; readonly reference: TableReference; readonly columns: readonly ShadowColumn[] };

type TableMention = Extract<Mention, { kind: 'table' }>;

interface PlannedMention {
  readonly mention: TableMention;
  readonly needs: ScanNeeds;
  readonly plan: ScanPlan;
}

/** Prepares queries over tables of catalogs: finds the tables, plans, prunes, and writes the query that DuckDB runs. */
export class QueryRunner {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #files: FileSchemas;

  constructor(session: Session, planner: Planner, files: FileSchemas) {
    this.#session = session;
    this.#planner = planner;
    this.#files = files;
  }

  /** `plans` is false for a query that only looks plannable; its tables are then scanned whole. */
  async prepare(
    text: QueryText,
    references: QueryReferences,
    resolver: TableResolver,
    options: { readonly signal?: AbortSignal | undefined; readonly plans: boolean },
  ): Promise<PreparedQuery> {
    const unknownFunctions = await this.#planner.unknownFunctions(references.functions);
    const mentions = await this.#mentions(references, resolver);
    const tables = mentions.filter((mention) => mention.kind === 'table');
    const needsMain =
      unknownFunctions.length > 0 ||
      references.functions.has('getvariable') ||
      mentions.some(({ kind }) => kind === 'local');
    const needs = await this.#needs(text, references, mentions, options.plans, unknownFunctions.length > 0);
    throwIfAborted(options.signal);
    const planned = await Promise.all(tables.map((mention, i) => planMention(mention, needs[i]!, options.signal)));
    const disposals: (() => void)[] = [];
    const relations = await Promise.all(planned.map((one) => this.#relation(one, disposals, options.signal)));
    const sql = replaceTables(text.sql, references, this.#replacements(mentions, relations)).text;
    return { sql, scans: planned.map(report), needsMain, dispose: () => disposals.forEach((dispose) => dispose()) };
  }

  async #mentions(references: QueryReferences, resolver: TableResolver): Promise<readonly Mention[]> {
    return Promise.all(
      references.tables.map(async (reference): Promise<Mention> => {
        const resolved = await resolver.resolve(reference.parts);
        if (resolved?.kind === 'table') {
          const target = await this.#target(reference, resolved.table);
          return { ...resolved, reference, target, schema: resolved.table.scan(target).schema };
        }
        if (resolved) return { kind: 'data', reference, data: resolved.data };
        return { kind: 'local', reference, columns: await this.#localColumns(reference, resolver) };
      }),
    );
  }

  async #target(reference: TableReference, table: Table): Promise<ScanTarget> {
    if (!reference.at) return {};
    const lease = await this.#session.lease();
    try {
      return await scanTarget(lease.connection, reference.at, table);
    } finally {
      lease.release();
    }
  }

  /** The columns of a table, view or file that is DuckDB's; NOT_FOUND if there is none. */
  async #localColumns(reference: TableReference, resolver: TableResolver): Promise<readonly ShadowColumn[]> {
    const name = reference.parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
    return this.#session.onMain(async () => {
      try {
        const reader = await this.#session.main.runAndReadAll(`DESCRIBE SELECT * FROM ${name}`);
        return reader.getRows().map(([column, type]) => ({ name: String(column), type: String(type) }));
      } catch (error) {
        const isUnknown = error instanceof Error && /^(?:Catalog|Binder) Error/.test(error.message);
        throw isUnknown
          ? await resolver.unknown(reference.parts, await localNames(this.#session.main))
          : duckdbError(error);
      }
    });
  }

  /** What the query needs of each table, by DuckDB's own plan of it. */
  async #needs(
    text: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    plans: boolean,
    hasMacros: boolean,
  ): Promise<readonly ScanNeeds[]> {
    const tables = mentions.filter((mention) => mention.kind === 'table');
    if (tables.length === 0) return [];
    const whole = (reason: string): readonly ScanNeeds[] =>
      tables.map(() => ({
        filter: expr.alwaysTrue(),
        notPushed: [{ predicate: '(the whole query)', reason }],
        columns: null,
      }));
    if (!plans) return whole('Only plain SELECT statements can be planned.');
    const settings = await this.#session.settings();
    if (hasMacros) await this.#session.onMain(() => this.#planner.copyMacros(this.#session.main));
    const shadows = await this.#planner.shadows(mentions.map(shadowColumns));
    const edited = replaceTables(
      text.sql,
      references,
      mentions.map(({ reference }, i) => ({ reference, by: { name: shadows[i]! } })),
    );
    const serialized = await this.#planner.plan(edited.text, settings);
    if (serialized.ok) {
      return mentions.flatMap((mention, i) =>
        mention.kind === 'table'
          ? [scanNeeds(serialized.root, shadows[i]!, mention.schema, { utc: isUtc(settings) })]
          : [],
      );
    }
    await this.#refuseInvalid(text, references, mentions, edited, serialized.error);
    return whole(`The query could not be planned: ${withoutPointer(serialized.error.message)}`);
  }

  /** Planning may fail where running doesn't; if DuckDB refuses the query as well, the error is the user's to mend. */
  async #refuseInvalid(
    text: QueryText,
    references: QueryReferences,
    mentions: readonly Mention[],
    edited: EditedText,
    planError: SerializedError,
  ): Promise<void> {
    const relations = mentions.flatMap((mention) => (mention.kind === 'table' ? [emptyRelation(mention.schema)] : []));
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
      if (mention.kind === 'table') return [{ reference, by: { query: relations[next++]! } }];
      if (mention.kind === 'data') return [{ reference, by: { query: this.#session.feeds.relation(mention.data.id) } }];
      return [];
    });
  }

  async #relation(
    { mention, plan }: PlannedMention,
    disposals: (() => void)[],
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { table, schema } = mention;
    const lease = await this.#session.lease();
    try {
      const source = {
        connection: lease.connection,
        io: table.io,
        metadata: table.metadata,
        schema,
        files: this.#files,
      };
      const { sql, forCore } = await scanRelation(source, plan.tasks);
      if (forCore.length === 0) return sql;
      const id = this.#session.feeds.add(icebergFeed(schema, await readWithCore(table, schema, forCore, signal)));
      disposals.push(() => this.#session.feeds.remove(id));
      const read = this.#session.feeds.relation(id);
      return forCore.length === plan.tasks.length ? read : `${sql}\nUNION ALL\n${read}`;
    } finally {
      lease.release();
    }
  }
}

/** Files that DuckDB can't read exactly are read here, into memory. */
async function readWithCore(
  table: Table,
  schema: Schema,
  tasks: readonly FileScanTask[],
  signal: AbortSignal | undefined,
): Promise<readonly ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  const nameMapping = nameMappingOf(table.metadata);
  for (const task of tasks) {
    const options = { projection: schema, ...(nameMapping && { nameMapping }), ...(signal && { signal }) };
    for await (const batch of readTaskColumns(table.io, task, options)) batches.push(batch);
  }
  return batches;
}

async function planMention(
  mention: TableMention,
  needs: ScanNeeds,
  signal: AbortSignal | undefined,
): Promise<PlannedMention> {
  const columnStats = floatColumns(mention.schema, needs.columns);
  const scan = mention.table.scan({ ...mention.target, filter: needs.filter, columnStats, ...(signal && { signal }) });
  return { mention, needs, plan: await scan.plan() };
}

/** Columns whose counts of NaN decide how their files are read: those of floating-point numbers that the query reads. */
function floatColumns(schema: Schema, columns: ReadonlySet<number> | null): readonly string[] {
  const leaves = (type: IcebergType, path: string): readonly string[] => {
    if (type.kind === 'float' || type.kind === 'double') return [path];
    return type.kind === 'struct' ? type.fields.flatMap((field) => leaves(field.type, `${path}.${field.name}`)) : [];
  };
  return schema.fields.flatMap(({ name, type }, i) => (columns === null || columns.has(i) ? leaves(type, name) : []));
}

function shadowColumns(mention: Mention): readonly ShadowColumn[] {
  if (mention.kind === 'local') return mention.columns;
  if (mention.kind === 'data') {
    const { names, types } = mention.data.feed;
    return names.map((name, i) => ({ name, type: types[i]!.toString() }));
  }
  const names = duckdbNames(mention.schema);
  return mention.schema.fields.map(({ type }, i) => ({ name: names[i]!, type: duckdbType(type) }));
}

async function localNames(connection: DuckDBConnection): Promise<readonly string[]> {
  const reader = await connection.runAndReadAll(
    'SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal',
  );
  return reader.getRows().map(([name]) => String(name));
}

/** The place of a planning error in the text that the user wrote. */
function pointer(text: QueryText, edited: EditedText, { position }: SerializedError): string | undefined {
  if (position === null) return undefined;
  const offset = edited.toOriginal(byteOffsetMap(edited.text)(position));
  return pointAt(text.source, text.toSource(offset));
}

function report({ mention, needs, plan }: PlannedMention): ScanReport {
  const { metrics } = plan;
  return {
    table: mention.name,
    snapshotId: metrics.snapshotId,
    predicate: needs.filter.op === 'true' ? null : expressionToText(bindExpression(mention.schema, needs.filter)),
    notPushed: needs.notPushed,
    filesTotal: metrics.filesTotal,
    filesScanned: metrics.filesScanned,
    filesSkipped: metrics.filesSkipped,
    filesSkippedBy: metrics.filesSkippedBy,
    manifestsTotal: metrics.manifestsTotal,
    manifestsScanned: metrics.manifestsScanned,
    manifestsSkipped: metrics.manifestsSkipped,
    bytesScanned: metrics.bytesScanned,
    bytesSkipped: metrics.bytesSkipped,
    rowsScanned: metrics.rowsScanned,
    planningMs: metrics.durationMs,
  };
}

/** The place of a syntax error in the text that the user wrote. */
export function syntaxError(text: QueryText, error: SerializedError): LakehouseError {
  const offset = error.position === null ? null : text.toSource(byteOffsetMap(text.sql)(error.position));
  const place = offset === null ? '' : `\n${pointAt(text.source, offset)}`;
  return new LakehouseError('INVALID_ARGUMENT', `${error.message}${place}`, {
    context: offset === null ? {} : { position: offset },
  });
}
