import type { TableMetadata } from './table-metadata.ts';

/** Table metadata while updates are applied to it, and what later updates of the same commit need to know. */
export interface MetadataDraft {
  readonly base: TableMetadata;
  metadata: TableMetadata;
  /** The time of the commit, not before that of the base. */
  readonly nowMs: number;
  /** What `-1` stands for. */
  lastAddedSchemaId: number | null;
  lastAddedSpecId: number | null;
  lastAddedSortOrderId: number | null;
  readonly addedSnapshotIds: Set<bigint>;
  removedSnapshots: boolean;
}

/** Replaces fields of the metadata. */
export function change(draft: MetadataDraft, fields: Partial<TableMetadata>): void {
  draft.metadata = { ...draft.metadata, ...fields };
}
