import type { UnknownFields } from './unknown-fields.ts';

export type { UnknownFields } from './unknown-fields.ts';

export type Operation = 'append' | 'replace' | 'overwrite' | 'delete';

export interface Snapshot {
  readonly snapshotId: bigint;
  readonly parentSnapshotId: bigint | null;
  /** 0 in v1 tables. */
  readonly sequenceNumber: bigint;
  readonly timestampMs: number;
  /** Null only in v1 tables that list manifests instead. */
  readonly manifestList: string | null;
  /** v1 only: paths of manifests, in place of a manifest list. */
  readonly manifests: readonly string[] | null;
  readonly operation: Operation | null;
  /** The summary without `operation`. */
  readonly summary: Readonly<Record<string, string>>;
  readonly schemaId: number | null;
  /** v3: first row id assigned to the first manifest of this snapshot; null in snapshots from before the upgrade. */
  readonly firstRowId: bigint | null;
  /** v3: upper bound of the rows with assigned row ids in this snapshot. */
  readonly addedRows: bigint | null;
  readonly keyId: string | null;
  readonly unknownFields: UnknownFields;
}

export interface SnapshotRef {
  readonly snapshotId: bigint;
  readonly type: 'branch' | 'tag';
  readonly minSnapshotsToKeep: number | null;
  readonly maxSnapshotAgeMs: number | null;
  readonly maxRefAgeMs: number | null;
  readonly unknownFields?: UnknownFields;
}

export const MAIN_BRANCH = 'main';
