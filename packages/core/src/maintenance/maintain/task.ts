import type { ExpireSnapshotsOptions, ExpireSnapshotsReport } from '../expire-snapshots/expire-snapshots.ts';
import type { OrphanFilesReport, RemoveOrphanFilesOptions } from '../remove-orphan-files/remove-orphan-files.ts';
import type { RewriteDataFilesOptions } from '../rewrite-data-files/options.ts';
import type { RewriteDataFilesReport } from '../rewrite-data-files/report.ts';
import type { RewriteManifestsOptions, RewriteManifestsReport } from '../rewrite-manifests/rewrite-manifests.ts';
import type {
  RewritePositionDeletesOptions,
  RewritePositionDeletesReport,
} from '../rewrite-position-deletes/rewrite-position-deletes.ts';
import type { MaintenancePolicy } from './policy.ts';
import type { MaintenanceOutcome } from './report.ts';

/** What of a table is maintained; a `Table` is one. */
export interface Maintainable {
  readonly properties: Readonly<Record<string, string>>;
  refresh(): Promise<unknown>;
  rewriteDataFiles(options: RewriteDataFilesOptions): Promise<RewriteDataFilesReport>;
  rewritePositionDeletes(options: RewritePositionDeletesOptions): Promise<RewritePositionDeletesReport>;
  rewriteManifests(options: RewriteManifestsOptions): Promise<RewriteManifestsReport>;
  expireSnapshots(options: ExpireSnapshotsOptions): Promise<ExpireSnapshotsReport>;
  removeOrphanFiles(options: RemoveOrphanFilesOptions): Promise<OrphanFilesReport>;
  setProperties(properties: Readonly<Record<string, string>>): Promise<unknown>;
}

/** What a task has found out from metadata. */
export interface Decision {
  /** Null if it is not worth it, now. */
  readonly run: ((signal: AbortSignal) => Promise<Done>) | null;
  readonly outcome: Extract<MaintenanceOutcome, 'planned' | 'not needed' | 'no budget'>;
  readonly reason: string;
}

/** What a task has done. */
export interface Done {
  readonly reason: string;
  readonly report: unknown;
}

export interface TaskContext {
  readonly table: Maintainable;
  readonly policy: MaintenancePolicy;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** One kind of maintenance: whether the policy wants it, and whether it is worth it now. */
export interface Task {
  readonly isOn: (policy: MaintenancePolicy) => boolean;
  readonly decide: (context: TaskContext) => Promise<Decision>;
}
