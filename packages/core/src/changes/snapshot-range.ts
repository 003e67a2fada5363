import { LakehouseError, invalidArgument } from '../errors.ts';
import { ancestorsOf, isAncestorOf, snapshotById } from '../spec/metadata-accessors.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** Snapshots that follow each other, oldest first. */
export type SnapshotChain = readonly Snapshot[];

/**
 * The snapshots after `from` (null: the table before its first one) up to and with `to` (null: the same). `from` itself
 * may have been expired as long as the one after it is there. NOT_FOUND if a snapshot in between has been expired;
 * INVALID_ARGUMENT if `from` is no ancestor of `to`.
 */
export function snapshotsBetween(metadata: TableMetadata, from: bigint | null, to: bigint | null): SnapshotChain {
  const chain: Snapshot[] = [];
  if (from === to) return chain;
  for (const snapshot of ancestorsOf(metadata, to)) {
    chain.push(snapshot);
    if (snapshot.parentSnapshotId === from) return chain.toReversed();
  }
  throw unreachable(metadata, from, to, chain.at(-1)?.parentSnapshotId ?? null);
}

/** All that the table still knows of the history that leads to a snapshot, oldest first. */
export function knownHistory(metadata: TableMetadata, to: bigint | null): SnapshotChain {
  return [...ancestorsOf(metadata, to)].toReversed();
}

/**
 * The newest state that two snapshots have in common, as a snapshot id: null for the table before its first snapshot,
 * undefined if so much has been expired that it can't be told.
 */
export function commonAncestor(
  metadata: TableMetadata,
  one: bigint | null,
  other: bigint | null,
): bigint | null | undefined {
  const reached = new Set<bigint | null>(reachable(metadata, one));
  return [...reachable(metadata, other)].find((id) => reached.has(id));
}

/** A snapshot and its ancestors, newest first, as far as known: the last one may be expired, or null for the empty table. */
function* reachable(metadata: TableMetadata, snapshotId: bigint | null): Generator<bigint | null> {
  yield snapshotId;
  for (const { parentSnapshotId } of ancestorsOf(metadata, snapshotId)) yield parentSnapshotId;
}

function unreachable(
  metadata: TableMetadata,
  from: bigint | null,
  to: bigint | null,
  expired: bigint | null,
): LakehouseError {
  const context = { from, to, expired };
  if (expired !== null) {
    const oldest = knownHistory(metadata, to)[0];
    const message =
      `The changes from ${nameOf(from)} to ${nameOf(to)} can't be told: snapshot ${expired} has been expired. ` +
      `The table knows its history from snapshot ${oldest?.snapshotId ?? expired} on, so that changes can start from ${expired}.`;
    return new LakehouseError('NOT_FOUND', message, { context });
  }
  if (from !== null && snapshotById(metadata, from) === undefined) {
    const message = `The table has no snapshot ${from} to start from; it may have been expired.`;
    return new LakehouseError('NOT_FOUND', message, { context });
  }
  const isReversed = from !== null && to !== null && isAncestorOf(metadata, from, to);
  return invalidArgument(
    isReversed
      ? `Snapshot ${from} comes after snapshot ${to}: changes go from the older one to the newer one.`
      : `${capital(nameOf(from))} is no ancestor of ${nameOf(to)}, so that no changes lead from the one to the other.`,
    context,
  );
}

function nameOf(snapshotId: bigint | null): string {
  return snapshotId === null ? 'the empty table' : `snapshot ${snapshotId}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
