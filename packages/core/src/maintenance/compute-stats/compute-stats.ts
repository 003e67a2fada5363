import { LakehouseError } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { randomUuid } from '../../runtime.ts';
import type { Runtime } from '../../runtime.ts';
import { snapshotById } from '../../spec/metadata-accessors.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { PartitionStatisticsFile, StatisticsFile, TableMetadata } from '../../spec/table-metadata.ts';
import type { TableUpdate } from '../../spec/updates.ts';
import { resolveScanTarget } from '../../table-scan/scan-target.ts';
import type { CommitOutcome } from '../../transaction/commit.ts';
import { StagedFiles } from '../../transaction/staged-files.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import { checkWritable, commitMaintenance, loadNewest } from '../maintained-table.ts';
import type { MaintainedTable } from '../maintained-table.ts';
import { writeColumnStatistics } from './column-statistics.ts';
import type { ColumnStatistics } from './column-statistics.ts';
import { writePartitionStatistics } from './partition-statistics.ts';

export interface ComputeStatsOptions {
  /** Whose distinct values are counted ('a.b' inside of structs); all of primitive types if left out, none for []. */
  readonly columns?: readonly string[] | undefined;
  /** Whether partitions are counted; if left out, where the table has any. */
  readonly partitions?: boolean | undefined;
  /** A snapshot; the current one if neither this nor `ref` is given. */
  readonly snapshotId?: bigint | undefined;
  /** A branch or tag. */
  readonly ref?: string | undefined;
  /** Only tells the numbers; nothing is left written. */
  readonly dryRun?: boolean | undefined;
  /** Told after every data file. */
  readonly onProgress?: ((progress: ComputeStatsProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ComputeStatsProgress {
  readonly filesRead: number;
  readonly rowsRead: number;
}

export interface ComputeStatsReport {
  /** Null for a table without snapshots: there is nothing to count. */
  readonly snapshotId: bigint | null;
  readonly columns: readonly ColumnStatistics[];
  /** The Puffin file with the columns' sketches; null if there is none, or in a dry run. */
  readonly statisticsFile: string | null;
  /** The Parquet file with the numbers of each partition; null if there is none, or in a dry run. */
  readonly partitionStatisticsFile: string | null;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<ComputeStatsOptions> = {
  columns: 'list',
  partitions: 'boolean',
  snapshotId: 'any',
  ref: 'text',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

/** The snapshot that statistics are computed of, and what it takes to write them. */
export interface ComputedSnapshot {
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly snapshot: Snapshot;
  readonly runtime: Runtime;
  readonly staged: StagedFiles;
  /** A place in the table's metadata directory for a file of a name that no other has. */
  readonly locationOf: (start: string, end: string) => string;
  readonly onProgress: ComputeStatsOptions['onProgress'];
  readonly signal: AbortSignal | undefined;
}

/**
 * Counts the distinct values of columns, over the live rows of a snapshot, and the files and records of its partitions,
 * and adds the files that say so to the table's metadata, where planners of other engines find them (spec: "Table
 * Statistics", "Partition Statistics"). Those that the snapshot had before are replaced. It makes no snapshot.
 *
 * One row batch is in memory at a time, up to 256 KiB for each column, and the numbers of each partition. If it fails
 * or is aborted, what it has written is deleted. INVALID_ARGUMENT for unknown columns; NOT_FOUND if the snapshot isn't
 * there, or has been expired meanwhile.
 */
export async function computeStats(
  table: MaintainedTable,
  options: ComputeStatsOptions = {},
): Promise<{ readonly report: ComputeStatsReport; readonly outcome: CommitOutcome | null }> {
  checkOptions('computeStats', options, OPTIONS);
  const { snapshotId, ref, dryRun = false, signal, onProgress } = options;
  const { operations, runtime } = table;
  const { io, name } = operations;
  if (!dryRun) checkWritable(table);
  const { metadata } = await loadNewest(table);
  const { snapshot } = resolveScanTarget(metadata, { snapshotId, ref });
  if (snapshot === null) return { report: { ...NOTHING, dryRun }, outcome: null };
  const staged = new StagedFiles(io);
  const locationOf = (start: string, end: string): string =>
    operations.newMetadataFileLocation(metadata, `${start}${randomUuid(runtime)}${end}`);
  const source = { io, metadata, snapshot, runtime, staged, locationOf, onProgress, signal };
  const files = await writeStatistics(source, options).catch(async (error: unknown) => {
    await staged.deleteAll();
    throw error;
  });
  const report = { snapshotId: snapshot.snapshotId, columns: files.columns, dryRun };
  if (dryRun) {
    await staged.deleteAll();
    return { report: { ...report, statisticsFile: null, partitionStatisticsFile: null }, outcome: null };
  }
  const action = { build: (newest: TableMetadata) => setStatistics(newest, files, staged, name) };
  const outcome = await commitMaintenance(table, action, { signal, branch: ref, staged });
  const statisticsFile = files.statistics?.statisticsPath ?? null;
  const partitionStatisticsFile = files.partitions?.statisticsPath ?? null;
  return { report: { ...report, statisticsFile, partitionStatisticsFile }, outcome };
}

const NOTHING = { snapshotId: null, columns: [], statisticsFile: null, partitionStatisticsFile: null };

interface NewStatistics {
  readonly columns: readonly ColumnStatistics[];
  readonly statistics: StatisticsFile | null;
  readonly partitions: PartitionStatisticsFile | null;
}

async function writeStatistics(source: ComputedSnapshot, options: ComputeStatsOptions): Promise<NewStatistics> {
  const hasPartitions = source.metadata.partitionSpecs.some(({ fields }) => fields.length > 0);
  const { columns, file } = await writeColumnStatistics(source, options.columns);
  const partitions = (options.partitions ?? hasPartitions) ? await writePartitionStatistics(source) : null;
  return { columns, statistics: file, partitions };
}

function setStatistics(
  metadata: TableMetadata,
  { statistics, partitions }: NewStatistics,
  staged: StagedFiles,
  table: string,
): readonly TableUpdate[] {
  const updates: TableUpdate[] = [];
  if (statistics) updates.push({ action: 'set-statistics', statistics });
  if (partitions) updates.push({ action: 'set-partition-statistics', statistics: partitions });
  for (const { snapshotId, statisticsPath } of [statistics, partitions].filter((file) => file !== null)) {
    if (!snapshotById(metadata, snapshotId)) {
      const message = `The snapshot ${snapshotId} of ${table} was expired while its statistics were computed.`;
      throw new LakehouseError('NOT_FOUND', message, { context: { table, snapshotId } });
    }
    staged.use(statisticsPath);
  }
  return updates;
}
