import { invalidArgument } from '../../errors.ts';
import type { FilterInput } from '../../expr/filter-input.ts';
import type { SortFieldInput } from '../../spec/inputs.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';

/** Options of `rewriteDataFiles`, with the names (in camel case) and defaults of Spark's procedure. Sizes in bytes. */
export interface RewriteDataFilesOptions {
  /**
   * `binpack` (the default) joins small files and applies deletes; `sort` also sorts the rows of each group, by `sortBy`
   * or the table's order; `zorder` by several columns alike.
   */
  readonly strategy?: RewriteStrategy | undefined;
  /** Which files are looked at: those that may hold rows for which it is TRUE. They are rewritten as a whole. */
  readonly where?: FilterInput | undefined;
  /** For `sort`: as `table.updateSortOrder` takes it. */
  readonly sortBy?: readonly SortFieldInput[] | undefined;
  /** For `zorder`: two to eight columns of primitive types. */
  readonly zOrderBy?: readonly string[] | undefined;
  /** `write.target-file-size-bytes` of the table if left out. */
  readonly targetFileSizeBytes?: number | undefined;
  /** Smaller files are rewritten; 75 % of the target. */
  readonly minFileSizeBytes?: number | undefined;
  /** Larger files are rewritten; 180 % of the target. */
  readonly maxFileSizeBytes?: number | undefined;
  /** A group of so many files is rewritten even if it makes no file of the target size; 5. */
  readonly minInputFiles?: number | undefined;
  /** The most bytes that are rewritten together; 100 GB. */
  readonly maxFileGroupSizeBytes?: number | undefined;
  /** The most files that are rewritten together; any number. */
  readonly maxFileGroupInputFiles?: number | undefined;
  /** The most files that are rewritten at all; any number. */
  readonly maxFilesToRewrite?: number | undefined;
  /** Groups that are rewritten at the same time; 5. */
  readonly maxConcurrentFileGroupRewrites?: number | undefined;
  /** Several commits instead of one, so that a failure or a crash loses little. */
  readonly partialProgress?: PartialProgress | undefined;
  /** A file with so many delete files is rewritten, whatever its size; never. */
  readonly deleteFileThreshold?: number | undefined;
  /** A file of whose rows this share is known to be deleted is rewritten, whatever its size; 0.3. */
  readonly deleteRatioThreshold?: number | undefined;
  /** Rewrites all files that `where` selects; false. */
  readonly rewriteAll?: boolean | undefined;
  /** The partition spec of the new files; the table's current one. */
  readonly outputSpecId?: number | undefined;
  /**
   * New files are as old as the snapshot that they were read from, so that equality deletes that come meanwhile apply to
   * them; else such deletes are conflicts. True.
   */
  readonly useStartingSequenceNumber?: boolean | undefined;
  /** Removes delete files that apply to no data file any more in the end, those of whole partitions too; false. */
  readonly removeDanglingDeletes?: boolean | undefined;
  /** Which groups come first; 'none' for the order of the plan. */
  readonly jobOrder?: RewriteJobOrder | undefined;
  /** Only plans. */
  readonly dryRun?: boolean | undefined;
  /** The branch to rewrite; main. */
  readonly branch?: string | undefined;
  /** ABORTED when it says so; what is committed by then stays. */
  readonly signal?: AbortSignal | undefined;
  /** Told whenever a group is done with. */
  readonly onProgress?: ((progress: RewriteProgress) => void) | undefined;
}

export type RewriteStrategy = 'binpack' | 'sort' | 'zorder';
export type RewriteJobOrder = 'none' | 'bytes-asc' | 'bytes-desc' | 'files-asc' | 'files-desc';

export interface PartialProgress {
  /** False. */
  readonly enabled?: boolean | undefined;
  /** The most commits to make; 10. */
  readonly maxCommits?: number | undefined;
  /** More failed commits than these fail the call; `maxCommits`. */
  readonly maxFailedCommits?: number | undefined;
}

