import type { LoadedMetadata } from '../catalog/catalog.ts';
import { snapshotById } from '../spec/metadata-accessors.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { findRef } from './refs.ts';

/** What a mutation of a table did. */
export interface Commit {
  /** The snapshot it made; if it made none, the branch's current one, or null when the branch has none. */
  readonly snapshotId: bigint | null;
  /** False if nothing had to be done: the table is as it was. */
  readonly changed: boolean;
  /** The summary of the snapshot it made (spec: "Optional Snapshot Summary Fields"), with `operation`; empty if it made none. */
  readonly summary: Readonly<Record<string, string>>;
  /** How many times the catalog was asked to commit: more than 1 if other writers were faster; 0 if nothing changed. */
  readonly attempts: number;
  /** The table's metadata file as of this commit. */
  readonly metadataLocation: string;
  /** What the table's properties ask for and the writer of data files couldn't do, in sentences; mostly none. */
  readonly warnings: readonly string[];
}

/** The outcome of a transaction: what the caller is told, and the version of the table that it led to. */
export interface CommitOutcome {
  readonly commit: Commit;
  readonly loaded: LoadedMetadata;
  /** The snapshots that the transaction made, in order. */
  readonly snapshots: readonly Snapshot[];
}

/** The outcome when nothing had to be done. `snapshot`: what the caller asked for is in it. */
export function unchangedOutcome(loaded: LoadedMetadata, snapshot: Snapshot | null): CommitOutcome {
  const commit: Commit = {
    snapshotId: snapshot?.snapshotId ?? null,
    changed: false,
    summary: {},
    attempts: 0,
    metadataLocation: loaded.metadataLocation,
    warnings: [],
  };
  return { commit, loaded, snapshots: [] };
}

export function currentSnapshotOf({ metadata }: LoadedMetadata, branch: string): Snapshot | null {
  const ref = findRef(metadata, branch);
  return ref === null ? null : (snapshotById(metadata, ref.snapshotId) ?? null);
}

/** A snapshot's summary as the spec has it: `operation` is one of its keys. */
export function fullSummary(snapshot: Snapshot): Readonly<Record<string, string>> {
  return { ...(snapshot.operation !== null && { operation: snapshot.operation }), ...snapshot.summary };
}
