import { bindExpression } from '../../expr/bind.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { toExpression } from '../../expr/filter-input.ts';
import { isDeletionVector } from '../../manifest/content-problem.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { Runtime } from '../../runtime.ts';
import { referencedPath } from '../../scan/delete-file-index.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import { planScan } from '../../scan/plan-scan.ts';
import { currentSchema } from '../../spec/metadata-accessors.ts';
import type { PartitionSpec, PartitionTuple } from '../../spec/partition-spec.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { expectedFileSize } from './file-sizes.ts';
import type { RewriteJobOrder, RewriteSettings } from './options.ts';

/** Data files that are written anew together. */
export interface FileGroup {
  /** Of all groups, from 1 on. */
  readonly index: number;
  /** Of the groups of its partition, from 1 on. */
  readonly partitionIndex: number;
  /** Of the output spec; null for files of other specs, whose rows may be in any of its partitions. */
  readonly partition: PartitionTuple | null;
  readonly tasks: readonly FileScanTask[];
  /** Of the data files. */
  readonly bytes: number;
  /** What the new files should have. */
  readonly fileSizeBytes: number;
}

export interface GroupSource {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly metadata: TableMetadata;
  /** The version to rewrite; null if there is none. */
  readonly snapshot: Snapshot | null;
  readonly outputSpec: PartitionSpec;
  readonly signal: AbortSignal | undefined;
}

/**
 * Decides which files are worth rewriting, and which of them together, as Iceberg Java does: files of a wrong size or with
 * many deletes, per partition of the output spec, in groups of at most `maxFileGroupSizeBytes`; a group counts if it has
 * enough files or bytes, or deletes to be rid of. What need not be rewritten is forgotten as soon as it is seen.
 */
export async function planGroups(source: GroupSource, settings: RewriteSettings): Promise<readonly FileGroup[]> {
  const bins = new Bins(source.outputSpec.specId, settings);
  for await (const task of plannedTasks(source, settings.where)) {
    if (settings.rewriteAll || isWorthRewriting(task, settings)) bins.add(task);
  }
  return inJobOrder(atMost(bins.groups(), settings), settings.jobOrder);
}

/**
 * Of groups that could not be committed, what is still there, with the deletes that it has now. `groupOf`: by the path of
 * a data file.
 */
export async function replanGroups(
  source: GroupSource,
  settings: RewriteSettings,
  groupOf: ReadonlyMap<string, FileGroup>,
): Promise<readonly FileGroup[]> {
  const tasks = new Map<FileGroup, FileScanTask[]>();
  // Columns of the filter may have other names by now; which files are meant is known.
  for await (const task of plannedTasks(source, undefined)) {
    const group = groupOf.get(task.file.path);
    if (group === undefined) continue;
    const known = tasks.get(group);
    if (known) known.push(task);
    else tasks.set(group, [task]);
  }
  return [...tasks].flatMap(([group, left]) =>
    settings.rewriteAll || isWorthIt(left, settings) ? withTasks(group, left, settings) : [],
  );
}

/** Tasks are whole files with all their deletes, and without statistics. */
function plannedTasks(
  { io, runtime, metadata, snapshot, signal }: GroupSource,
  where: RewriteSettings['where'],
): AsyncIterable<FileScanTask> {
  const schema = currentSchema(metadata);
  const filter: BoundExpression = where === undefined ? { op: 'true' } : bindExpression(schema, toExpression(where));
  const options = { io, runtime, metadata, snapshot, schema, filter, allDeletes: true };
  return planScan({ ...options, ...(signal && { signal }) }).tasks;
}

/** Fills groups in the order of the plan: one that is full, and the file that didn't fit begins the next of its partition. */
class Bins {
  readonly #outputSpecId: number;
  readonly #settings: RewriteSettings;
  readonly #partitions = new Map<string, Bin>();
  readonly #full: Bin[] = [];

  constructor(outputSpecId: number, settings: RewriteSettings) {
    this.#outputSpecId = outputSpecId;
    this.#settings = settings;
  }

