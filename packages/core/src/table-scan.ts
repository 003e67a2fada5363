import { Table as ArrowTable } from 'apache-arrow';
import type { RecordBatch } from 'apache-arrow';
import { arrowSchema } from './columns/arrow-schema.ts';
import type { ColumnBatch } from './columns/column.ts';
import { toRecordBatch } from './columns/to-arrow.ts';
import { bindExpression } from './expr/bind.ts';
import type { BoundExpression } from './expr/bound-expression.ts';
import type { Expression } from './expr/expression.ts';
import { toExpression } from './expr/filter-input.ts';
import type { FilterInput } from './expr/filter-input.ts';
import { invalidArgument } from './errors.ts';
import type { FileIO } from './io/file-io.ts';
import { batchToRows } from './read/batch-rows.ts';
import type { RowOptions } from './read/batch-rows.ts';
import { taskSchema } from './read/read-task.ts';
import { readTasks } from './read/read-tasks.ts';
import { sendReport } from './reporter.ts';
import type { Reporter, ReportMetadata } from './reporter.ts';
import type { Runtime } from './runtime.ts';
import type { FileScanTask, ScanMetrics, ScanPlan } from './scan/file-scan-task.ts';
import { planScan } from './scan/plan-scan.ts';
import type { PlanScanOptions } from './scan/plan-scan.ts';
import type { StreamingScanPlan } from './scan/streaming-plan.ts';
import { tableNameMapping } from './spec/name-mapping.ts';
import type { NameMapping } from './spec/name-mapping.ts';
import { findFieldByName } from './spec/schema-fields.ts';
import type { Schema } from './spec/schema.ts';
import type { Snapshot } from './spec/snapshot.ts';
import type { TableMetadata } from './spec/table-metadata.ts';
import { scanReport } from './table-scan/scan-report.ts';
import { resolveScanTarget } from './table-scan/scan-target.ts';
import type { ScanTarget, ScanTargetOptions } from './table-scan/scan-target.ts';
import { selectColumns } from './table-scan/select-columns.ts';
import type { Selection } from './table-scan/select-columns.ts';

export interface ScanOptions<Select extends readonly string[] = readonly string[]> extends ScanTargetOptions {
  /** Rows for which it is TRUE: an expression or its text, `"ts >= '2024-01-01' AND city IN ('Seoul', 'Busan')"`. */
  readonly filter?: FilterInput | undefined;
  /** Columns, parts of them ('a.b'), and metadata columns ('_file', '_pos'); all columns if left out. */
  readonly select?: Select | undefined;
  /** At most so many rows; which ones is not said. */
  readonly limit?: number | undefined;
  /** Whether names in `filter` and `select` must match in case; true if left out. */
  readonly caseSensitive?: boolean | undefined;
  /** Columns whose statistics the files of the plan are to carry; decoding them costs time, so none if left out. */
  readonly columnStats?: readonly string[] | undefined;
  /** Entries for the `metadata` of the scan's report, such as the query that it is for. */
  readonly reportMetadata?: ReportMetadata | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a scan knows of its table: one version of it. */
export interface ScanSource {
  readonly name: string;
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly runtime: Runtime;
  readonly reporter: Reporter | undefined;
}

/** Finds the files of a scan. */
export type ScanPlanning = (options: PlanScanOptions) => StreamingScanPlan;

const SCAN_OPTIONS: Readonly<Record<keyof ScanOptions, true>> = {
  filter: true,
  select: true,
  limit: true,
  caseSensitive: true,
  columnStats: true,
  reportMetadata: true,
  signal: true,
  snapshotId: true,
  ref: true,
  asOf: true,
};

/** A misspelt `filter` must not read the whole table. */
function refuseUnknownOptions(options: ScanOptions): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(SCAN_OPTIONS, name)) {
      throw invalidArgument(`A scan has no option '${name}'; it has ${Object.keys(SCAN_OPTIONS).join(', ')}.`);
    }
  }
}

/** A read of one state of a table. It can be planned, and its rows read, any number of times. */
export class TableScan<Row = Record<string, unknown>> {
  readonly #source: ScanSource;
  readonly #target: ScanTarget;
  readonly #filter: Expression;
  readonly #bound: BoundExpression;
  readonly #selection: Selection;
  readonly #limit: number | null;
  readonly #columnStats: ReadonlySet<number>;
  readonly #nameMapping: NameMapping | null;
  readonly #reportMetadata: ReportMetadata | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #planner: ScanPlanning;

