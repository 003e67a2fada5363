import type { ManifestFile } from '../spec/manifest.ts';
import type { ManifestMergePolicy } from '../spec/table-properties.ts';

/** Manifests that become one. */
export interface MergeGroup {
  /** Whether the new manifests are in it; their entries come first. */
  readonly withNew: boolean;
  /** Manifests of the parent snapshot, newest first. */
  readonly inputs: readonly ManifestFile[];
}

/**
 * Which manifests to merge, by the rules of Iceberg Java's merge append, so that tables that both write keep their
 * shape: manifests are packed from the oldest one into bins of the target size without changing their order. A bin is
 * merged if it holds several manifests; the one with the new manifests only if it holds `minCountToMerge`. Unlike in
 * Java, manifests of other specs rest: their columns may be gone from the schema.
 *
 * @param added  the new manifests, all of one spec
 * @param parent the parent snapshot's data manifests, newest first
 */
export function planMerges(
  added: readonly ManifestFile[],
  parent: readonly ManifestFile[],
  policy: ManifestMergePolicy,
): readonly MergeGroup[] {
  if (!policy.enabled) return [];
  const sameSpec = parent.filter((manifest) => manifest.partitionSpecId === added[0]?.partitionSpecId);
  return packFromEnd([...added, ...sameSpec], policy.targetSizeBytes).flatMap((bin) =>
    toMergeGroup(bin, added, policy),
  );
}

function toMergeGroup(
  bin: readonly ManifestFile[],
  added: readonly ManifestFile[],
  policy: ManifestMergePolicy,
): readonly MergeGroup[] {
  const inputs = bin.filter((manifest) => !added.includes(manifest));
  const newCount = bin.length - inputs.length;
  if (bin.length < 2 || (newCount > 0 && bin.length < policy.minCountToMerge)) return [];
  // New manifests that fill bins of their own are as large as they should be.
  if (inputs.length === 0 || (newCount > 0 && newCount < added.length)) return [];
  return [{ withNew: newCount > 0, inputs }];
}

/** Bins of at most `targetSize` each, filled in sequence from the end, so that the newest bin is the one to grow. */
function packFromEnd(manifests: readonly ManifestFile[], targetSize: number): readonly (readonly ManifestFile[])[] {
  const bins: ManifestFile[][] = [];
  let bin: ManifestFile[] = [];
  let size = 0;
  for (const manifest of manifests.toReversed()) {
    if (bin.length > 0 && size + manifest.length > targetSize) {
      bins.unshift(bin);
      bin = [];
      size = 0;
    }
    bin.unshift(manifest);
    size += manifest.length;
  }
  if (bin.length > 0) bins.unshift(bin);
  return bins;
}

/**
 * True if a manifest of a newer version of the table is the very one that was merged. A manifest never changes, but
 * what the list says of it may: row ids are assigned to manifests from before an upgrade to v3, and sequence numbers to
 * those that the same transaction adds. What was merged has the old ones written out, so it must not be used then.
 */
export function isSameManifest(a: ManifestFile, b: ManifestFile): boolean {
  return (
    a.path === b.path &&
    a.sequenceNumber === b.sequenceNumber &&
    a.firstRowId === b.firstRowId &&
    a.addedSnapshotId === b.addedSnapshotId
  );
}
