import { readManifestList } from '../manifest/read-manifest-list.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { manifestMergePolicy, summaryPartitionLimit } from '../spec/table-properties.ts';
import { partitionPath } from '../transforms/partition-path.ts';
import type { Action, CommitAttempt } from './action.ts';
import { isSameManifest, planMerges } from './manifest-merge.ts';
import { parentOnBranch } from './refs.ts';
import { produceSnapshot } from './snapshot-producer.ts';
import { SnapshotSummary } from './snapshot-summary.ts';
import { writeAddedManifests, writeMergedManifest } from './stage-manifests.ts';
import type { AddedManifests } from './stage-manifests.ts';
import { checkStagedData } from './staged-data.ts';
import type { StagedData } from './staged-data.ts';

export interface AppendInput {
  readonly data: StagedData;
  readonly added: AddedManifests;
  readonly snapshotId: bigint;
  readonly branch: string;
  /** Extra summary fields. */
  readonly summary: Readonly<Record<string, string>>;
}

interface Merged {
  readonly withNew: boolean;
  readonly inputs: readonly ManifestFile[];
  readonly output: ManifestFile;
}

/** Adds data files to a branch as one snapshot. */
export function appendAction(input: AppendInput): Action {
  let { added } = input;
  let merged: readonly Merged[] | null = null;
  return {
    async build(metadata, attempt) {
      checkStagedData(metadata, currentSchema(metadata), input.data, attempt.operations.name);
      const parent = parentOnBranch(metadata, input.branch);
      const inherited = parent ? await readManifestList(attempt.operations.io, parent, metadata) : [];
      if (added.formatVersion !== metadata.formatVersion) {
        // Entries of manifests of an older format version may not inherit what they should (spec: "Writer Requirements").
        added = await writeAddedManifests(input.data, input.snapshotId, metadata, attempt);
        merged = null;
      }
      merged ??= await mergeManifests(input, added.manifests, inherited, metadata, attempt);
      const { manifests, replaced } = arrange(added.manifests, merged, inherited);
      for (const file of input.data.files) attempt.staged.use(file.path);
      for (const manifest of manifests) attempt.staged.use(manifest.path);
      const summary = summarize(input, metadata, manifests, replaced);
      return produceSnapshot(
        metadata,
        { snapshotId: input.snapshotId, operation: 'append', branch: input.branch, parent, manifests, summary },
        attempt,
      );
    },
  };
}

/**
 * Manifests are merged on the first attempt only: on a later one another writer may have merged the same ones, and
 * those who meet often are served best by committing fast. The next append merges.
 */
async function mergeManifests(
  input: AppendInput,
  added: readonly ManifestFile[],
  inherited: readonly ManifestFile[],
  metadata: TableMetadata,
  attempt: CommitAttempt,
): Promise<readonly Merged[]> {
  const dataManifests = inherited.filter((manifest) => manifest.content === 'data');
  const merged: Merged[] = [];
  for (const group of planMerges(added, dataManifests, manifestMergePolicy(metadata.properties))) {
    const { withNew, inputs } = group;
    const output = await writeMergedManifest(input.data, withNew, inputs, input.snapshotId, metadata, attempt);
    merged.push({ withNew, inputs, output });
  }
  return merged;
}

/** The new snapshot's manifests: what is new, then the parent's, with merged ones in the place of what they merged. */
function arrange(
  added: readonly ManifestFile[],
  merged: readonly Merged[],
  inherited: readonly ManifestFile[],
): { readonly manifests: readonly ManifestFile[]; readonly replaced: number } {
  const byPath = new Map(inherited.map((manifest) => [manifest.path, manifest]));
  const isInherited = (manifest: ManifestFile): boolean => {
    const now = byPath.get(manifest.path);
    return now !== undefined && isSameManifest(now, manifest);
  };
  const merges = merged.filter((one) => one.inputs.every(isInherited));
  const mergedInto = new Map(merges.flatMap((one) => one.inputs.map((manifest) => [manifest.path, one] as const)));
  const newest = merges.find((one) => one.withNew);
  const placed = new Set<Merged>(newest ? [newest] : []);
  const manifests = newest ? [newest.output] : [...added];
  for (const manifest of inherited) {
    const into = mergedInto.get(manifest.path);
    if (into === undefined) manifests.push(manifest);
    else if (!placed.has(into)) {
      placed.add(into);
      manifests.push(into.output);
    }
  }
  return { manifests, replaced: mergedInto.size };
}

function summarize(
  input: AppendInput,
  metadata: TableMetadata,
  manifests: readonly ManifestFile[],
  replaced: number,
): Readonly<Record<string, string>> {
  const { spec, schema, files } = input.data;
  const changes = new SnapshotSummary();
  for (const file of files) changes.addedFile(file, partitionPath(spec, schema, file.partition));
  const created = manifests.filter((manifest) => manifest.addedSnapshotId === input.snapshotId).length;
  return {
    ...input.summary,
    ...changes.build(summaryPartitionLimit(metadata.properties)),
    'manifests-created': String(created),
    'manifests-kept': String(manifests.length - created),
    'manifests-replaced': String(replaced),
  };
}
