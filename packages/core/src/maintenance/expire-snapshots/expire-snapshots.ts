import { invalidArgument } from '../../errors.ts';
import { deleteInBatches } from '../../io/delete-in-batches.ts';
import { applyUpdates } from '../../spec/apply-updates.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableUpdate } from '../../spec/updates.ts';
import type { CommitOutcome } from '../../transaction/commit.ts';
import { toEpochMs } from '../../transaction/time-input.ts';
import type { TimeInput } from '../../transaction/time-input.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import { checkOwnsFiles, checkWritable, commitMaintenance, loadNewest } from '../maintained-table.ts';
import type { MaintainedTable } from '../maintained-table.ts';
import { ExpiredFiles } from './expired-files.ts';
import type { ExpiredFile, ExpiredFileKind } from './expired-files.ts';
import { planExpiry } from './retention.ts';
import type { Expiry, RetentionWishes } from './retention.ts';
import { removeUnusedDefinitions } from './unused-definitions.ts';

export interface ExpireSnapshotsOptions {
  /** Snapshots made before expire, unless a rule keeps them; `history.expire.max-snapshot-age-ms` ago if left out. */
  readonly olderThan?: TimeInput | undefined;
  /** How many of a branch's newest snapshots stay whatever their age; `history.expire.min-snapshots-to-keep` if left out. */
  readonly retainLast?: number | undefined;
  /** These expire whatever their age, beside those that are too old. */
  readonly snapshotIds?: readonly bigint[] | undefined;
  /** False to leave all files where they are: they are orphans then. */
  readonly cleanExpiredFiles?: boolean | undefined;
  /** Also removes schemas and partition specs that nothing uses any more. */
  readonly cleanExpiredMetadata?: boolean | undefined;
  /** Only tells what would be expired and deleted. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: ((progress: ExpireProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExpireProgress {
  /** Of those that expire and those that stay. */
  readonly snapshotsRead: number;
  readonly manifestsRead: number;
  readonly filesDeleted: number;
}

