import { invalidData, LakehouseError } from '../errors.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { findSnapshot } from './snapshot-index.ts';
import type { Schema } from './schema.ts';
import { MAIN_BRANCH } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { SortOrder } from './sort-order.ts';
import type { TableMetadata } from './table-metadata.ts';

export function currentSchema(metadata: TableMetadata): Schema {
  return schemaById(metadata, metadata.currentSchemaId);
}

/** INVALID_DATA if there is none: ids come from the table's own files. */
export function schemaById(metadata: TableMetadata, schemaId: number): Schema {
  const schema = metadata.schemas.find((candidate) => candidate.schemaId === schemaId);
  if (!schema) throw invalidData(`The table has no schema ${schemaId}.`);
  return schema;
}

export function currentSpec(metadata: TableMetadata): PartitionSpec {
  return specById(metadata, metadata.defaultSpecId);
}

/** INVALID_DATA if there is none. */
export function specById(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata.partitionSpecs.find((candidate) => candidate.specId === specId);
  if (!spec) throw invalidData(`The table has no partition spec ${specId}.`);
  return spec;
}

export function currentSortOrder(metadata: TableMetadata): SortOrder {
  const order = metadata.sortOrders.find((candidate) => candidate.orderId === metadata.defaultSortOrderId);
  if (!order) throw invalidData(`The table has no sort order ${metadata.defaultSortOrderId}.`);
  return order;
}

export function currentSnapshot(metadata: TableMetadata): Snapshot | null {
  return metadata.currentSnapshotId === null ? null : (snapshotById(metadata, metadata.currentSnapshotId) ?? null);
}

/** The snapshot, or undefined if the table has none of that id (any more). */
export function snapshotById(metadata: TableMetadata, snapshotId: bigint): Snapshot | undefined {
  return findSnapshot(metadata.snapshots, snapshotId);
}

/** The head of a branch or the snapshot of a tag; null for `main` of a table without snapshots. NOT_FOUND otherwise. */
export function snapshotForRef(metadata: TableMetadata, ref: string): Snapshot | null {
  const found = Object.hasOwn(metadata.refs, ref) ? metadata.refs[ref] : undefined;
  if (found) return snapshotById(metadata, found.snapshotId) ?? null;
  if (ref === MAIN_BRANCH) return currentSnapshot(metadata);
  throw new LakehouseError('NOT_FOUND', `The table has no branch or tag '${ref}'.`, { context: { ref } });
}

/**
 * The snapshot that was current at a time, in milliseconds since the epoch: the log's latest entry not after it. The
 * log isn't assumed sorted (spec: "Point in Time Reads"). Null if the table had no snapshot then; NOT_FOUND if the one it had was expired.
 */
export function snapshotAsOf(metadata: TableMetadata, timestampMs: number): Snapshot | null {
  let latest: { readonly timestampMs: number; readonly snapshotId: bigint } | null = null;
  for (const entry of metadata.snapshotLog) {
    if (entry.timestampMs <= timestampMs && entry.timestampMs >= (latest?.timestampMs ?? -Infinity)) latest = entry;
  }
  if (!latest) return null;
  const snapshot = snapshotById(metadata, latest.snapshotId);
  if (snapshot) return snapshot;
  throw new LakehouseError(
    'NOT_FOUND',
    `The snapshot that was current at ${new Date(timestampMs).toISOString()} has been expired; ask for a later time.`,
    { context: { snapshotId: latest.snapshotId } },
  );
}

/** The schema a snapshot was written with; the current one where an old snapshot doesn't say. */
export function schemaForSnapshot(metadata: TableMetadata, snapshot: Snapshot): Schema {
  return snapshot.schemaId === null ? currentSchema(metadata) : schemaById(metadata, snapshot.schemaId);
}

/** A snapshot and what came before it, newest first, as far as the table still knows them. */
export function* ancestorsOf(metadata: TableMetadata, snapshotId: bigint | null): Generator<Snapshot> {
  const seen = new Set<bigint>();
  for (let id = snapshotId; id !== null && !seen.has(id);) {
    seen.add(id);
    const snapshot = snapshotById(metadata, id);
    if (!snapshot) return;
    yield snapshot;
    id = snapshot.parentSnapshotId;
  }
}

export function isAncestorOf(metadata: TableMetadata, snapshotId: bigint, ancestorId: bigint): boolean {
  for (const snapshot of ancestorsOf(metadata, snapshotId)) if (snapshot.snapshotId === ancestorId) return true;
  return false;
}
