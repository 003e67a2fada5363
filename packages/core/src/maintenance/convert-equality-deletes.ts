import type { NumbersColumn } from '../columns/column.ts';
import { PositionBitmap } from '../formats/puffin/position-bitmap.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { DataFile } from '../spec/data-file.ts';
import { FileReader, planFiles, positionsOf } from '../transaction/operations/file-matches.ts';
import type { FileMatches } from '../transaction/operations/file-matches.ts';
import { stageRowDeletes } from '../transaction/operations/stage-deletes.ts';
import type { TableView } from '../transaction/operations/table-view.ts';
import type { SnapshotChange } from '../transaction/snapshot-change.ts';
import { checkOptions } from './check-options.ts';
import type { OptionKinds } from './check-options.ts';
import { liveDeletes } from './live-entries.ts';
import { runOperation } from './run-operation.ts';
import type { OperatedTable, OperationResult, PlannedOperation } from './run-operation.ts';

export interface ConvertEqualityDeletesOptions {
  /** The branch to work on; main if left out. */
  readonly branch?: string | undefined;
  /** Only tells what would be converted; data files are read for it. */
  readonly dryRun?: boolean | undefined;
  /** Told of every data file that was looked through. */
  readonly onProgress?: ((progress: ConvertEqualityDeletesProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ConvertEqualityDeletesProgress {
  readonly filesRead: number;
  /** Data files that equality deletes may apply to. */
  readonly filesTotal: number;
}

export interface ConvertEqualityDeletesReport {
  readonly convertedEqualityDeleteFilesCount: number;
  /** Position delete files, or deletion vectors (v3). In a dry run: data files with rows that they delete. */
  readonly addedPositionDeleteFilesCount: number;
  /** Data files without a row that is left. */
  readonly removedDataFilesCount: number;
  /** The snapshot that was made; null if none was. */
  readonly snapshotId: bigint | null;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<ConvertEqualityDeletesOptions> = {
  branch: 'text',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

type Counts = Omit<ConvertEqualityDeletesReport, 'snapshotId' | 'dryRun'>;

const NOTHING: Counts = {
  convertedEqualityDeleteFilesCount: 0,
  addedPositionDeleteFilesCount: 0,
  removedDataFilesCount: 0,
};

/**
 * Puts positions in the place of equality deletes: who reads the table compares no keys any more. The data files that
 * equality deletes apply to are read, of each only the key columns. As it adds deletes, the snapshot's operation is
 * `delete`: others who rewrite these data files meanwhile must see that it concerns them, since the equality deletes that
 * they rely on are gone.
 */
export async function convertEqualityDeletes(
  table: OperatedTable,
  options: ConvertEqualityDeletesOptions = {},
): Promise<OperationResult<Counts>> {
  checkOptions('convertEqualityDeletes', options, OPTIONS);
  return runOperation(table, NOTHING, (view) => planConversion(view, options), options);
}

async function planConversion(
  view: TableView,
  options: ConvertEqualityDeletesOptions,
): Promise<PlannedOperation<Counts>> {
  const converted = await equalityDeletes(view);
  if (converted.length === 0) return { counts: NOTHING, change: null };
  const reader = new FileReader(view);
  const matches = await findDeleted(view, reader, options);
  if (options.dryRun) {
    return { counts: { convertedEqualityDeleteFilesCount: converted.length, ...dryCounts(matches) }, change: null };
  }
  const { addedDeletes, removed, dataFiles } = await stageRowDeletes(matches, view, reader);
  const counts = {
    convertedEqualityDeleteFilesCount: converted.length,
    addedPositionDeleteFilesCount: addedDeletes.reduce((sum, { files }) => sum + files.length, 0),
    removedDataFilesCount: removed.filter(({ content }) => content === 'data').length,
  };
  const change: SnapshotChange = {
    baseSnapshotId: view.baseSnapshotId,
    branch: view.state.branch,
    operation: 'delete',
    addedData: [],
    addedDeletes,
    removed: [...removed, ...converted],
    checks: { dataFilesExist: dataFiles.map(({ path }) => path) },
    summary: {},
  };
  return { counts, change };
}

async function equalityDeletes(view: TableView): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  for await (const { file } of liveDeletes(view)) if (file.content === 'equality-deletes') files.push(file);
  return files;
}

async function findDeleted(
  view: TableView,
  reader: FileReader,
  { onProgress }: ConvertEqualityDeletesOptions,
): Promise<readonly FileMatches[]> {
  const all = await planFiles(view, { op: 'true' });
  const tasks = all.filter(({ deletes }) => deletes.some(({ file }) => file.content === 'equality-deletes'));
  const matches: FileMatches[] = [];
  let filesRead = 0;
  const { signal } = view.state.options;
  const look = async (task: FileScanTask): Promise<FileMatches | null> => {
    const positions = await deletedPositions(task, reader);
    const before = await reader.deletes.positions(task, signal ? { signal } : {});
    return positions?.size === (before?.size ?? 0) ? null : { task, positions };
  };
  for await (const match of lookAhead(tasks, view.state.host.runtime.concurrency, look)) {
    if (match !== null) matches.push(match);
    onProgress?.({ filesRead: ++filesRead, filesTotal: tasks.length });
  }
  return matches;
}

/** All that are deleted, by position or by key; null if these are all rows. */
async function deletedPositions(task: FileScanTask, reader: FileReader): Promise<PositionBitmap | null> {
  const deleted = new PositionBitmap();
  let next = 0;
  let live = 0;
  const skipTo = (end: number): void => {
    for (; next < end; next++) deleted.add(next);
  };
  for await (const { columns } of reader.read(task, { kind: 'struct', fields: [] }, { metadataColumns: ['_pos'] })) {
    for (const position of positionsOf(columns[0] as NumbersColumn)) {
      skipTo(position);
      next = position + 1;
      live++;
    }
  }
  skipTo(task.file.recordCount);
  return live === 0 ? null : deleted;
}

function dryCounts(matches: readonly FileMatches[]): Omit<Counts, 'convertedEqualityDeleteFilesCount'> {
  const removed = matches.filter(({ positions }) => positions === null).length;
  return { removedDataFilesCount: removed, addedPositionDeleteFilesCount: matches.length - removed };
}
