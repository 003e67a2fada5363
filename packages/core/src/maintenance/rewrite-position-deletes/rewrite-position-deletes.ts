import { isDeletionVector } from '../../manifest/content-problem.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import { planScan } from '../../scan/plan-scan.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { FileReader } from '../../transaction/operations/file-matches.ts';
import { writeRowDeletes } from '../../transaction/operations/stage-deletes.ts';
import type { TableView } from '../../transaction/operations/table-view.ts';
import type { SnapshotChange } from '../../transaction/snapshot-change.ts';
import type { StagedDeletes } from '../../transaction/staged-data.ts';
import type { DeletedPositions } from '../../write/delete-file.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import { runOperation } from '../run-operation.ts';
import type { OperatedTable, OperationResult, PlannedOperation } from '../run-operation.ts';
import { selectDeletes } from './select-deletes.ts';
import type { SelectDeletesOptions } from './select-deletes.ts';

export interface RewritePositionDeletesOptions extends SelectDeletesOptions {
  /** The branch to work on; main if left out. */
  readonly branch?: string | undefined;
  /** Only tells which files would be rewritten. */
  readonly dryRun?: boolean | undefined;
  /** Told of every partition that was written. */
  readonly onProgress?: ((progress: RewritePositionDeletesProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RewritePositionDeletesProgress {
  readonly partitionsRewritten: number;
  readonly partitionsTotal: number;
}

/** The counts have the names of Spark's `rewrite_position_delete_files`; what would be added, a dry run doesn't tell. */
export interface RewritePositionDeletesReport {
  readonly rewrittenDeleteFilesCount: number;
  /** Position delete files, or deletion vectors (v3). */
  readonly addedDeleteFilesCount: number;
  readonly rewrittenBytesCount: number;
  readonly addedBytesCount: number;
  /** The snapshot that was made; null if none was. */
  readonly snapshotId: bigint | null;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<RewritePositionDeletesOptions> = {
  where: 'any',
  targetFileSizeBytes: 'any',
  minFileSizeBytes: 'any',
  maxFileSizeBytes: 'any',
  minInputFiles: 'any',
  rewriteAll: 'boolean',
  branch: 'text',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

type Counts = Omit<RewritePositionDeletesReport, 'snapshotId' | 'dryRun'>;

const NOTHING: Counts = {
  rewrittenDeleteFilesCount: 0,
  addedDeleteFilesCount: 0,
  rewrittenBytesCount: 0,
  addedBytesCount: 0,
};

/**
 * Combines position delete files, and leaves out positions in data files that are gone. In a table that was upgraded to
 * version 3 it makes deletion vectors of them. The snapshot's operation is `replace`: the same rows are deleted as
 * before. In memory are the positions of one partition.
 */
export async function rewritePositionDeletes(
  table: OperatedTable,
  options: RewritePositionDeletesOptions = {},
): Promise<OperationResult<Counts>> {
  checkOptions('rewritePositionDeletes', options, OPTIONS);
  return runOperation(table, NOTHING, (view) => planRewrite(view, options), options);
}

async function planRewrite(view: TableView, options: RewritePositionDeletesOptions): Promise<PlannedOperation<Counts>> {
  const selected = await selectDeletes(view, options);
  const before = {
    ...NOTHING,
    rewrittenDeleteFilesCount: selected.length,
    rewrittenBytesCount: selected.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0),
  };
  if (options.dryRun || selected.length === 0) return { counts: before, change: null };
  const { addedDeletes, dataFiles } = await rewrite(view, selected, options);
  const added = addedDeletes.flatMap(({ files }) => files);
  const counts = {
    ...before,
    addedDeleteFilesCount: added.length,
    addedBytesCount: added.reduce((sum, file) => sum + (file.contentSizeInBytes ?? file.fileSizeInBytes), 0),
  };
  const change: SnapshotChange = {
    baseSnapshotId: view.baseSnapshotId,
    branch: view.state.branch,
    operation: 'replace',
    addedData: [],
    addedDeletes,
    removed: selected,
    checks: { dataFilesExist: dataFiles.map(({ path }) => path) },
    summary: {},
  };
  return { counts, change };
}

interface Rewritten {
  readonly addedDeletes: readonly StagedDeletes[];
  readonly dataFiles: readonly DataFile[];
}

async function rewrite(
  view: TableView,
  selected: readonly DataFile[],
  { onProgress }: RewritePositionDeletesOptions,
): Promise<Rewritten> {
  const reader = new FileReader(view);
  const groups = await concernedTasks(view, new Set(selected.map(({ path }) => path)));
  const addedDeletes: StagedDeletes[] = [];
  const dataFiles: DataFile[] = [];
  let partitionsRewritten = 0;
  for (const tasks of groups) {
    const deleted: DeletedPositions[] = [];
    for (const task of tasks) {
      const positions = await reader.deletes.positions(task, signalOf(view));
      if (positions === null) continue;
      deleted.push({ dataFile: task.file, positions });
      dataFiles.push(task.file);
    }
    addedDeletes.push(...(await writeRowDeletes(deleted, view)));
    onProgress?.({ partitionsRewritten: ++partitionsRewritten, partitionsTotal: groups.length });
  }
  return { addedDeletes, dataFiles };
}

/**
 * The data files that the selected deletes apply to, by partition, with these deletes. A deletion vector has all that was
 * deleted by position, and stands for it (spec: "Deletion Vectors"): files that have one need nothing new.
 */
async function concernedTasks(
  view: TableView,
  selected: ReadonlySet<string>,
): Promise<readonly (readonly FileScanTask[])[]> {
  const { metadata, schema, snapshot, state } = view;
  const { operations, runtime } = state.host;
  const isVector = metadata.formatVersion >= 3;
  const byPartition = new Map<string, FileScanTask[]>();
  const plan = { io: operations.io, metadata, snapshot, schema, filter: { op: 'true' } as const, runtime };
  for await (const task of planScan({ ...plan, allDeletes: true, ...signalOf(view) }).tasks) {
    if (!task.deletes.some(({ file }) => selected.has(file.path))) continue;
    if (task.deletes.some(({ file }) => isDeletionVector(file))) continue;
    const deletes = isVector ? task.deletes : task.deletes.filter(({ file }) => selected.has(file.path));
    const key = partitionKey(task.file.specId, task.file.partition);
    const group = byPartition.get(key);
    if (group) group.push({ ...task, deletes });
    else byPartition.set(key, [{ ...task, deletes }]);
  }
  return [...byPartition.values()];
}

function signalOf({ state }: TableView): { readonly signal?: AbortSignal } {
  const { signal } = state.options;
  return signal ? { signal } : {};
}
