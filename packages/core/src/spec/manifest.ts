import type { DataFile } from './data-file.ts';

export type ManifestContent = 'data' | 'deletes';

/** One line of a manifest list (spec: "Manifest Lists"). Null counts mean unknown, so possibly non-zero. */
export interface ManifestFile {
  readonly path: string;
  readonly length: number;
  readonly partitionSpecId: number;
  readonly content: ManifestContent;
  readonly sequenceNumber: bigint;
  readonly minSequenceNumber: bigint;
  readonly addedSnapshotId: bigint;
  readonly addedFilesCount: number | null;
  readonly existingFilesCount: number | null;
  readonly deletedFilesCount: number | null;
  readonly addedRowsCount: number | null;
  readonly existingRowsCount: number | null;
  readonly deletedRowsCount: number | null;
  readonly partitions: readonly PartitionFieldSummary[] | null;
  readonly keyMetadata: Uint8Array | null;
  /** v3 data manifests: the first row id for its files without one. */
  readonly firstRowId: bigint | null;
}

export interface PartitionFieldSummary {
  readonly containsNull: boolean;
  /** Null when unknown. */
  readonly containsNaN: boolean | null;
  /** Single-value binary form of the partition field's type; null when all values are null or NaN. */
  readonly lowerBound: Uint8Array | null;
  readonly upperBound: Uint8Array | null;
}

export type EntryStatus = 'existing' | 'added' | 'deleted';

/** One entry of a manifest, with everything that it inherits filled in (spec: "Sequence Number Inheritance"). */
export interface ManifestEntry {
  readonly status: EntryStatus;
  readonly snapshotId: bigint;
  /** The data sequence number: the one that deletes are matched by. */
  readonly sequenceNumber: bigint;
  readonly fileSequenceNumber: bigint;
  readonly file: DataFile;
}
