import type { Snapshot } from './snapshot.ts';

/**
 * What is asked of a table's list of snapshots again and again. Lists never change; one that adds a snapshot to another
 * shares its places, so that a commit costs the same however long the history is.
 */
interface SnapshotIndex {
  /** By id, where a snapshot is in each list that has it: lists that share this may end before that, or differ there. */
  readonly places: Map<bigint, number>;
  /** The id that is there twice, if one is. */
  readonly twice: bigint | null;
  /** -1 if there is none. */
  readonly highestSequenceNumber: bigint;
}

const indexes = new WeakMap<readonly Snapshot[], SnapshotIndex>();

/** The snapshot of the id, or undefined. */
export function findSnapshot(snapshots: readonly Snapshot[], snapshotId: bigint): Snapshot | undefined {
  const place = indexOf(snapshots).places.get(snapshotId);
  const found = place === undefined ? undefined : snapshots[place];
  return found?.snapshotId === snapshotId ? found : undefined;
}

export function snapshotIndex(snapshots: readonly Snapshot[]): Pick<SnapshotIndex, 'twice' | 'highestSequenceNumber'> {
  return indexOf(snapshots);
}

/** The list with one more snapshot at its end. */
export function withSnapshot(snapshots: readonly Snapshot[], added: Snapshot): readonly Snapshot[] {
  const longer = [...snapshots, added];
  const { places, twice, highestSequenceNumber } = indexOf(snapshots);
  // Another list may have the id at another place.
  if (!places.has(added.snapshotId)) {
    places.set(added.snapshotId, snapshots.length);
    indexes.set(longer, { places, twice, highestSequenceNumber: higher(highestSequenceNumber, added) });
  }
  return longer;
}

function indexOf(snapshots: readonly Snapshot[]): SnapshotIndex {
  const known = indexes.get(snapshots);
  if (known) return known;
  const places = new Map<bigint, number>();
  let twice: bigint | null = null;
  let highestSequenceNumber = -1n;
  for (const [place, snapshot] of snapshots.entries()) {
    if (places.has(snapshot.snapshotId)) twice ??= snapshot.snapshotId;
    places.set(snapshot.snapshotId, place);
    highestSequenceNumber = higher(highestSequenceNumber, snapshot);
  }
  const index = { places, twice, highestSequenceNumber };
  indexes.set(snapshots, index);
  return index;
}

function higher(number: bigint, { sequenceNumber }: Snapshot): bigint {
  return sequenceNumber > number ? sequenceNumber : number;
}