export interface RewriteProgress {
  readonly groupsDone: number;
  readonly groupsTotal: number;
  /** Data files that have been read, and their bytes. */
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** The options with their defaults; what they mean for a table is for the plan to say. */
export interface RewriteSettings {
  readonly strategy: RewriteStrategy;
  readonly where: FilterInput | undefined;
  readonly sortBy: readonly SortFieldInput[] | undefined;
  readonly zOrderBy: readonly string[] | undefined;
  readonly sizes: FileSizes;
  readonly minInputFiles: number;
  readonly maxFileGroupSizeBytes: number;
  readonly maxFileGroupInputFiles: number;
  readonly maxFilesToRewrite: number;
  readonly maxConcurrentFileGroupRewrites: number;
  /** Commits to make at most; null for one of everything. */
  readonly maxCommits: number | null;
  readonly maxFailedCommits: number;
  readonly deleteFileThreshold: number;
  readonly deleteRatioThreshold: number;
  readonly rewriteAll: boolean;
  readonly outputSpecId: number | undefined;
  readonly useStartingSequenceNumber: boolean;
  readonly removeDanglingDeletes: boolean;
  readonly jobOrder: RewriteJobOrder;
}

export interface FileSizes {
  readonly target: number;
  readonly min: number;
  readonly max: number;
}

const GB = 1024 ** 3;
const MIN_FILE_SIZE_RATIO = 0.75;
const MAX_FILE_SIZE_RATIO = 1.8;

const STRATEGIES: readonly RewriteStrategy[] = ['binpack', 'sort', 'zorder'];
const JOB_ORDERS: readonly RewriteJobOrder[] = ['none', 'bytes-asc', 'bytes-desc', 'files-asc', 'files-desc'];

const OPTIONS: OptionKinds<RewriteDataFilesOptions> = {
  strategy: 'any',
  where: 'any',
  sortBy: 'list',
  zOrderBy: 'list',
  targetFileSizeBytes: 'any',
  minFileSizeBytes: 'any',
  maxFileSizeBytes: 'any',
  minInputFiles: 'any',
  maxFileGroupSizeBytes: 'any',
  maxFileGroupInputFiles: 'any',
  maxFilesToRewrite: 'any',
  maxConcurrentFileGroupRewrites: 'any',
  partialProgress: 'object',
  deleteFileThreshold: 'any',
  deleteRatioThreshold: 'any',
  rewriteAll: 'boolean',
  outputSpecId: 'any',
  useStartingSequenceNumber: 'boolean',
  removeDanglingDeletes: 'boolean',
  jobOrder: 'any',
  dryRun: 'boolean',
  branch: 'text',
  signal: 'object',
  onProgress: 'function',
};
const PARTIAL_PROGRESS: OptionKinds<PartialProgress> = {
  enabled: 'boolean',
  maxCommits: 'any',
  maxFailedCommits: 'any',
};

/** INVALID_ARGUMENT for an option that is unknown, or has a value that makes no sense. */
export function rewriteSettings(options: RewriteDataFilesOptions, defaultTarget: number): RewriteSettings {
  checkOptions('rewriteDataFiles', options, OPTIONS);
  const { strategy = 'binpack', jobOrder = 'none', partialProgress = {}, where, sortBy, zOrderBy } = options;
  checkOptions('rewriteDataFiles', partialProgress, PARTIAL_PROGRESS, 'partialProgress.');
  oneOf('strategy', strategy, STRATEGIES);
  oneOf('jobOrder', jobOrder, JOB_ORDERS);
  if (sortBy !== undefined && strategy !== 'sort') throw invalidArgument("sortBy goes with the strategy 'sort'.");
  if (zOrderBy !== undefined && strategy !== 'zorder')
    throw invalidArgument("zOrderBy goes with the strategy 'zorder'.");
  const ratio = options.deleteRatioThreshold ?? 0.3;
  if (!(ratio > 0 && ratio <= 1)) {
    throw invalidArgument(`deleteRatioThreshold must be above 0 and at most 1, not ${String(ratio)}.`);
  }
  const maxCommits = count('partialProgress.maxCommits', partialProgress.maxCommits, 10, 1);
  return {
    strategy,
    where,
    sortBy,
    zOrderBy,
    sizes: fileSizes(options, defaultTarget),
    minInputFiles: count('minInputFiles', options.minInputFiles, 5, 1),
    maxFileGroupSizeBytes: count('maxFileGroupSizeBytes', options.maxFileGroupSizeBytes, 100 * GB, 1),
    maxFileGroupInputFiles: count('maxFileGroupInputFiles', options.maxFileGroupInputFiles, Infinity, 1),
    maxFilesToRewrite: count('maxFilesToRewrite', options.maxFilesToRewrite, Infinity, 1),
    maxConcurrentFileGroupRewrites: count(
      'maxConcurrentFileGroupRewrites',
      options.maxConcurrentFileGroupRewrites,
      5,
      1,
    ),
    maxCommits: partialProgress.enabled === true ? maxCommits : null,
    maxFailedCommits: count('partialProgress.maxFailedCommits', partialProgress.maxFailedCommits, maxCommits, 0),
    deleteFileThreshold: count('deleteFileThreshold', options.deleteFileThreshold, Infinity, 0),
    deleteRatioThreshold: ratio,
    rewriteAll: options.rewriteAll ?? false,
    outputSpecId: options.outputSpecId,
    useStartingSequenceNumber: options.useStartingSequenceNumber ?? true,
    removeDanglingDeletes: options.removeDanglingDeletes ?? false,
    jobOrder,
  };
}

function fileSizes(options: RewriteDataFilesOptions, defaultTarget: number): FileSizes {
  const target = count('targetFileSizeBytes', options.targetFileSizeBytes, defaultTarget, 1);
  const min = count('minFileSizeBytes', options.minFileSizeBytes, Math.trunc(target * MIN_FILE_SIZE_RATIO), 0);
  const max = count('maxFileSizeBytes', options.maxFileSizeBytes, Math.trunc(target * MAX_FILE_SIZE_RATIO), 0);
  if (min >= target || target >= max) {
    throw invalidArgument(
      `minFileSizeBytes (${min}) must be less than targetFileSizeBytes (${target}), and that less than maxFileSizeBytes (${max}): new files would be rewritten again and again.`,
    );
  }
  return { target, min, max };
}

function count(name: string, value: number | undefined, byDefault: number, least: number): number {
  if (value === undefined) return byDefault;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw invalidArgument(`${name} must be a whole number of ${least} or more, not ${String(value)}.`);
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw invalidArgument(`${name} must be one of ${values.join(', ')}, not ${value}.`);
}
