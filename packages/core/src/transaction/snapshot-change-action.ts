import { invalidArgument } from '../errors.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import { liveFilesCount } from '../manifest/manifest-file.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestContent, ManifestFile } from '../spec/manifest.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { summaryPartitionLimit } from '../spec/table-properties.ts';
import type { Action, CommitAttempt, Updates } from './action.ts';
import { ConflictChecker } from './conflict-checks.ts';
import { inheritedManifests } from './inherited-manifests.ts';
import { ManifestFilter } from './manifest-filter.ts';
import type { FilteredManifest } from './manifest-filter.ts';
import { ManifestMerger } from './manifest-merger.ts';
import type { AddedManifests } from './manifest-merger.ts';
import { parentOnBranch } from './refs.ts';
import { dataRemoval, deleteRemoval } from './removal.ts';
import { scopeMatcher } from './row-scope.ts';
import type { SnapshotChange } from './snapshot-change.ts';
import { newSnapshotId, produceSnapshot } from './snapshot-producer.ts';
import { summarizeFiles } from './snapshot-summary.ts';
import { writeAddedManifests } from './stage-manifests.ts';
import { checkStagedData, checkStagedDeletes } from './staged-data.ts';
import type { StagedDeletes } from './staged-data.ts';

/**
 * Makes the change as one snapshot; none if there is nothing to add or to remove. COMMIT_CONFLICT with
 * `context.conflict` 'validation' if what others have committed since its base doesn't go together with it.
 */
export function snapshotChangeAction(change: SnapshotChange): Action {
  const vectors = vectorsByDataFile(change);
  let made: ChangeBuilder | null = null;
  return {
    build(metadata, attempt) {
      made ??= new ChangeBuilder(change, newSnapshotId(metadata, attempt.runtime), vectors);
      return made.build(metadata, attempt);
    },
  };
}

/** Builds the snapshot of a change, attempt by attempt, and keeps what is the same in all of them. */
class ChangeBuilder {
  readonly #change: SnapshotChange;
  readonly #snapshotId: bigint;
  readonly #conflicts: ConflictChecker;
  readonly #filters: Readonly<Record<ManifestContent, ManifestFilter>>;
  readonly #mergers: Readonly<Record<ManifestContent, ManifestMerger>>;
  #added: Readonly<Record<ManifestContent, readonly AddedManifests[]>> | null = null;
  #formatVersion = 0;
  #removedPaths = '';
  #minSequenceNumber = 0n;

