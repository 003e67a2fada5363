import type { ColumnBatch } from '../columns/column.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import type { FileIO } from '../io/file-io.ts';
import type { Runtime } from '../runtime.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';

/** The table that is looked into: one version of it. A `Table` is one. */
export interface InspectedTable {
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  /** Where `metadata` is from. */
  readonly metadataLocation: string;
  /** How many manifests are read at once; the system's runtime if left out. */
  readonly runtime?: Runtime | undefined;
}

/** What is wanted of a metadata table. */
export interface MetadataTableRead {
  /** The snapshot it is read at; null if there is none. */
  readonly snapshot: Snapshot | null;
  /** Parts of its schema. */
  readonly projection: StructType;
  /** Bound to its schema: rows for which it is true. */
  readonly filter: BoundExpression;
  readonly signal: AbortSignal | undefined;
}

/** One kind of metadata table. */
export interface MetadataTableDefinition {
  /**
   * What a snapshot, named when the table is opened, does: it decides what the rows are about; it changes nothing, as
   * they are about the table as a whole; it is refused, as they are about all snapshots.
   */
  readonly snapshot: 'read' | 'ignored' | 'refused';
  readonly open: (table: InspectedTable) => OpenMetadataTable;
}

export interface OpenMetadataTable {
  readonly schema: StructType;
  /** Batches of the projection; they may be small. */
  readonly read: (read: MetadataTableRead) => AsyncIterable<ColumnBatch>;
}
