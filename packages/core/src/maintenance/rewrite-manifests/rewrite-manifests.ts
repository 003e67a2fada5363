import { invalidArgument, invalidData } from '../../errors.ts';
import { liveFilesCount, sumOfCounts } from '../../manifest/manifest-file.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import type { ManifestContent, ManifestFile } from '../../spec/manifest.ts';
import { specById } from '../../spec/metadata-accessors.ts';
import { MAIN_BRANCH } from '../../spec/snapshot.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { tableProperty } from '../../spec/table-properties.ts';
import type { Action, CommitAttempt, Updates } from '../../transaction/action.ts';
import type { CommitOutcome } from '../../transaction/commit.ts';
import { inheritedManifests } from '../../transaction/inherited-manifests.ts';
import { isSameManifest } from '../../transaction/manifest-merge.ts';
import { parentOnBranch } from '../../transaction/refs.ts';
import { newSnapshotId, produceSnapshot } from '../../transaction/snapshot-producer.ts';
import { summarizeFiles } from '../../transaction/snapshot-summary.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import { checkWritable, commitMaintenance, loadNewest } from '../maintained-table.ts';
import type { MaintainedTable } from '../maintained-table.ts';
import { layOut, manifestsOfLayout } from './manifest-layout.ts';
import type { LayoutSource, ManifestLayout } from './manifest-layout.ts';
import { writeLayout } from './write-layout.ts';

