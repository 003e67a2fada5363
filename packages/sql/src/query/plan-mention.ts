import { version } from '@duckdb/node-api';
import type {
  DataFile,
  Expression,
  FileScanTask,
  IcebergType,
  ReportMetadata,
  ScanPlan,
  Schema,
  Snapshot,
} from '@lh/core';
import { bindExpression, expressionToText, strictMetricsEvaluator } from '@lh/core/engine';
import { filesOfFirstRows } from '../plan/first-files.ts';
import type { ScanNeeds } from '../plan/prune.ts';
import type { FileAccess } from '../remote/scan-files.ts';
import type { MetadataMention, ReadMention, TableMention } from './mentions.ts';
import type { ScanReport } from './scan-report.ts';

/** A table, and the files of it that a query has to read. */
export interface PlannedTable {
  readonly mention: TableMention;
  readonly needs: ScanNeeds;
  readonly plan: ScanPlan;
  /** Files that the plan had at first. */
  readonly leftOut: LeftOut;
}

/** Files that aren't read though the table's own filters keep them, by why. */
export interface LeftOut {
  /** There are rows enough for the query's LIMIT in others. */
  readonly limit: number;
  /** No key of another table is in them. */
  readonly dynamic: number;
  /** Their metadata has what the query asks of them. */
  readonly answered: number;
}

/** A metadata table is pruned while it is read. */
interface PlannedMetadataTable {
  readonly mention: MetadataMention;
  readonly needs: ScanNeeds;
  readonly plan: null;
}

export type PlannedMention = PlannedTable | PlannedMetadataTable;

export interface PlanMentionOptions {
  /** Columns whose statistics are of use later. */
  readonly columnStats: readonly string[];
  /** It is of use to know which files match as a whole. */
  readonly coverage: boolean;
  readonly signal: AbortSignal | undefined;
}

export async function planMention(
  mention: ReadMention,
  needs: ScanNeeds,
  { columnStats, coverage, signal }: PlanMentionOptions,
): Promise<PlannedMention> {
  if (mention.kind === 'metadata') return { mention, needs, plan: null };
  // Of a table that a statement changes only some rows may be read, whatever the counts of its files say.
  const limit = mention.reading ? null : needs.limit;
  const sortedBy = limit?.order ? mention.schema.fields[limit.order.column] : undefined;
  const wantsCoverage = (coverage || sortedBy !== undefined) && needs.isExact;
  const covers = wantsCoverage ? strictMetricsEvaluator(bindExpression(mention.schema, needs.filter)) : null;
  const wanted = [
    ...columnStats,
    ...floatColumns(mention.schema, needs.columns),
    ...(sortedBy ? [sortedBy.name] : []),
    ...(covers ? filterColumns(needs.filter) : []),
  ];
  const scan = mention.table.scan({
    ...mention.target,
    filter: needs.filter,
    select: readColumns(mention, needs),
    columnStats: wanted,
    reportMetadata: ENGINE,
    ...(limit && limit.order === null && { limit: limit.rows }),
    ...(signal && { signal }),
  });
  const plan = await scan.plan();
  const found = covers ? plan.tasks.map((task) => (covers(task.file) ? wholeFile(task) : task)) : plan.tasks;
  const leftOut = { limit: 0, dynamic: 0, answered: 0 };
  const planned = { mention, needs, plan: { ...plan, tasks: found }, leftOut };
  mention.reading?.onRead?.(needs.filter);
  const files = mention.reading?.files;
  const { tasks } = planned.plan;
  if (files) return { ...planned, plan: { ...planned.plan, tasks: tasks.filter(({ file }) => files.has(file.path)) } };
  if (limit?.order && sortedBy) {
    return withoutFiles(planned, filesOfFirstRows(tasks, sortedBy, limit.order, limit.rows), 'limit');
  }
  return limit ? withUnlisted(planned, scan.snapshot) : planned;
}

/** A file of which all rows pass the filter. */
function wholeFile(task: FileScanTask): FileScanTask {
  return task.residual.op === 'true' ? task : { ...task, residual: { op: 'true' } };
}

/** The names of the columns that a filter is about. */
function filterColumns(filter: Expression): readonly string[] {
  if (filter.op === 'true' || filter.op === 'false') return [];
  if (filter.op === 'and' || filter.op === 'or') return [filter.left, filter.right].flatMap(filterColumns);
  return filter.op === 'not' ? filterColumns(filter.child) : [filter.term.column];
}

