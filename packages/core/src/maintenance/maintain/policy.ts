import { invalidArgument } from '../../errors.ts';
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
  readonly snapshots?: boolean | Pick<ExpireSnapshotsOptions, 'olderThan' | 'retainLast'> | undefined;
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

const KNOWN: Readonly<Record<keyof MaintenancePolicy, true>> = {
  dataFiles: true,
  positionDeletes: true,
  manifests: true,
  snapshots: true,
  orphanFiles: true,
  budget: true,
  dryRun: true,
  onProgress: true,
  signal: true,
};

const KNOWN_BUDGET: Readonly<Record<keyof MaintenanceBudget, true>> = { timeMs: true, bytes: true, memoryBytes: true };

/** A misspelt part of a policy must not turn something on. INVALID_ARGUMENT for it, and for budgets that are none. */
export function checkPolicy(policy: MaintenancePolicy): void {
  refuseUnknown(policy, KNOWN, '');
  const budget = policy.budget ?? {};
  refuseUnknown(budget, KNOWN_BUDGET, 'budget.');
  for (const [name, value] of Object.entries(budget) as readonly (readonly [string, number | undefined])[]) {
    if (value !== undefined && !(value > 0)) {
      throw invalidArgument(`budget.${name} must be a number above 0, not ${String(value)}.`);
    }
  }
}

function refuseUnknown(given: object, known: Readonly<Record<string, true>>, prefix: string): void {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  const names = Object.keys(known).map((name) => `${prefix}${name}`);
  throw invalidArgument(`A maintenance policy has no '${prefix}${unknown}'; it has ${names.join(', ')}.`);
}
