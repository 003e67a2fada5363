import { randomUUID } from 'node:crypto';
import { LakehouseError, expr } from '@lh/core';
import type { Expression, Schema, Table } from '@lh/core';
import { PositionBitmap, unsupported } from '@lh/core/engine';
import type { EngineView, FoundRows, PositionsByFile, SelfWritingRows } from '@lh/core/engine';
import type { QueryText } from '../../query/query-text.ts';
import type { ScanReport } from '../../query/scan-report.ts';
import type { TableReading } from '../../query/table-resolver.ts';
import { quoteName, quoteString } from '../../text/quote.ts';
import { duckdbNames } from '../../types/duckdb-types.ts';
import { holdsVariant } from '../../types/variant-bytes.ts';
import type { QueryContext, StatementContext, Target } from '../catalog-statement.ts';
import { FILE, POSITION, ROW_ID, WRITTEN, deleteQuery, updateQuery, valueName } from './changes-query.ts';
import { mergeQuery } from './merge-query.ts';
import type { MergeStatement } from './merge-statement.ts';
import type { ErrorAt } from './new-values.ts';
import { sourceNames } from './source-names.ts';
import type { RowChangeStatement } from './read-row-change.ts';

export interface ChangesInput {
  readonly statement: RowChangeStatement;
  readonly target: Target;
  readonly context: StatementContext;
  readonly view: EngineView;
  /** The statement. */
  readonly text: QueryText;
  readonly errorAt: ErrorAt;
}

/** What files that are rewritten are called in queries. */
const KEPT = '__lh_kept';

/** The changes of a statement on one version of its table: a temporary table of DuckDB's, which spills to disk. */
export class Changes {
  /** How many rows are changed. */
  rows = 0;
  scans: readonly ScanReport[] = [];
  readonly #input: ChangesInput;
  readonly #table: Table;
  readonly #name = quoteName(`__lh_changes_${randomUUID()}`);
  readonly #read: Expression[] = [];
  readonly #queries: QueryContext;

  constructor(input: ChangesInput) {
    this.#input = input;
    this.#table = input.target.table.withMetadata(input.view.metadata);
    this.#queries = this.#over(input.statement.target.parts, { onRead: (filter) => this.#read.push(filter) });
  }

  /** Null if nothing is to be changed. */
  async find(): Promise<FoundRows | null> {
    const { statement, view } = this.#input;
    const made = await this.#queries.run(`CREATE TEMP TABLE ${this.#name} AS ${await this.#changesQuery()}`);
    await made.rows();
    this.scans = made.scans;
    this.rows = Number((await this.#values(`SELECT count(*) FROM ${this.#name}`))[0]!);
    if (this.rows === 0) return null;
    const positions = await this.#positions();
    return {
      positions,
      scope: expr.or(...this.#read),
      readsOthers: this.#read.length > 1 || (statement.kind === 'merge' && insertsRows(statement)),
      rows: (keep) => this.#rowsToWrite(keep, positions.size > 0 ? view.lineage : []),
    };
  }

  async drop(): Promise<void> {
    // Inside a transaction that was aborted DuckDB takes no more statements, and drops it itself.
    await this.#input.context.onSession(`DROP TABLE IF EXISTS temp.${this.#name}`).catch(() => undefined);
  }

  /** Queries in which a name stands for the version that is changed. */
  #over(parts: readonly string[], reading: Omit<TableReading, 'target'>): QueryContext {
    const { target, context, view, text } = this.#input;
    const resolved = {
      kind: 'table',
      name: target.table.name,
      table: this.#table,
      reading: { ...reading, target: { ref: view.branch } },
    } as const;
    const resolver = context.resolver.fork([[parts, resolved]]);
    resolver.show(target.table, this.#table);
    return context.over(resolver, text);
  }

  async #changesQuery(): Promise<string> {
    const { statement, view, errorAt } = this.#input;
    const { schema } = this.#table;
    const hasRowIds = view.lineage.length > 0;
    this.#checkColumns(schema);
    switch (statement.kind) {
      case 'delete':
        return `${statement.with}${deleteQuery(statement)}`;
      case 'update':
        return `${statement.with}${updateQuery(statement, schema, hasRowIds, errorAt)}`;
      case 'merge': {
        const sourceColumns = await this.#sourceColumns(statement);
        const ofSource = await sourceNames(statement, schema, sourceColumns, this.#input.context);
        return `${statement.with}${mergeQuery({ statement, schema, sourceColumns, hasRowIds, errorAt, ofSource })}`;
      }
    }
  }

  #checkColumns(schema: Schema): void {
    const { statement, target } = this.#input;
    const { name } = target.table;
    if (duckdbNames(schema).some((one, i) => one !== schema.fields[i]!.name)) {
      throw unsupported(`Table ${name} has columns whose names differ in case only, which are one name in SQL.`);
    }
    const own = schema.fields.find((field) => HIDDEN.includes(field.name.toLowerCase()));
    if (own !== undefined) {
      throw unsupported(`Table ${name} has a column '${own.name}', which hides where its rows are; rename it first.`);
    }
    const variant = schema.fields.find(({ type }) => holdsVariant(type));
    if (variant === undefined || statement.kind === 'delete') return;
    throw unsupported(
      `${statement.kind.toUpperCase()} of ${name} isn't supported in SQL, as DuckDB's variants don't hold all that those in '${variant.name}' may; use table.update() or table.merge().`,
    );
  }

  async #sourceColumns(statement: MergeStatement): Promise<readonly string[] | null> {
    const isNeeded = statement.clauses.some(
      ({ when, action }) => when === 'not matched' || action.kind === 'update by name',
    );
    if (!isNeeded) return null;
    const prefix = this.#input.statement.with;
    const result = await this.#queries.run(`${prefix}SELECT * FROM ${statement.source.sql} LIMIT 0`);
    return result.columns.map(({ name }) => name);
  }

  /** By file. A row that is there twice would be changed twice: the standard's cardinality violation. */
  async #positions(): Promise<PositionsByFile> {
    const where = `FROM ${this.#name} WHERE ${FILE} IS NOT NULL`;
    const paths = (await this.#values(`SELECT DISTINCT ${FILE} ${where}`)).map(String);
    const bitmaps = paths.map(() => new PositionBitmap());
    if (paths.length === 0) return new Map();
    const type = `ENUM(${paths.map(quoteString).join(', ')})`;
    const result = await this.#queries.run(
      `SELECT CAST(enum_code(CAST(${FILE} AS ${type})) AS INTEGER), ${POSITION} ${where}`,
    );
    let found = 0;
    for await (const batch of result.batches()) {
      const files = batch.getChildAt(0)!.toArray() as Int32Array;
      const positions = batch.getChildAt(1)!.toArray() as BigInt64Array;
      for (let i = 0; i < files.length; i++) bitmaps[files[i]!]!.add(Number(positions[i]!));
      found += files.length;
    }
    if (bitmaps.reduce((sum, { size }) => sum + size, 0) < found) throw this.#changedTwice();
    return new Map(paths.map((path, i) => [path, bitmaps[i]!]));
  }

