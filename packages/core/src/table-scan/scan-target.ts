import { LakehouseError, invalidArgument } from '../errors.ts';
import { currentSchema, currentSnapshot, schemaForSnapshot, snapshotAsOf } from '../spec/metadata-accessors.ts';
import type { Schema } from '../spec/schema.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { findRef, requireSnapshot } from '../transaction/refs.ts';
import { toEpochMs } from '../transaction/time-input.ts';
import type { TimeInput } from '../transaction/time-input.ts';

/** Which state of the table to read; the current one if nothing is said. */
export interface ScanTargetOptions {
  /** A snapshot, with the schema that it was written with. Null, the id of "no snapshot": the table before its first one. */
  readonly snapshotId?: bigint | null | undefined;
  /** A branch, with the table's current schema, or a tag, with its snapshot's schema. */
  readonly ref?: string | undefined;
  /** The snapshot that was the current one at a time, with its schema. */
  readonly asOf?: TimeInput | undefined;
}

export interface ScanTarget {
  /** Null: there is nothing to read. */
  readonly snapshot: Snapshot | null;
  readonly schema: Schema;
}

export function resolveScanTarget(metadata: TableMetadata, options: ScanTargetOptions): ScanTarget {
  const { snapshotId, ref, asOf } = options;
  if ([snapshotId, ref, asOf].filter((option) => option !== undefined).length > 1) {
    throw invalidArgument('Give one of snapshotId, ref and asOf: each says by itself which snapshot to read.');
  }
  if (snapshotId === null) return { snapshot: null, schema: currentSchema(metadata) };
  if (snapshotId !== undefined) return withOwnSchema(metadata, requireSnapshot(metadata, snapshotId));
  if (ref !== undefined) return resolveRef(metadata, ref);
  if (asOf !== undefined) return resolveTime(metadata, toEpochMs(asOf, 'asOf'));
  return { snapshot: currentSnapshot(metadata), schema: currentSchema(metadata) };
}

function resolveRef(metadata: TableMetadata, name: string): ScanTarget {
  const ref = findRef(metadata, name);
  if (ref === null) {
    if (name === MAIN_BRANCH) return { snapshot: null, schema: currentSchema(metadata) };
    throw new LakehouseError('NOT_FOUND', `The table has no branch or tag '${name}'.`, { context: { ref: name } });
  }
  const snapshot = requireSnapshot(metadata, ref.snapshotId);
  return ref.type === 'tag' ? withOwnSchema(metadata, snapshot) : { snapshot, schema: currentSchema(metadata) };
}

function resolveTime(metadata: TableMetadata, timestampMs: number): ScanTarget {
  const snapshot = snapshotAsOf(metadata, timestampMs);
  if (snapshot) return withOwnSchema(metadata, snapshot);
  const time = new Date(timestampMs).toISOString();
  throw new LakehouseError(
    'NOT_FOUND',
    `The table had no snapshot yet at ${time}, or its history before has been expired.`,
  );
}

function withOwnSchema(metadata: TableMetadata, snapshot: Snapshot): ScanTarget {
  return { snapshot, schema: schemaForSnapshot(metadata, snapshot) };
}
