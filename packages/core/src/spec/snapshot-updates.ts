import { invalidArgument, LakehouseError } from '../errors.ts';
import { snapshotById } from './metadata-accessors.ts';
import { change } from './metadata-draft.ts';
import type { MetadataDraft } from './metadata-draft.ts';
import { withSnapshot } from './snapshot-index.ts';
import { MAIN_BRANCH } from './snapshot.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';
import type { SnapshotLogEntry, TableMetadata } from './table-metadata.ts';

/** Changes of a table's history: snapshots, refs, the snapshot log. */

export function addSnapshot(draft: MetadataDraft, snapshot: Snapshot): void {
  const { metadata } = draft;
  checkNewSnapshot(metadata, snapshot);
  draft.addedSnapshotIds.add(snapshot.snapshotId);
  change(draft, {
    snapshots: withSnapshot(metadata.snapshots, snapshot),
    lastSequenceNumber: metadata.formatVersion === 1 ? 0n : snapshot.sequenceNumber,
    nextRowId: metadata.formatVersion < 3 ? 0n : snapshot.firstRowId! + snapshot.addedRows!,
  });
}

/** A snapshot built on older metadata than this has lost its race; one that breaks the format is a mistake. */
function checkNewSnapshot(metadata: TableMetadata, snapshot: Snapshot): void {
  const { snapshotId, sequenceNumber, firstRowId, addedRows, schemaId, manifestList } = snapshot;
  const { formatVersion } = metadata;
  const wrong = (why: string): LakehouseError => invalidArgument(`The snapshot ${snapshotId} can't be added: ${why}.`);
  if (snapshotById(metadata, snapshotId)) throw wrong('the table has one with this id');
  if (schemaId !== null && !metadata.schemas.some((schema) => schema.schemaId === schemaId)) {
    throw wrong(`the table has no schema ${schemaId}`);
  }
  if (formatVersion === 1) {
    if (sequenceNumber !== 0n) throw wrong('format version 1 has no sequence numbers');
  } else {
    if (manifestList === null) throw wrong(`it needs a manifest list in format version ${formatVersion}`);
    if (sequenceNumber <= metadata.lastSequenceNumber) {
      throw lostRace(
        `its sequence number ${sequenceNumber} is not above the table's last one, ${metadata.lastSequenceNumber}`,
        snapshotId,
      );
    }
  }
  // Row ids came with v3; a snapshot says which it takes, even when it takes none (spec: "Snapshot Row IDs").
  if (formatVersion >= 3) {
    if (firstRowId === null || addedRows === null)
      throw wrong('it needs first-row-id and added-rows in format version 3');
    if (addedRows < 0n) throw wrong(`its added-rows is ${addedRows}`);
    if (firstRowId < metadata.nextRowId) {
      throw lostRace(`its first row id ${firstRowId} is below the table's next one, ${metadata.nextRowId}`, snapshotId);
    }
  }
}

function lostRace(why: string, snapshotId: bigint): LakehouseError {
  return new LakehouseError(
    'COMMIT_CONFLICT',
    `The snapshot ${snapshotId} was made for an older version of the table: ${why}.`,
    {
      retryable: true,
      context: { snapshotId },
    },
  );
}

export function setSnapshotRef(draft: MetadataDraft, name: string, ref: SnapshotRef): void {
  const { metadata } = draft;
  if (name === '') throw invalidArgument('A branch or tag needs a name that is not empty.');
  if (!snapshotById(metadata, ref.snapshotId)) {
    throw invalidArgument(
      `The ${ref.type} '${name}' can't be set to the snapshot ${ref.snapshotId}: the table has none of that id.`,
    );
  }
  checkRetention(name, ref);
  const existing = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  if (existing && sameRef(existing, ref)) return;
  if (existing && existing.type !== ref.type)
    throw invalidArgument(`'${name}' is a ${existing.type} and can't become a ${ref.type}.`);
  change(draft, { refs: withEntry(metadata.refs, name, ref) });
  if (name === MAIN_BRANCH) change(draft, { currentSnapshotId: ref.snapshotId });
}