  /** For `table.scan()` and its kin; `planner` finds the files. */
  constructor(source: ScanSource, options: ScanOptions, planner: ScanPlanning = planScan) {
    refuseUnknownOptions(options);
    const { filter, select, limit, caseSensitive = true, columnStats = [], signal } = options;
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw invalidArgument(`limit must be a whole number of rows, not ${String(limit)}.`);
    }
    this.#source = source;
    this.#target = resolveScanTarget(source.metadata, options);
    this.#filter = filter === undefined ? { op: 'true' } : toExpression(filter);
    this.#bound = bindExpression(this.#target.schema, this.#filter, { caseSensitive });
    this.#selection = selectColumns(this.#target.schema, select, caseSensitive);
    this.#limit = limit ?? null;
    this.#columnStats = new Set(columnStats.map((name) => this.#fieldId(name, caseSensitive)));
    this.#nameMapping = tableNameMapping(source.metadata.properties);
    this.#reportMetadata = options.reportMetadata;
    this.#signal = signal;
    this.#planner = planner;
  }

  /** The snapshot that is read; null if the table had none. */
  get snapshot(): Snapshot | null {
    return this.#target.snapshot;
  }

  /** The columns of the result, without metadata columns. */
  get schema(): Schema<Row> {
    return this.#selection.projection as Schema<Row>;
  }

  /** Every file to read, and what was skipped and why. */
  async plan(): Promise<ScanPlan> {
    const tasks: FileScanTask[] = [];
    const planning = this.#plan();
    for await (const batch of planning.batches()) for (const task of batch) tasks.push(task);
    return { tasks, metrics: planning.metrics() };
  }

  /** The files to read, one by one as manifests are read. */
  planFiles(): AsyncIterable<FileScanTask> {
    return this.#plan().tasks();
  }

  /** The rows as Arrow record batches, read as fast as they are taken. */
  async *batches(): AsyncGenerator<RecordBatch, void, undefined> {
    let left = this.#limit ?? Number.POSITIVE_INFINITY;
    if (left === 0) return;
    const schema = arrowSchema(taskSchema(this.#selection));
    for await (const columns of this.#read(this.planFiles(), this.#selection)) {
      const batch = toRecordBatch(schema, columns);
      if (batch.numRows > 0) yield batch.numRows > left ? batch.slice(0, left) : batch;
      left -= batch.numRows;
      if (left <= 0) return;
    }
  }

  /** All rows as one Arrow table. */
  async toArrow(): Promise<ArrowTable> {
    const batches: RecordBatch[] = [];
    for await (const batch of this.batches()) batches.push(batch);
    return new ArrowTable(arrowSchema(taskSchema(this.#selection)), batches);
  }

  /** The rows as objects, read as fast as they are taken. */
  async *rows(options: RowOptions = {}): AsyncGenerator<Row, void, undefined> {
    for await (const batch of this.batches()) {
      yield* batchToRows(batch, this.#selection.projection, options) as Iterable<Row>;
    }
  }

  /** All rows as objects; the README's table says how values look. */
  async toRows(options: RowOptions = {}): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const row of this.rows(options)) rows.push(row);
    return rows;
  }

  /** The number of rows. Files that match as a whole and have no deletes are counted without being read. */
  async count(): Promise<number> {
    const limit = this.#limit ?? Number.POSITIVE_INFINITY;
    const noColumns: Selection = { projection: { ...this.#target.schema, fields: [] }, metadataColumns: [] };
    let count = 0;
    const uncounted = async function* (tasks: AsyncIterable<FileScanTask>): AsyncGenerator<FileScanTask> {
      for await (const task of tasks) {
        if (count >= limit) return;
        if (task.residual.op === 'true' && task.deletes.length === 0) count += task.file.recordCount;
        else yield task;
      }
    };
    for await (const { length } of this.#read(uncounted(this.planFiles()), noColumns)) {
      count += length;
      if (count >= limit) break;
    }
    return Math.min(count, limit);
  }

  #read(tasks: AsyncIterable<FileScanTask>, { projection, metadataColumns }: Selection): AsyncIterable<ColumnBatch> {
    const { io, runtime } = this.#source;
    return readTasks(io, tasks, {
      runtime,
      projection,
      metadataColumns,
      ...(this.#nameMapping && { nameMapping: this.#nameMapping }),
      ...(this.#signal && { signal: this.#signal }),
    });
  }

  #fieldId(name: string, caseSensitive: boolean): number {
    const found = findFieldByName(this.#target.schema, name, caseSensitive);
    if (!found) throw invalidArgument(`The table has no column '${name}', whose statistics were asked for.`);
    return found.field.id;
  }

  #plan(): {
    tasks(): AsyncIterable<FileScanTask>;
    batches(): AsyncIterable<readonly FileScanTask[]>;
    metrics(): ScanMetrics;
  } {
    const { io, metadata, runtime } = this.#source;
    const { snapshot, schema } = this.#target;
    const planning = this.#planner({
      io,
      metadata,
      snapshot,
      schema,
      filter: this.#bound,
      runtime,
      ...(this.#limit !== null && { limit: this.#limit }),
      ...(this.#columnStats.size > 0 && { columnStats: this.#columnStats }),
      ...(this.#signal && { signal: this.#signal }),
    });
    return {
      tasks: () => this.#reported(planning.tasks, planning.metrics),
      batches: () => this.#reported(planning.batches, planning.metrics),
      metrics: planning.metrics,
    };
  }

  /** Reports the plan when its tasks were taken, all or as many as the reader wanted. */
  async *#reported<T>(found: AsyncIterable<T>, metrics: () => ScanMetrics): AsyncGenerator<T, void, undefined> {
    let failed = false;
    try {
      yield* found;
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (!failed) this.#report(metrics());
    }
  }

  #report(metrics: ScanMetrics): void {
    const { name, reporter } = this.#source;
    const { schemaId } = this.#target.schema;
    const { projection } = this.#selection;
    const metadata = this.#reportMetadata;
    sendReport(
      reporter,
      scanReport({ tableName: name, filter: this.#filter, schemaId, projection, metrics, metadata }),
    );
  }
}