  add(task: FileScanTask): void {
    const { specId, partition, fileSizeInBytes: size } = task.file;
    const isOfOutput = specId === this.#outputSpecId;
    const key = isOfOutput ? partitionKey(specId, partition) : '';
    const { maxFileGroupSizeBytes, maxFileGroupInputFiles } = this.#settings;
    let bin = this.#partitions.get(key);
    if (bin && (bin.bytes + size > maxFileGroupSizeBytes || bin.tasks.length >= maxFileGroupInputFiles)) {
      this.#full.push(bin);
      bin = undefined;
    }
    if (!bin) {
      bin = { key, partition: isOfOutput ? partition : null, tasks: [], bytes: 0 };
      this.#partitions.set(key, bin);
    }
    bin.tasks.push(task);
    bin.bytes += size;
  }

  groups(): readonly FileGroup[] {
    const counts = new Map<string, number>();
    const groups: FileGroup[] = [];
    for (const { key, partition, tasks } of [...this.#full, ...this.#partitions.values()]) {
      if (!this.#settings.rewriteAll && !isWorthIt(tasks, this.#settings)) continue;
      const partitionIndex = (counts.get(key) ?? 0) + 1;
      counts.set(key, partitionIndex);
      groups.push(withTasks({ index: groups.length + 1, partitionIndex, partition }, tasks, this.#settings));
    }
    return groups;
  }
}

interface Bin {
  readonly key: string;
  readonly partition: PartitionTuple | null;
  readonly tasks: FileScanTask[];
  bytes: number;
}

function withTasks(
  { index, partitionIndex, partition }: Pick<FileGroup, 'index' | 'partitionIndex' | 'partition'>,
  tasks: readonly FileScanTask[],
  { sizes }: RewriteSettings,
): FileGroup {
  const bytes = sizeOf(tasks);
  return { index, partitionIndex, partition, tasks, bytes, fileSizeBytes: expectedFileSize(bytes, sizes) };
}

function isWorthRewriting(task: FileScanTask, settings: RewriteSettings): boolean {
  const { fileSizeInBytes: size } = task.file;
  return size < settings.sizes.min || size > settings.sizes.max || hasManyDeletes(task, settings);
}

function isWorthIt(tasks: readonly FileScanTask[], settings: RewriteSettings): boolean {
  const { minInputFiles, sizes } = settings;
  const bytes = sizeOf(tasks);
  const isSeveral = tasks.length > 1;
  return (
    (isSeveral && (tasks.length >= minInputFiles || bytes > sizes.target)) ||
    bytes > sizes.max ||
    tasks.some((task) => hasManyDeletes(task, settings))
  );
}

/** Of delete files about several data files it isn't known how many rows of this one they delete. */
function hasManyDeletes({ file, deletes }: FileScanTask, settings: RewriteSettings): boolean {
  if (deletes.length >= settings.deleteFileThreshold) return true;
  let deleted = 0;
  for (const { file: one } of deletes) {
    const isAboutOne = one.content === 'position-deletes' && (isDeletionVector(one) || referencedPath(one) !== null);
    if (isAboutOne) deleted += one.recordCount;
  }
  return deleted > 0 && Math.min(deleted, file.recordCount) / file.recordCount >= settings.deleteRatioThreshold;
}

function sizeOf(tasks: readonly FileScanTask[]): number {
  return tasks.reduce((sum, { file }) => sum + file.fileSizeInBytes, 0);
}

/** The last group that `maxFilesToRewrite` lets in may lose some of its files. */
function atMost(groups: readonly FileGroup[], settings: RewriteSettings): readonly FileGroup[] {
  let left = settings.maxFilesToRewrite;
  if (left === Infinity) return groups;
  const some: FileGroup[] = [];
  for (const group of groups) {
    if (left === 0) break;
    some.push(group.tasks.length <= left ? group : withTasks(group, group.tasks.slice(0, left), settings));
    left -= some.at(-1)!.tasks.length;
  }
  return some;
}

const JOB_ORDERS: Readonly<Record<RewriteJobOrder, ((a: FileGroup, b: FileGroup) => number) | null>> = {
  none: null,
  'bytes-asc': (a, b) => a.bytes - b.bytes,
  'bytes-desc': (a, b) => b.bytes - a.bytes,
  'files-asc': (a, b) => a.tasks.length - b.tasks.length,
  'files-desc': (a, b) => b.tasks.length - a.tasks.length,
};

function inJobOrder(groups: readonly FileGroup[], order: RewriteJobOrder): readonly FileGroup[] {
  const compare = JOB_ORDERS[order];
  return compare === null ? groups : groups.toSorted(compare);
}