function checkRetention(name: string, ref: SnapshotRef): void {
  if (name === MAIN_BRANCH && ref.type !== 'branch') throw invalidArgument("'main' must be a branch, not a tag.");
  if (ref.type === 'tag' && (ref.minSnapshotsToKeep !== null || ref.maxSnapshotAgeMs !== null)) {
    throw invalidArgument(
      `The tag '${name}' can't keep other snapshots: only branches have minSnapshotsToKeep and maxSnapshotAgeMs.`,
    );
  }
  for (const limit of [ref.minSnapshotsToKeep, ref.maxSnapshotAgeMs, ref.maxRefAgeMs]) {
    if (limit !== null && !(Number.isSafeInteger(limit) && limit > 0)) {
      throw invalidArgument(`The retention limits of '${name}' must be positive whole numbers, not ${limit}.`);
    }
  }
}

function sameRef(a: SnapshotRef, b: SnapshotRef): boolean {
  return (
    a.snapshotId === b.snapshotId &&
    a.type === b.type &&
    a.minSnapshotsToKeep === b.minSnapshotsToKeep &&
    a.maxSnapshotAgeMs === b.maxSnapshotAgeMs &&
    a.maxRefAgeMs === b.maxRefAgeMs
  );
}

export function removeSnapshotRef(draft: MetadataDraft, name: string): void {
  const { refs } = draft.metadata;
  if (!Object.hasOwn(refs, name)) return;
  change(draft, { refs: withoutEntries(refs, (candidate) => candidate === name) });
  if (name === MAIN_BRANCH) change(draft, { currentSnapshotId: null });
}

/** Takes the snapshots' statistics and the refs to them along (spec: "Snapshot Retention Policy"). */
export function removeSnapshots(draft: MetadataDraft, snapshotIds: readonly bigint[]): void {
  const { metadata } = draft;
  const removed = new Set(snapshotIds.filter((id) => snapshotById(metadata, id)));
  if (removed.size === 0) return;
  draft.removedSnapshots = true;
  const kept = <T extends { readonly snapshotId: bigint }>(list: readonly T[]): readonly T[] =>
    list.some((item) => removed.has(item.snapshotId)) ? list.filter((item) => !removed.has(item.snapshotId)) : list;
  change(draft, {
    snapshots: kept(metadata.snapshots),
    statistics: kept(metadata.statistics),
    partitionStatistics: kept(metadata.partitionStatistics),
  });
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (removed.has(ref.snapshotId)) removeSnapshotRef(draft, name);
  }
}

/**
 * The log after the commit (spec: "Table Metadata Fields", `snapshot-log`): one entry if the current snapshot changed,
 * none for those that were current between two updates of the commit; after an expiry nothing from before the last
 * entry that expired, because the time it stood for has become a gap.
 */
export function snapshotLogAfter(draft: MetadataDraft): readonly SnapshotLogEntry[] {
  const { base, metadata } = draft;
  let log = base.snapshotLog;
  if (draft.removedSnapshots) {
    const lastGap = log.findLastIndex((entry) => !snapshotById(metadata, entry.snapshotId));
    if (lastGap >= 0) log = log.slice(lastGap + 1);
  }
  const current = metadata.currentSnapshotId;
  if (current === null || current === base.currentSnapshotId) return log;
  // A new snapshot became current when it was made, an older one now; never before what the log has already.
  const changedMs = draft.addedSnapshotIds.has(current) ? snapshotById(metadata, current)!.timestampMs : draft.nowMs;
  const timestampMs = Math.max(changedMs, log.at(-1)?.timestampMs ?? changedMs);
  return [...log, { timestampMs, snapshotId: current }];
}

function withEntry<T>(record: Readonly<Record<string, T>>, key: string, value: T): Readonly<Record<string, T>> {
  return Object.fromEntries([...Object.entries(record).filter(([other]) => other !== key), [key, value]]);
}

function withoutEntries<T>(
  record: Readonly<Record<string, T>>,
  gone: (key: string) => boolean,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !gone(key)));
}
