import type { PartitionSpec } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';
import type { SortOrder } from './sort-order.ts';
import type { UnknownFields } from './unknown-fields.ts';

export type FormatVersion = 1 | 2 | 3;

/** Table metadata (spec: "Table Metadata Fields"). Immutable: every change makes a new one through `apply-updates.ts`. */
export interface TableMetadata {
  readonly formatVersion: FormatVersion;
  /** v1 tables may lack one; it is then made up when the metadata is read and kept from the next commit on. */
  readonly tableUuid: string;
  readonly location: string;
  readonly lastSequenceNumber: bigint;
  readonly lastUpdatedMs: number;
  readonly lastColumnId: number;
  readonly schemas: readonly Schema[];
  readonly currentSchemaId: number;
  readonly partitionSpecs: readonly PartitionSpec[];
  readonly defaultSpecId: number;
  readonly lastPartitionId: number;
  readonly sortOrders: readonly SortOrder[];
  readonly defaultSortOrderId: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly currentSnapshotId: bigint | null;
  readonly snapshots: readonly Snapshot[];
  readonly snapshotLog: readonly SnapshotLogEntry[];
  readonly metadataLog: readonly MetadataLogEntry[];
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  readonly statistics: readonly StatisticsFile[];
  readonly partitionStatistics: readonly PartitionStatisticsFile[];
  /** v3; 0 before. */
  readonly nextRowId: bigint;
  readonly encryptionKeys: readonly EncryptedKey[];
  readonly unknownFields: UnknownFields;
}

export interface SnapshotLogEntry {
  readonly timestampMs: number;
  readonly snapshotId: bigint;
  readonly unknownFields?: UnknownFields;
}

export interface MetadataLogEntry {
  readonly timestampMs: number;
  readonly metadataFile: string;
  readonly unknownFields?: UnknownFields;
}

export interface StatisticsFile {
  readonly snapshotId: bigint;
  readonly statisticsPath: string;
  readonly fileSizeInBytes: number;
  readonly fileFooterSizeInBytes: number;
  readonly keyMetadata: string | null;
  readonly blobMetadata: readonly BlobMetadata[];
  readonly unknownFields: UnknownFields;
}

export interface BlobMetadata {
  readonly type: string;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly fields: readonly number[];
  readonly properties: Readonly<Record<string, string>>;
  readonly unknownFields?: UnknownFields;
}

export interface PartitionStatisticsFile {
  readonly snapshotId: bigint;
  readonly statisticsPath: string;
  readonly fileSizeInBytes: number;
  readonly unknownFields: UnknownFields;
}

export interface EncryptedKey {
  readonly keyId: string;
  /** Base64. */
  readonly encryptedKeyMetadata: string;
  readonly encryptedById: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly unknownFields?: UnknownFields;
}