/** The counts have the names of Spark's `expire_snapshots`; in a dry run they are of what would be deleted. */
export interface ExpireSnapshotsReport {
  readonly snapshotIds: readonly bigint[];
  /** Branches and tags that were too old. */
  readonly refs: readonly string[];
  readonly deletedDataFilesCount: number;
  /** Files with deletion vectors among them. */
  readonly deletedPositionDeleteFilesCount: number;
  readonly deletedEqualityDeleteFilesCount: number;
  readonly deletedManifestFilesCount: number;
  readonly deletedManifestListsCount: number;
  readonly deletedStatisticsFilesCount: number;
  /** Files that could not be deleted: orphans now. */
  readonly failed: readonly { readonly location: string; readonly error: unknown }[];
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<ExpireSnapshotsOptions> = {
  olderThan: 'any',
  retainLast: 'any',
  snapshotIds: 'list',
  cleanExpiredFiles: 'boolean',
  cleanExpiredMetadata: 'boolean',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

/**
 * Removes snapshots that nobody needs any more, then the files that only they reached. First the metadata is committed,
 * decided anew on the version of whoever was faster: what a new branch, tag or rollback needs stays. Then files go, data
 * files before the manifests that lead to them. If it breaks off, is aborted, or can't read something in between, the
 * snapshots are expired, and what is left of their files is for `removeOrphanFiles`.
 *
 * UNSUPPORTED if the table's files may belong to others (`gc.enabled`); INVALID_ARGUMENT for a snapshot that a branch or
 * tag is at; COMMIT_STATE_UNKNOWN if the answer of the catalog was lost: no file is deleted then.
 */
export async function expireSnapshots(
  table: MaintainedTable,
  options: ExpireSnapshotsOptions = {},
): Promise<{ readonly report: ExpireSnapshotsReport; readonly outcome: CommitOutcome | null }> {
  checkOptions('expireSnapshots', options, OPTIONS);
  const { dryRun = false, cleanExpiredFiles = true, cleanExpiredMetadata = false, signal } = options;
  const { operations, runtime } = table;
  const wishes = checkedWishes(options, runtime.now());
  if (!dryRun) checkWritable(table);
  let planned: { readonly before: TableMetadata; readonly expiry: Expiry } | null = null;
  const plan = async (metadata: TableMetadata): Promise<readonly TableUpdate[]> => {
    checkOwnsFiles(metadata, operations.name, 'Snapshots');
    const expiry = planExpiry(metadata, wishes);
    planned = { before: metadata, expiry };
    const expired = new Set(expiry.snapshotIds);
    const kept = metadata.snapshots.filter(({ snapshotId }) => !expired.has(snapshotId));
    const source = { io: operations.io, runtime, signal };
    return [
      ...expiry.refs.map((refName) => ({ action: 'remove-snapshot-ref', refName }) as const),
      ...(expired.size > 0 ? [{ action: 'remove-snapshots', snapshotIds: expiry.snapshotIds } as const] : []),
      ...(cleanExpiredMetadata ? await removeUnusedDefinitions(source, metadata, kept) : []),
    ];
  };
  const cleaning = new Cleaning(table, options);
  if (dryRun) {
    const { metadata: before } = await loadNewest(table);
    const updates = await plan(before);
    const after = applyUpdates(before, updates, { nowMs: runtime.now(), baseMetadataLocation: null });
    if (cleanExpiredFiles) await cleaning.count(before, after);
    return { report: { ...planned!.expiry, ...cleaning.report(), dryRun }, outcome: null };
  }
  const outcome = await commitMaintenance(table, { build: plan }, { signal });
  const { before, expiry } = planned!;
  if (!outcome.commit.changed) return { report: { ...NOTHING_EXPIRED, ...cleaning.report(), dryRun }, outcome };
  // What others have committed since builds on what is left; a file that they have added again must stay all the same.
  if (cleanExpiredFiles && expiry.snapshotIds.length > 0) {
    await cleaning.delete(before, (await loadNewest(table)).metadata);
  }
  return { report: { ...expiry, ...cleaning.report(), dryRun }, outcome };
}

const NOTHING_EXPIRED: Expiry = { snapshotIds: [], refs: [] };

function checkedWishes(
  { olderThan, retainLast, snapshotIds = [] }: ExpireSnapshotsOptions,
  nowMs: number,
): RetentionWishes {
  if (retainLast !== undefined && !(Number.isSafeInteger(retainLast) && retainLast >= 1)) {
    throw invalidArgument(`retainLast must be a positive whole number, not ${retainLast}.`);
  }
  const unknown = snapshotIds.find((id) => typeof id !== 'bigint');
  if (unknown !== undefined) throw invalidArgument(`snapshotIds must be bigints, not ${String(unknown)}.`);
  return {
    nowMs,
    olderThanMs: olderThan === undefined ? null : toEpochMs(olderThan, 'olderThan'),
    retainLast: retainLast ?? null,
    snapshotIds,
  };
}

type Counts = Record<ExpiredFileKind, number>;

/** Deletes what expired snapshots leave, or counts it. */
class Cleaning {
  readonly #table: MaintainedTable;
  readonly #options: ExpireSnapshotsOptions;
  readonly #counts: Counts = {
    data: 0,
    'position-deletes': 0,
    'equality-deletes': 0,
    manifest: 0,
    'manifest-list': 0,
    statistics: 0,
  };
  readonly #failed: { readonly location: string; readonly error: unknown }[] = [];
  #progress: ExpireProgress = { snapshotsRead: 0, manifestsRead: 0, filesDeleted: 0 };

  constructor(table: MaintainedTable, options: ExpireSnapshotsOptions) {
    this.#table = table;
    this.#options = options;
  }

  async count(before: TableMetadata, after: TableMetadata): Promise<void> {
    for await (const { kind } of this.#find(before, after)) this.#counts[kind]++;
  }

  async delete(before: TableMetadata, after: TableMetadata): Promise<void> {
    const { io } = this.#table.operations;
    const { signal } = this.#options;
    const kinds = new Map<string, ExpiredFileKind>();
    for await (const { deleted, failed } of deleteInBatches(
      io,
      locationsOf(this.#find(before, after), kinds),
      signal ? { signal } : {},
    )) {
      for (const location of deleted) this.#counts[kinds.get(location)!]++;
      this.#failed.push(...failed);
      kinds.clear();
      this.#tell({ filesDeleted: this.#progress.filesDeleted + deleted.length });
    }
  }

  report(): Omit<ExpireSnapshotsReport, keyof Expiry | 'dryRun'> {
    const counts = this.#counts;
    return {
      deletedDataFilesCount: counts.data,
      deletedPositionDeleteFilesCount: counts['position-deletes'],
      deletedEqualityDeleteFilesCount: counts['equality-deletes'],
      deletedManifestFilesCount: counts.manifest,
      deletedManifestListsCount: counts['manifest-list'],
      deletedStatisticsFilesCount: counts.statistics,
      failed: this.#failed,
    };
  }

  #find(before: TableMetadata, after: TableMetadata): AsyncGenerator<ExpiredFile, void, undefined> {
    const { operations, runtime } = this.#table;
    const { signal } = this.#options;
    const onRead = (read: Partial<ExpireProgress>): void => this.#tell(read);
    return new ExpiredFiles({ io: operations.io, runtime, signal, before, after, onRead }).find();
  }

  #tell(progress: Partial<ExpireProgress>): void {
    this.#progress = { ...this.#progress, ...progress };
    this.#options.onProgress?.(this.#progress);
  }
}

/** Notes what each file of the batch under way is. */
async function* locationsOf(
  files: AsyncIterable<ExpiredFile>,
  kinds: Map<string, ExpiredFileKind>,
): AsyncGenerator<string, void, undefined> {
  for await (const { location, kind } of files) {
    kinds.set(location, kind);
    yield location;
  }
}
