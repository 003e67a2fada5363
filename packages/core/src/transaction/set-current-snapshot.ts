import { invalidArgument } from '../errors.ts';
import { ancestorsOf, isAncestorOf } from '../spec/metadata-accessors.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { MetadataAction, Updates } from './action.ts';
import { findRef, movedBranch, requireSnapshot } from './refs.ts';

/** Makes any snapshot of the table the current one of main. */
export function setCurrentSnapshotAction(snapshotId: bigint): MetadataAction {
  return { build: (metadata) => moveMain(metadata, requireSnapshot(metadata, snapshotId)) };
}

/** Takes main back to a snapshot that it is built on. */
export function rollbackToAction(snapshotId: bigint): MetadataAction {
  return {
    build(metadata) {
      const snapshot = requireSnapshot(metadata, snapshotId);
      if (metadata.currentSnapshotId === null || !isAncestorOf(metadata, metadata.currentSnapshotId, snapshotId)) {
        throw invalidArgument(
          `Snapshot ${snapshotId} is not in the history of the current one, so there is no rolling back to it; setCurrentSnapshot can go there.`,
          { snapshotId },
        );
      }
      return moveMain(metadata, snapshot);
    },
  };
}

/** Takes main back to the newest snapshot of its history that was made at or before a time. */
export function rollbackToTimestampAction(timestampMs: number): MetadataAction {
  return {
    build(metadata) {
      let newest: Snapshot | null = null;
      for (const snapshot of ancestorsOf(metadata, metadata.currentSnapshotId)) {
        if (snapshot.timestampMs > timestampMs) continue;
        if (newest === null || snapshot.timestampMs > newest.timestampMs) newest = snapshot;
      }
      if (newest === null) {
        const time = new Date(timestampMs).toISOString();
        throw invalidArgument(`The history of the current snapshot has nothing that is as old as ${time}.`);
      }
      return moveMain(metadata, newest);
    },
  };
}

function moveMain(metadata: TableMetadata, snapshot: Snapshot): Updates {
  const main = findRef(metadata, MAIN_BRANCH);
  if (main?.snapshotId === snapshot.snapshotId) return [];
  return [{ action: 'set-snapshot-ref', refName: MAIN_BRANCH, ref: movedBranch(main, snapshot.snapshotId) }];
}
