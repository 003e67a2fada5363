import type { Snapshot, Table } from '@lh/core';

import type { ExpectedSnapshot, ExpectedTable } from './fixtures.ts';

type History = Pick<ExpectedTable, 'formatVersion' | 'currentSnapshotId' | 'refs' | 'snapshots'>;

/** What a table's metadata says of its snapshots, branches and tags, in the expectations' form. */
export function historyOf({ metadata }: Table): History {
  const refs = Object.entries(metadata.refs).map(([name, { type, snapshotId }]) => {
    return [name, { type, snapshotId: String(snapshotId) }] as const;
  });
  return {
    formatVersion: metadata.formatVersion,
    currentSnapshotId: metadata.currentSnapshotId === null ? null : String(metadata.currentSnapshotId),
    refs: Object.fromEntries(refs),
    snapshots: metadata.snapshots.map(snapshotOf),
  };
}

export function expectedHistory({ formatVersion, currentSnapshotId, refs, snapshots }: ExpectedTable): History {
  return { formatVersion, currentSnapshotId, refs, snapshots };
}

function snapshotOf(snapshot: Snapshot): ExpectedSnapshot {
  const { parentSnapshotId, operation, schemaId, firstRowId, addedRows } = snapshot;
  return {
    snapshotId: String(snapshot.snapshotId),
    ...(parentSnapshotId !== null && { parentId: String(parentSnapshotId) }),
    sequenceNumber: Number(snapshot.sequenceNumber),
    timestampMs: snapshot.timestampMs,
    ...(operation !== null && { operation }),
    ...(schemaId !== null && { schemaId }),
    ...(firstRowId !== null && { firstRowId: Number(firstRowId) }),
    ...(addedRows !== null && { addedRows: Number(addedRows) }),
  };
}
