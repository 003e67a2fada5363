import { invalidArgument } from '../../errors.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import type { ExpireSnapshotsOptions } from '../expire-snapshots/expire-snapshots.ts';
import type { RewriteDataFilesOptions } from '../rewrite-data-files/options.ts';
import type { RemoveOrphanFilesOptions } from '../remove-orphan-files/remove-orphan-files.ts';

/** What may be done for a table; each is on if left out, `false` turns it off. */
export interface MaintenancePolicy {
  /** Small files become few, and deletes are applied: with these options of `rewriteDataFiles`. */
  readonly dataFiles?: boolean | CompactionPolicy | undefined;
  /** Position deletes are combined; in version 3 those that are left from version 2 become deletion vectors. */
  readonly positionDeletes?: boolean | undefined;
  readonly manifests?: boolean | undefined;
  readonly snapshots?: boolean | ExpiryPolicy | undefined;
  readonly orphanFiles?: boolean | OrphanPolicy | undefined;
  /** What all of it may take. What is begun within the budget is finished, but for the time, which ends it. */
  readonly budget?: MaintenanceBudget | undefined;
  /** Only tells what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Told before and after everything that is done. */
  readonly onProgress?: ((progress: MaintenanceProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type CompactionPolicy = Pick<
  RewriteDataFilesOptions,
  | 'strategy'
  | 'where'
  | 'sortBy'
  | 'zOrderBy'
  | 'targetFileSizeBytes'
  | 'minFileSizeBytes'
  | 'maxFileSizeBytes'
  | 'minInputFiles'
  | 'maxFileGroupSizeBytes'
  | 'deleteFileThreshold'
  | 'deleteRatioThreshold'
  | 'jobOrder'
>;

export type ExpiryPolicy = Pick<ExpireSnapshotsOptions, 'olderThan' | 'retainLast'>;

export interface OrphanPolicy extends Pick<RemoveOrphanFilesOptions, 'olderThan'> {
  /** How often the table's directory is listed, in milliseconds; once in seven days if left out. */
  readonly everyMs?: number | undefined;
}

export interface MaintenanceBudget {
  /** Milliseconds, from the start of the call. */
  readonly timeMs?: number | undefined;
  /** Of data files that are read to be rewritten. */
  readonly bytes?: number | undefined;
  /** About what rewriting may hold at once. */
  readonly memoryBytes?: number | undefined;
}

export type MaintenanceTask =
  | 'rewriteDataFiles'
  | 'rewritePositionDeletes'
  | 'rewriteManifests'
  | 'expireSnapshots'
  | 'removeOrphanFiles';

export interface MaintenanceProgress {
  readonly task: MaintenanceTask;
  readonly state: 'started' | 'ended';
}

const POLICY: OptionKinds<MaintenancePolicy> = {
  dataFiles: 'any',
  positionDeletes: 'boolean',
  manifests: 'boolean',
  snapshots: 'any',
  orphanFiles: 'any',
  budget: 'object',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

const COMPACTION: OptionKinds<CompactionPolicy> = {
  strategy: 'any',
  where: 'any',
  sortBy: 'list',
  zOrderBy: 'list',
  targetFileSizeBytes: 'any',
  minFileSizeBytes: 'any',
  maxFileSizeBytes: 'any',
  minInputFiles: 'any',
  maxFileGroupSizeBytes: 'any',
  deleteFileThreshold: 'any',
  deleteRatioThreshold: 'any',
  jobOrder: 'any',
};

const EXPIRY: OptionKinds<ExpiryPolicy> = { olderThan: 'any', retainLast: 'any' };
const ORPHANS: OptionKinds<OrphanPolicy> = { olderThan: 'any', everyMs: 'any' };
const BUDGET: OptionKinds<MaintenanceBudget> = { timeMs: 'any', bytes: 'any', memoryBytes: 'any' };

/** A misspelt part of a policy must not turn something on. INVALID_ARGUMENT for it, and for numbers that are none. */
export function checkPolicy(policy: MaintenancePolicy): void {
  checkOptions('maintain', policy, POLICY);
  const { dataFiles, snapshots, orphanFiles, budget = {} } = policy;
  checkPart('dataFiles', dataFiles, COMPACTION);
  checkPart('snapshots', snapshots, EXPIRY);
  checkPart('orphanFiles', orphanFiles, ORPHANS);
  checkOptions('maintain', budget, BUDGET, 'budget.');
  for (const [name, value] of Object.entries(budget)) checkNumber(`budget.${name}`, value, 1);
  if (typeof orphanFiles === 'object') checkNumber('orphanFiles.everyMs', orphanFiles.everyMs, 0);
}

function checkPart<T extends object>(name: string, part: boolean | T | undefined, kinds: OptionKinds<T>): void {
  if (part !== undefined && typeof part !== 'boolean') checkOptions('maintain', part, kinds, `${name}.`);
}

function checkNumber(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (typeof value === 'number' && value >= least)) return;
  throw invalidArgument(`maintain: ${name} must be a number of ${least} or more, not ${String(value)}.`);
}
