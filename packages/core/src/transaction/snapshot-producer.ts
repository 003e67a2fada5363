import { invalidArgument } from '../errors.ts';
import { encodeManifestList } from '../manifest/write-manifest-list.ts';
import { randomSnapshotId } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { snapshotById } from '../spec/metadata-accessors.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { Operation, Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { CommitAttempt, Updates } from './action.ts';
import { rememberManifests } from './inherited-manifests.ts';
import { findRef, movedBranch } from './refs.ts';
import { totalsAfter, WAP_ID } from './snapshot-summary.ts';

export interface NewSnapshot {
  readonly snapshotId: bigint;
  readonly operation: Operation;
  readonly branch: string;
  readonly parent: Snapshot | null;
  /** Everything the snapshot is made of, newest first. */
  readonly manifests: readonly ManifestFile[];
  /** What changed; the totals are added here. */
  readonly summary: Readonly<Record<string, string>>;
}

/**
 * Stages the manifest list of a new snapshot on top of `metadata`, and gives the updates that put it on its branch, or
 * on none if it has a `wap.id` to be published by.
 */
export async function produceSnapshot(
  metadata: TableMetadata,
  input: NewSnapshot,
  attempt: CommitAttempt,
): Promise<Updates> {
  const { operations, staged } = attempt;
  const toBePublished = input.summary[WAP_ID] !== undefined;
  if (toBePublished && attempt.ownSnapshots.size > 0) {
    throw invalidArgument(
      'A transaction with a wapId stages one change of rows; make another transaction of the other.',
    );
  }
  const location = operations.newMetadataFileLocation(
    metadata,
    `snap-${input.snapshotId}-${attempt.number}-${attempt.commitUuid}.avro`,
  );
  // v1 has no sequence numbers (spec: "Sequence Numbers").
  const sequenceNumber = metadata.formatVersion === 1 ? 0n : metadata.lastSequenceNumber + 1n;
  const lineage = metadata.formatVersion >= 3;
  const written = await encodeManifestList(
    {
      io: operations.io,
      location,
      formatVersion: metadata.formatVersion,
      snapshotId: input.snapshotId,
      parentSnapshotId: input.parent?.snapshotId ?? null,
      sequenceNumber,
      ...(lineage && { firstRowId: metadata.nextRowId }),
    },
    input.manifests,
  );
  await staged.write(location, written.bytes);
  staged.use(location);
  rememberManifests(operations, { location, manifests: written.manifests });
  const snapshot: Snapshot = {
    snapshotId: input.snapshotId,
    parentSnapshotId: input.parent?.snapshotId ?? null,
    sequenceNumber,
    timestampMs: Math.max(attempt.runtime.now(), metadata.lastUpdatedMs),
    manifestList: location,
    manifests: null,
    operation: input.operation,
    summary: { ...input.summary, ...totalsAfter(input.parent?.summary ?? null, input.summary) },
    schemaId: metadata.currentSchemaId,
    // Row ids are handed out by the manifest list, so they are new in every attempt (spec: "Row Lineage").
    firstRowId: lineage ? metadata.nextRowId : null,
    addedRows: lineage ? assignedRows(written.nextRowId, metadata.nextRowId) : null,
    keyId: null,
    unknownFields: {},
  };
  const ref = movedBranch(findRef(metadata, input.branch), snapshot.snapshotId);
  return [
    { action: 'add-snapshot', snapshot },
    ...(toBePublished ? [] : [{ action: 'set-snapshot-ref', refName: input.branch, ref } as const]),
  ];
}

function assignedRows(nextRowId: bigint | null | undefined, firstRowId: bigint): bigint {
  return (nextRowId ?? firstRowId) - firstRowId;
}

/** An id that no snapshot of the table has. */
export function newSnapshotId(metadata: TableMetadata, runtime: Runtime): bigint {
  for (;;) {
    const id = randomSnapshotId(runtime);
    if (snapshotById(metadata, id) === undefined) return id;
  }
}