  #changedTwice(): LakehouseError {
    const { statement, target } = this.#input;
    const clause = statement.kind === 'merge' ? 'the source' : 'FROM';
    return new LakehouseError(
      'INVALID_ARGUMENT',
      `Several rows of ${clause} match one row of ${target.table.name} and would change it differently; make them unique, by a GROUP BY or QUALIFY.`,
      { context: { table: target.table.name } },
    );
  }

  /** Rows of rewritten files that stay, and changed and new ones. */
  #rowsToWrite(keep: PositionsByFile, lineage: EngineView['lineage']): SelfWritingRows | null {
    // Columns of an unknown type hold nothing, and aren't stored.
    const columns = this.#table.schema.fields
      .map(({ name, type }, i) => ({ name: quoteName(name), value: valueName(i), type }))
      .filter(({ type }) => type.kind !== 'unknown');
    const writes = this.#input.statement.kind !== 'delete';
    const queries: string[] = [];
    if (keep.size > 0) {
      const old = lineage.map(
        ({ name, limit }) => `CASE WHEN ${KEPT}.${name} < ${limit} THEN ${KEPT}.${name} END AS ${name}`,
      );
      queries.push(`SELECT ${[...columns.map(({ name }) => `${KEPT}.${name}`), ...old].join(', ')} FROM ${KEPT}`);
    }
    if (writes) {
      const changed = lineage.map(({ name, limit }) =>
        name === '_row_id'
          ? `CASE WHEN ${ROW_ID} < ${limit} THEN ${ROW_ID} END AS ${name}`
          : `CAST(NULL AS BIGINT) AS ${name}`,
      );
      const values = columns.map(({ name, value }) => `${value} AS ${name}`);
      queries.push(`SELECT ${[...values, ...changed].join(', ')} FROM ${this.#name} WHERE ${WRITTEN}`);
    }
    return queries.length === 0 ? null : this.#over([KEPT], { files: keep }).rows(queries.join(' UNION ALL '));
  }

  async #values(sql: string): Promise<readonly unknown[]> {
    return (await (await this.#queries.run(sql)).rows()).map((row) => Object.values(row)[0]);
  }
}

const HIDDEN: readonly string[] = ['_file', '_pos', '_row_id', '_last_updated_sequence_number'];

function insertsRows({ clauses }: MergeStatement): boolean {
  return clauses.some(({ when }) => when === 'not matched');
}
