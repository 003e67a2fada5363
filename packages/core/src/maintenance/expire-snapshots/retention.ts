import { invalidArgument } from '../../errors.ts';
import { ancestorsOf, snapshotById } from '../../spec/metadata-accessors.ts';
import { MAIN_BRANCH } from '../../spec/snapshot.ts';
import type { SnapshotRef } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { tableProperty } from '../../spec/table-properties.ts';

/** What a call of expiry asks for; the table's properties and refs say the rest. */
export interface RetentionWishes {
  readonly nowMs: number;
  /** In the place of `history.expire.max-snapshot-age-ms`. */
  readonly olderThanMs: number | null;
  /** In the place of `history.expire.min-snapshots-to-keep`. */
  readonly retainLast: number | null;
  /** To be expired whatever their age. */
  readonly snapshotIds: readonly bigint[];
}

/** What leaves the metadata. */
export interface Expiry {
  readonly refs: readonly string[];
  /** In the order of the metadata. */
  readonly snapshotIds: readonly bigint[];
}

/**
 * Decides which refs and snapshots expire (spec: "Snapshot Retention Policy"). What a branch or tag says of its own goes
 * before the wishes, and these before the table's properties. Snapshots on no branch go by their age alone, as in
 * Iceberg Java, so that one that is staged is not expired before it could be published. INVALID_ARGUMENT for a snapshot
 * that is to be expired by its id while a ref that stays is at it.
 */
export function planExpiry(metadata: TableMetadata, wishes: RetentionWishes): Expiry {
  const kept = keptRefs(metadata, wishes.nowMs);
  checkWishes(kept, wishes);
  const retained = new Set([...kept.values()].map(({ snapshotId }) => snapshotId));
  const olderThanMs =
    wishes.olderThanMs ?? wishes.nowMs - tableProperty(metadata.properties, 'history.expire.max-snapshot-age-ms');
  const minToKeep = wishes.retainLast ?? tableProperty(metadata.properties, 'history.expire.min-snapshots-to-keep');
  const onRefs = new Set(retained);
  for (const ref of kept.values()) {
    if (ref.type === 'tag') continue;
    const limits = {
      olderThanMs: ref.maxSnapshotAgeMs === null ? olderThanMs : wishes.nowMs - ref.maxSnapshotAgeMs,
      minToKeep: ref.minSnapshotsToKeep ?? minToKeep,
    };
    for (const id of retainedOnBranch(metadata, ref, limits)) retained.add(id);
    for (const { snapshotId } of ancestorsOf(metadata, ref.snapshotId)) onRefs.add(snapshotId);
  }
  const byId = new Set(wishes.snapshotIds);
  const expires = (snapshotId: bigint, timestampMs: number): boolean => {
    if (byId.has(snapshotId)) return true;
    return onRefs.has(snapshotId) ? !retained.has(snapshotId) : timestampMs < olderThanMs;
  };
  return {
    refs: Object.keys(metadata.refs).filter((name) => !kept.has(name)),
    snapshotIds: metadata.snapshots
      .filter(({ snapshotId, timestampMs }) => expires(snapshotId, timestampMs))
      .map(({ snapshotId }) => snapshotId),
  };
}

/** Main never expires; other refs do by the age of their snapshot, and if it isn't there. */
function keptRefs(metadata: TableMetadata, nowMs: number): ReadonlyMap<string, SnapshotRef> {
  const maxAgeMs = tableProperty(metadata.properties, 'history.expire.max-ref-age-ms');
  const isKept = ([name, ref]: readonly [string, SnapshotRef]): boolean => {
    if (name === MAIN_BRANCH) return true;
    const snapshot = snapshotById(metadata, ref.snapshotId);
    return snapshot !== undefined && nowMs - snapshot.timestampMs <= (ref.maxRefAgeMs ?? maxAgeMs);
  };
  return new Map(Object.entries(metadata.refs).filter(isKept));
}

function checkWishes(kept: ReadonlyMap<string, SnapshotRef>, { snapshotIds }: RetentionWishes): void {
  for (const [name, { snapshotId, type }] of kept) {
    if (!snapshotIds.includes(snapshotId)) continue;
    throw invalidArgument(
      `Snapshot ${snapshotId} can't be expired: the ${type} '${name}' is at it. Move or drop '${name}' first.`,
      { snapshotId, ref: name },
    );
  }
}

/** The head and its ancestors down to the first that is too old and not one of the newest. */
function* retainedOnBranch(
  metadata: TableMetadata,
  { snapshotId: head }: SnapshotRef,
  { olderThanMs, minToKeep }: { readonly olderThanMs: number; readonly minToKeep: number },
): Generator<bigint> {
  let count = 0;
  for (const { snapshotId, timestampMs } of ancestorsOf(metadata, head)) {
    if (count++ >= minToKeep && timestampMs < olderThanMs) return;
    yield snapshotId;
  }
}