/** The same table with fewer of its files. */
export function withoutFiles(
  planned: PlannedTable,
  tasks: readonly FileScanTask[],
  reason: keyof LeftOut,
): PlannedTable {
  const { plan, leftOut } = planned;
  const sum = (of: (file: DataFile) => number): number => tasks.reduce((total, { file }) => total + of(file), 0);
  const bytesScanned = sum((file) => file.fileSizeInBytes);
  const left = plan.tasks.length - tasks.length;
  const metrics = {
    ...plan.metrics,
    filesScanned: tasks.length,
    filesSkipped: plan.metrics.filesSkipped + left,
    bytesScanned,
    bytesSkipped: plan.metrics.bytesSkipped + plan.metrics.bytesScanned - bytesScanned,
    rowsScanned: sum((file) => file.recordCount),
  };
  return { ...planned, plan: { tasks, metrics }, leftOut: { ...leftOut, [reason]: leftOut[reason] + left } };
}

/** Planning stops when it has found rows enough: of the rest only what the snapshot tells is known. */
function withUnlisted(planned: PlannedTable, snapshot: Snapshot | null): PlannedTable {
  const { metrics, tasks } = planned.plan;
  const listed = Number(snapshot?.summary?.['total-data-files'] ?? metrics.filesTotal);
  const unlisted = Math.max(0, listed - metrics.filesTotal);
  const all = {
    ...metrics,
    filesTotal: metrics.filesTotal + unlisted,
    filesSkipped: metrics.filesSkipped + unlisted,
  };
  return { ...planned, plan: { tasks, metrics: all }, leftOut: { ...planned.leftOut, limit: unlisted } };
}

/** For the scan's report. */
const ENGINE: ReportMetadata = { 'engine-name': 'duckdb', 'engine-version': version() };

function readColumns({ schema, metadataColumns }: TableMention, { columns }: ScanNeeds): readonly string[] {
  const names = schema.fields.filter((_, i) => columns === null || columns.has(i)).map(({ name }) => name);
  // A scan reads some column; this one is in no file.
  return names.length + metadataColumns.length === 0 ? ['_pos'] : [...names, ...metadataColumns];
}

/** Columns whose counts of NaN decide how their files are read: those of floating-point numbers that the query reads. */
function floatColumns(schema: Schema, columns: ReadonlySet<number> | null): readonly string[] {
  const leaves = (type: IcebergType, path: string): readonly string[] => {
    if (type.kind === 'float' || type.kind === 'double') return [path];
    return type.kind === 'struct' ? type.fields.flatMap((field) => leaves(field.type, `${path}.${field.name}`)) : [];
  };
  return schema.fields.flatMap(({ name, type }, i) => (columns === null || columns.has(i) ? leaves(type, name) : []));
}

/** Metadata tables have no files of rows to tell of. */
export function scanReports(planned: PlannedMention, access: FileAccess | undefined): readonly ScanReport[] {
  if (planned.plan === null || access === undefined) return [];
  const { mention, needs, plan, leftOut } = planned;
  const { metrics } = plan;
  const report = {
    table: mention.name,
    snapshotId: metrics.snapshotId,
    predicate: needs.filter.op === 'true' ? null : expressionToText(bindExpression(mention.schema, needs.filter)),
    notPushed: needs.notPushed,
    dynamic: needs.dynamic,
    fromMetadata: leftOut.answered > 0 && plan.tasks.length === 0,
    filesTotal: metrics.filesTotal,
    filesScanned: metrics.filesScanned,
    filesSkipped: metrics.filesSkipped,
    filesSkippedBy: { ...metrics.filesSkippedBy, ...leftOut },
    manifestsTotal: metrics.manifestsTotal,
    manifestsScanned: metrics.manifestsScanned,
    manifestsSkipped: metrics.manifestsSkipped,
    bytesScanned: metrics.bytesScanned,
    bytesSkipped: metrics.bytesSkipped,
    rowsScanned: metrics.rowsScanned,
    deleteFilesApplied: deleteFilesOf(plan),
    planningMs: metrics.durationMs,
    access,
  };
  return [report];
}

function deleteFilesOf({ tasks }: ScanPlan): number {
  return new Set(tasks.flatMap(({ deletes }) => deletes)).size;
}