  constructor(change: SnapshotChange, snapshotId: bigint, newVectorsFor: ReadonlySet<string>) {
    this.#change = change;
    this.#snapshotId = snapshotId;
    const rewritesRows = change.addedData.length > 0 && change.addedDeletes.length + change.removed.length > 0;
    this.#conflicts = new ConflictChecker({ ...change, newVectorsFor, rewritesRows });
    this.#filters = {
      data: new ManifestFilter('data', snapshotId),
      deletes: new ManifestFilter('deletes', snapshotId),
    };
    this.#mergers = { data: new ManifestMerger(), deletes: new ManifestMerger() };
  }

  async build(metadata: TableMetadata, attempt: CommitAttempt): Promise<Updates> {
    const { branch, operation } = this.#change;
    const table = attempt.operations.name;
    const parent = parentOnBranch(metadata, branch);
    for (const staged of this.#change.addedData) checkStagedData(metadata, currentSchema(metadata), staged, table);
    for (const staged of this.#change.addedDeletes) checkStagedDeletes(metadata, staged, table);
    await this.#conflicts.check(metadata, parent, attempt);

    const added = await this.#addedManifests(metadata, attempt);
    const filtered = await this.#filter(metadata, parent, added, attempt);
    if (added.data.length + added.deletes.length + filtered.removed.length === 0) return [];
    const data = await this.#mergers.data.arrange(added.data, filtered.data, metadata, attempt);
    const deletes = await this.#mergers.deletes.arrange(added.deletes, filtered.deletes, metadata, attempt);
    const manifests = [...data.manifests, ...deletes.manifests];
    this.#use(manifests, attempt);
    const summary = {
      ...this.#change.summary,
      ...this.#summary(filtered.removed, metadata),
      ...this.#manifestCounts(manifests, data.merged + deletes.merged + filtered.rewritten),
    };
    const snapshot = { snapshotId: this.#snapshotId, operation, branch, parent, manifests, summary };
    return produceSnapshot(metadata, snapshot, attempt);
  }

  /** Manifests of what is added, written once for each format version. */
  async #addedManifests(
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<Readonly<Record<ManifestContent, readonly AddedManifests[]>>> {
    if (this.#added === null || this.#formatVersion !== metadata.formatVersion) {
      // Entries of older manifests may not inherit what they should (spec: "Writer Requirements").
      const { addedData, addedDeletes, dataSequenceNumber } = this.#change;
      this.#added = {
        data: await this.#write('data', addedData, dataSequenceNumber, metadata, attempt),
        deletes: await this.#write('deletes', addedDeletes, undefined, metadata, attempt),
      };
      this.#formatVersion = metadata.formatVersion;
      this.#mergers.data.reset();
      this.#mergers.deletes.reset();
    }
    return this.#added;
  }

  /** One group of manifests for each spec. */
  async #write(
    content: ManifestContent,
    staged: readonly StagedDeletes[],
    sequenceNumber: bigint | undefined,
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<readonly AddedManifests[]> {
    const bySpec = new Map<number, { readonly spec: PartitionSpec; readonly files: DataFile[] }>();
    for (const { files, spec } of staged) {
      if (files.length === 0) continue;
      const group = bySpec.get(spec.specId);
      if (group) group.files.push(...files);
      else bySpec.set(spec.specId, { spec, files: [...files] });
    }
    const groups: AddedManifests[] = [];
    for (const { spec, files } of bySpec.values()) {
      const settings = { content, spec, snapshotId: this.#snapshotId, sequenceNumber };
      groups.push({ files, settings, manifests: await writeAddedManifests(files, settings, metadata, attempt) });
    }
    return groups;
  }

  /** The parent's manifests without what leaves. */
  async #filter(
    metadata: TableMetadata,
    parent: Snapshot | null,
    added: Readonly<Record<ManifestContent, readonly AddedManifests[]>>,
    attempt: CommitAttempt,
  ): Promise<{
    readonly data: readonly FilteredManifest[];
    readonly deletes: readonly FilteredManifest[];
    readonly removed: readonly DataFile[];
    readonly rewritten: number;
  }> {
    const { removed, removeAll } = this.#change;
    const inherited = await inheritedManifests(parent, metadata, attempt);
    const ofContent = (content: ManifestContent): readonly ManifestFile[] =>
      inherited.filter((manifest) => manifest.content === content);
    if (removed.length === 0 && removeAll === undefined) {
      return {
        data: ofContent('data').map(asItIs),
        deletes: ofContent('deletes').map(asItIs),
        removed: [],
        rewritten: 0,
      };
    }
    const table = attempt.operations.name;
    const scope = removeAll === undefined ? null : scopeMatcher(removeAll, metadata);
    const named = { scope, metadata, table };
    const dataFiles = removed.filter(({ content }) => content === 'data');
    const data = await this.#filters.data.filter(
      ofContent('data'),
      dataRemoval({ ...named, removed: dataFiles }),
      metadata,
      attempt,
    );
    const removedData = data.flatMap((one) => one.removed);
    const minSequenceNumber = smallestSequenceNumber(data, added.data, metadata);
    this.#keepDeletesFor(removedData, minSequenceNumber);
    const deletes = await this.#filters.deletes.filter(
      ofContent('deletes'),
      deleteRemoval({
        ...named,
        removed: removed.filter(({ content }) => content !== 'data'),
        removedData,
        minSequenceNumber,
      }),
      metadata,
      attempt,
    );
    const all = [...data, ...deletes];
    return {
      data,
      deletes,
      removed: all.flatMap((one) => one.removed),
      rewritten: all.filter(({ input, output }) => input !== output).length,
    };
  }

  /** Which delete files leave follows from which data files do: if those are others now, it is worked out again. */
  #keepDeletesFor(removedData: readonly DataFile[], minSequenceNumber: bigint): void {
    const removedPaths = removedData.map(({ path }) => path).join('\n');
    if (removedPaths !== this.#removedPaths || minSequenceNumber !== this.#minSequenceNumber)
      this.#filters.deletes.reset();
    this.#removedPaths = removedPaths;
    this.#minSequenceNumber = minSequenceNumber;
  }

  /** Nothing that this attempt's snapshot names may be deleted when it goes through. */
  #use(manifests: readonly ManifestFile[], { staged }: CommitAttempt): void {
    const { addedData, addedDeletes } = this.#change;
    for (const { files } of [...addedData, ...addedDeletes]) for (const file of files) staged.use(file.path);
    for (const manifest of manifests) staged.use(manifest.path);
  }

  #summary(removed: readonly DataFile[], metadata: TableMetadata): Readonly<Record<string, string>> {
    const { addedData, addedDeletes } = this.#change;
    const added = [...addedData, ...addedDeletes].flatMap(({ files }) => files);
    return summarizeFiles(added, removed, metadata, summaryPartitionLimit(metadata.properties));
  }

  #manifestCounts(manifests: readonly ManifestFile[], replaced: number): Readonly<Record<string, string>> {
    const created = manifests.filter((manifest) => manifest.addedSnapshotId === this.#snapshotId).length;
    return {
      'manifests-created': String(created),
      'manifests-kept': String(manifests.length - created),
      'manifests-replaced': String(replaced),
    };
  }
}

function asItIs(manifest: ManifestFile): FilteredManifest {
  return { input: manifest, output: manifest, removed: [] };
}

/** Of the data files that stay and those that come: deletes below it apply to none of them any more. */
function smallestSequenceNumber(
  filtered: readonly FilteredManifest[],
  added: readonly AddedManifests[],
  metadata: TableMetadata,
): bigint {
  let min = metadata.lastSequenceNumber + 1n;
  for (const { output } of filtered) {
    // Manifests of this commit have no number if all that they keep is deleted.
    const isLive = liveFilesCount(output) !== 0 && output.minSequenceNumber >= 0n;
    if (isLive && output.minSequenceNumber < min) min = output.minSequenceNumber;
  }
  for (const { settings } of added) {
    if (settings.sequenceNumber !== undefined && settings.sequenceNumber < min) min = settings.sequenceNumber;
  }
  return min;
}

/** The data files that get a deletion vector: one each, and none that leaves (spec: "Deletion Vectors"). */
function vectorsByDataFile({ addedDeletes, removed }: SnapshotChange): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const file of addedDeletes.flatMap(({ files }) => files)) {
    if (!isDeletionVector(file)) continue;
    const path = file.referencedDataFile!;
    if (paths.has(path))
      throw invalidArgument(`${path} was given two deletion vectors; merge them into one.`, { path });
    paths.add(path);
  }
  const both = removed.find(({ content, path }) => content === 'data' && paths.has(path));
  if (both)
    throw invalidArgument(`${both.path} was given a deletion vector, but is to be removed.`, { path: both.path });
  return paths;
}