export interface RewriteManifestsOptions {
  /** About how large manifests become, in bytes; `commit.manifest.target-size-bytes` if left out. */
  readonly targetSizeBytes?: number | undefined;
  /** Manifests of this partition spec; the table's current one if left out. */
  readonly specId?: number | undefined;
  /** Partition fields by whose values entries are brought together first; all of the spec's, in order, if left out. */
  readonly sortBy?: readonly string[] | undefined;
  /** Only manifests for which it is true. */
  readonly where?: ((manifest: ManifestFile) => boolean) | undefined;
  /** The branch whose manifests are rewritten; main if left out. */
  readonly branch?: string | undefined;
  /** Only tells how many manifests would become how many. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: ((progress: RewriteManifestsProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RewriteManifestsProgress {
  readonly rewrittenManifestsCount: number;
  readonly addedManifestsCount: number;
}

/** The counts have the names of Spark's `rewrite_manifests`. */
export interface RewriteManifestsReport {
  readonly rewrittenManifestsCount: number;
  readonly addedManifestsCount: number;
  /** How many entries of files were written anew. */
  readonly entriesProcessedCount: number;
  /** The snapshot that was made; null if none was. */
  readonly snapshotId: bigint | null;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<RewriteManifestsOptions> = {
  targetSizeBytes: 'any',
  specId: 'any',
  sortBy: 'list',
  where: 'function',
  branch: 'text',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

/** Manifests of one content that are to be replaced. */
interface Selected {
  readonly content: ManifestContent;
  readonly inputs: readonly ManifestFile[];
  readonly layout: ManifestLayout;
}

interface Rewritten {
  readonly formatVersion: number;
  readonly replaced: readonly ManifestFile[];
  readonly created: readonly ManifestFile[];
  readonly entries: number;
}

/**
 * Makes few manifests of many, sorted by partition, so that planning a scan opens few of them; data and delete manifests
 * each among themselves. Entries keep their sequence numbers, snapshot ids and row ids; what was deleted is left out.
 * A snapshot of the operation `replace` is made, on top of whatever others have committed meanwhile.
 */
export async function rewriteManifests(
  table: MaintainedTable,
  options: RewriteManifestsOptions = {},
): Promise<{ readonly report: RewriteManifestsReport; readonly outcome: CommitOutcome | null }> {
  checkOptions('rewriteManifests', options, OPTIONS);
  const { dryRun = false, signal, branch = MAIN_BRANCH, targetSizeBytes } = options;
  if (targetSizeBytes !== undefined && !(Number.isSafeInteger(targetSizeBytes) && targetSizeBytes > 0)) {
    throw invalidArgument(`targetSizeBytes must be a positive whole number, not ${targetSizeBytes}.`);
  }
  if (dryRun) return { report: await planOnly(table, options), outcome: null };
  checkWritable(table);
  const rewrite = new ManifestRewrite(options);
  const outcome = await commitMaintenance(table, rewrite, { signal, branch });
  const { replaced, created, entries } = outcome.commit.changed ? rewrite.done! : NOTHING;
  const report = {
    rewrittenManifestsCount: replaced.length,
    addedManifestsCount: created.length,
    entriesProcessedCount: entries,
    snapshotId: outcome.commit.changed ? outcome.commit.snapshotId : null,
    dryRun,
  };
  return { report, outcome };
}

const NOTHING: Rewritten = { formatVersion: 0, replaced: [], created: [], entries: 0 };

async function planOnly(table: MaintainedTable, options: RewriteManifestsOptions): Promise<RewriteManifestsReport> {
  const { signal, branch = MAIN_BRANCH } = options;
  const { operations, runtime } = table;
  const { metadata } = await loadNewest(table);
  const parent = parentOnBranch(metadata, branch);
  const manifests = parent === null ? [] : await readManifestList(operations.io, parent, metadata);
  const source = { io: operations.io, runtime, metadata, signal };
  const selected = await select(source, manifests, options);
  return {
    rewrittenManifestsCount: selected.reduce((sum, { inputs }) => sum + inputs.length, 0),
    addedManifestsCount: selected.reduce((sum, { layout }) => sum + manifestsOfLayout(layout), 0),
    entriesProcessedCount: selected.reduce((sum, { layout }) => sum + entriesOf(layout), 0),
    snapshotId: null,
    dryRun: true,
  };
}

function entriesOf({ clusters }: ManifestLayout): number {
  return clusters.reduce((sum, { entries }) => sum + entries, 0);
}

/** What is worth it: several manifests, or one that is too large. */
async function select(
  source: LayoutSource,
  manifests: readonly ManifestFile[],
  { specId = source.metadata.defaultSpecId, sortBy = [], where = () => true, targetSizeBytes }: RewriteManifestsOptions,
): Promise<readonly Selected[]> {
  const { metadata } = source;
  const spec = metadata.partitionSpecs.find((one) => one.specId === specId);
  if (!spec) throw invalidArgument(`The table has no partition spec ${specId}.`, { specId });
  const order = fieldOrder(spec, sortBy);
  const target = targetSizeBytes ?? tableProperty(metadata.properties, 'commit.manifest.target-size-bytes');
  const selected: Selected[] = [];
  for (const content of ['data', 'deletes'] as const) {
    const inputs = manifests.filter(
      (one) => one.content === content && one.partitionSpecId === specId && liveFilesCount(one) !== 0 && where(one),
    );
    if (inputs.length === 0 || (inputs.length === 1 && inputs[0]!.length <= target)) continue;
    const layout = await layOut(source, inputs, { spec, order }, target);
    if (layout.clusters.length > 0) selected.push({ content, inputs, layout });
  }
  return selected;
}

/** Places of the spec's fields: those that are named come first. INVALID_ARGUMENT for others. */
function fieldOrder({ fields }: PartitionSpec, names: readonly string[]): readonly number[] {
  const first = names.map((name) => fields.findIndex((field) => field.name === name));
  if (!first.includes(-1)) return [...new Set([...first, ...fields.keys()])];
  const known = fields.map(({ name }) => name).join(', ') || 'none';
  throw invalidArgument(
    `sortBy names '${names[first.indexOf(-1)]}', which is no partition field of the spec; it has ${known}.`,
  );
}

/** Rewrites manifests once, and again only if others have replaced some of them. */
class ManifestRewrite implements Action {
  readonly #options: RewriteManifestsOptions;
  #snapshotId: bigint | null = null;
  done: Rewritten | null = null;

  constructor(options: RewriteManifestsOptions) {
    this.#options = options;
  }

  async build(metadata: TableMetadata, attempt: CommitAttempt): Promise<Updates> {
    const { branch = MAIN_BRANCH } = this.#options;
    this.#snapshotId ??= newSnapshotId(metadata, attempt.runtime);
    const parent = parentOnBranch(metadata, branch);
    const manifests = await inheritedManifests(parent, metadata, attempt);
    if (!this.#stillFits(manifests, metadata)) this.done = await this.#rewrite(manifests, metadata, attempt);
    const done = this.done!;
    if (done.replaced.length === 0) return [];
    for (const { path } of done.created) attempt.staged.use(path);
    const replaced = new Set(done.replaced.map(({ path }) => path));
    const kept = manifests.filter(({ path }) => !replaced.has(path));
    for (const { path } of kept) attempt.staged.use(path);
    return this.#snapshot(done, kept, parent, metadata, attempt);
  }

  #stillFits(manifests: readonly ManifestFile[], { formatVersion }: TableMetadata): boolean {
    const { done } = this;
    if (done === null || done.formatVersion !== formatVersion) return false;
    const byPath = new Map(manifests.map((manifest) => [manifest.path, manifest]));
    return done.replaced.every((one) => {
      const now = byPath.get(one.path);
      return now !== undefined && isSameManifest(now, one);
    });
  }

  async #rewrite(
    manifests: readonly ManifestFile[],
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<Rewritten> {
    const { specId = metadata.defaultSpecId, onProgress } = this.#options;
    const { operations, runtime, signal } = attempt;
    const selected = await select({ io: operations.io, runtime, metadata, signal }, manifests, this.#options);
    const replaced: ManifestFile[] = [];
    const created: ManifestFile[] = [];
    for (const { content, inputs, layout } of selected) {
      const settings = { content, spec: specById(metadata, specId), snapshotId: this.#snapshotId! };
      const written = await writeLayout(inputs, layout, settings, metadata, attempt);
      checkCounts(inputs, written, operations.name);
      replaced.push(...inputs);
      created.push(...written);
      onProgress?.({ rewrittenManifestsCount: replaced.length, addedManifestsCount: created.length });
    }
    const entries = selected.reduce((sum, { layout }) => sum + entriesOf(layout), 0);
    return { formatVersion: metadata.formatVersion, replaced, created, entries };
  }

  #snapshot(
    { replaced, created, entries }: Rewritten,
    kept: readonly ManifestFile[],
    parent: Snapshot | null,
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<Updates> {
    const summary = {
      'manifests-created': String(created.length),
      'manifests-kept': String(kept.length),
      'manifests-replaced': String(replaced.length),
      'entries-processed': String(entries),
      // Partitions are not changed.
      ...summarizeFiles([], [], metadata, 0),
    };
    const snapshot = {
      snapshotId: this.#snapshotId!,
      operation: 'replace',
      branch: this.#options.branch ?? MAIN_BRANCH,
      parent,
      manifests: [...created, ...kept],
      summary,
    } as const;
    return produceSnapshot(metadata, snapshot, attempt);
  }
}

/** No file may get lost on the way, where the manifest list says how many there were. */
function checkCounts(before: readonly ManifestFile[], after: readonly ManifestFile[], table: string): void {
  const [had, has] = [sumOfCounts(before, liveFilesCount), sumOfCounts(after, liveFilesCount)];
  if (had === null || had === has) return;
  throw invalidData(
    `The manifests of ${table} are said to list ${had} files, but ${has} were found in them; nothing was changed.`,
    { table },
  );
}
