import { liveFilesCount } from '../manifest/manifest-file.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { manifestMergePolicy } from '../spec/table-properties.ts';
import type { CommitAttempt } from './action.ts';
import type { FilteredManifest } from './manifest-filter.ts';
import { isSameManifest, planMerges } from './manifest-merge.ts';
import { writeMergedManifest } from './stage-manifests.ts';
import type { ManifestSettings } from './stage-manifests.ts';

/** New files of one spec and content, and the manifests that were written of them. */
export interface AddedManifests {
  readonly files: readonly DataFile[];
  readonly settings: ManifestSettings;
  readonly manifests: readonly ManifestFile[];
}

interface Merged {
  /** Whose files are in it, too. */
  readonly added: AddedManifests | null;
  readonly inputs: readonly ManifestFile[];
  readonly output: ManifestFile;
}

/** Manifests of one content of a new snapshot. */
export interface ArrangedManifests {
  readonly manifests: readonly ManifestFile[];
  /** How many of the parent's are merged into others. */
  readonly merged: number;
}

/**
 * Puts the manifests of a new snapshot together, and makes few of many. Manifests are merged on the first attempt only:
 * on a later one another writer may have merged the same ones, and those who meet often are served best by committing
 * fast. The next commit merges. One that was just rewritten rests until then as well.
 */
export class ManifestMerger {
  #merged: readonly Merged[] | null = null;

  /** Forgets merges: what they were made of is another thing now. */
  reset(): void {
    this.#merged = null;
  }

  /** New manifests come first, then the parent's in their order, with merged ones in the place of what they merged. */
  async arrange(
    added: readonly AddedManifests[],
    inherited: readonly FilteredManifest[],
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<ArrangedManifests> {
    // A manifest without live files says what the snapshot deleted that wrote it, and nothing to those after it.
    const kept = inherited.filter(({ input, output }) => output !== input || liveFilesCount(input) !== 0);
    const untouched = kept.filter(({ input, output }) => input === output).map(({ input }) => input);
    this.#merged ??= await merge(added, untouched, metadata, attempt);
    const byPath = new Map(untouched.map((manifest) => [manifest.path, manifest]));
    const usable = this.#merged.filter(({ inputs }) =>
      inputs.every((input) => {
        const now = byPath.get(input.path);
        return now !== undefined && isSameManifest(now, input);
      }),
    );
    return place(added, usable, kept);
  }
}

async function merge(
  added: readonly AddedManifests[],
  untouched: readonly ManifestFile[],
  metadata: TableMetadata,
  attempt: CommitAttempt,
): Promise<readonly Merged[]> {
  const policy = manifestMergePolicy(metadata.properties);
  const merged: Merged[] = [];
  for (const group of added) {
    // Files with a sequence number of their own can't be in one manifest with those that inherit it.
    if (group.settings.sequenceNumber !== undefined) continue;
    for (const { withNew, inputs } of planMerges(group.manifests, untouched, policy)) {
      const newFiles = withNew ? group.files : [];
      const output = await writeMergedManifest(newFiles, inputs, group.settings, metadata, attempt);
      merged.push({ added: withNew ? group : null, inputs, output });
    }
  }
  return merged;
}

function place(
  added: readonly AddedManifests[],
  merges: readonly Merged[],
  inherited: readonly FilteredManifest[],
): ArrangedManifests {
  const mergedInto = new Map(merges.flatMap((one) => one.inputs.map((manifest) => [manifest.path, one] as const)));
  const placed = new Set<Merged>();
  const manifests: ManifestFile[] = [];
  const placeMerged = (one: Merged): void => {
    if (placed.has(one)) return;
    placed.add(one);
    manifests.push(one.output);
  };
  for (const group of added) {
    const into = merges.find((one) => one.added === group);
    if (into) placeMerged(into);
    else manifests.push(...group.manifests);
  }
  for (const { input, output } of inherited) {
    const into = mergedInto.get(input.path);
    if (into) placeMerged(into);
    else manifests.push(output);
  }
  return { manifests, merged: mergedInto.size };
}
