import { version } from '@duckdb/node-api';
import type { IcebergType, ReportMetadata, ScanPlan, Schema } from '@lh/core';
import { bindExpression, expressionToText } from '@lh/core/engine';
import type { ScanNeeds } from '../plan/prune.ts';
import type { FileAccess } from '../remote/scan-files.ts';
import type { MetadataMention, ReadMention, TableMention } from './mentions.ts';
import type { ScanReport } from './scan-report.ts';

/** A table, and the files of it that a query has to read. */
export interface PlannedTable {
  readonly mention: TableMention;
  readonly needs: ScanNeeds;
  readonly plan: ScanPlan;
}

/** A metadata table is pruned while it is read. */
interface PlannedMetadataTable {
  readonly mention: MetadataMention;
  readonly needs: ScanNeeds;
  readonly plan: null;
}

export type PlannedMention = PlannedTable | PlannedMetadataTable;

export async function planMention(
  mention: ReadMention,
  needs: ScanNeeds,
  signal: AbortSignal | undefined,
): Promise<PlannedMention> {
  if (mention.kind === 'metadata') return { mention, needs, plan: null };
  const columnStats = floatColumns(mention.schema, needs.columns);
  const scan = mention.table.scan({
    ...mention.target,
    filter: needs.filter,
    select: readColumns(mention, needs),
    columnStats,
    reportMetadata: ENGINE,
    ...(signal && { signal }),
  });
  const plan = await scan.plan();
  mention.reading?.onRead?.(needs.filter);
  const files = mention.reading?.files;
  if (files === undefined) return { mention, needs, plan };
  return { mention, needs, plan: { ...plan, tasks: plan.tasks.filter(({ file }) => files.has(file.path)) } };
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
export function scanReports(
  { mention, needs, plan }: PlannedMention,
  access: FileAccess | undefined,
): readonly ScanReport[] {
  if (plan === null || access === undefined) return [];
  const { metrics } = plan;
  const report = {
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
    access,
  };
  return [report];
}
