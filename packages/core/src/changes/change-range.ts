import { invalidArgument } from '../errors.ts';
import { isAncestorOf } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { ScanOptions } from '../table-scan.ts';
import { resolveScanTarget } from '../table-scan/scan-target.ts';
import type { ScanTarget, ScanTargetOptions } from '../table-scan/scan-target.ts';
import { requireSnapshot } from '../transaction/refs.ts';
import { knownHistory, snapshotsBetween } from './snapshot-range.ts';
import type { SnapshotChain } from './snapshot-range.ts';
import type { ChangeReadOptions } from './table-changes.ts';

/** Between which states of the table. */
export interface ChangeRangeOptions {
  /** The changes after this snapshot; null or left out: after the empty table, so from the first snapshot on. */
  readonly from?: bigint | null | undefined;
  /** Up to this snapshot and with it, in its schema; left out: up to the head of `ref`. */
  readonly to?: bigint | undefined;
  /** A branch, whose rows are read in the table's current schema, or a tag; main if left out. */
  readonly ref?: string | undefined;
}

/** What `table.changes` takes. */
export interface ChangesOptions<Select extends readonly string[] = readonly string[]>
  extends ChangeRangeOptions, ChangeReadOptions<Select> {}

/** What `table.incrementalAppendScan` takes. */
export interface IncrementalAppendScanOptions<Select extends readonly string[] = readonly string[]>
  extends ChangeRangeOptions, Omit<ScanOptions<Select>, keyof ScanTargetOptions> {}

export interface ChangeRange extends ScanTarget {
  readonly snapshots: SnapshotChain;
}

/**
 * The snapshots of a range, oldest first, and the schema to read their rows in. NOT_FOUND for snapshots that have been
 * expired, `from` excepted; INVALID_ARGUMENT where one doesn't lead to the other.
 */
export function resolveChangeRange(metadata: TableMetadata, options: ChangeRangeOptions): ChangeRange {
  const target = resolveTarget(metadata, options);
  const from = snapshotId(options.from ?? null, 'from');
  return { ...target, snapshots: snapshotsBetween(metadata, from, target.snapshot?.snapshotId ?? null) };
}

/** As `resolveChangeRange`, but without `from` all that the table still knows is in the range. */
export function resolveAppendRange(metadata: TableMetadata, options: ChangeRangeOptions): ChangeRange {
  const other = ['snapshotId', 'asOf'].find((name) => Object.hasOwn(options, name));
  if (other !== undefined) {
    throw invalidArgument(`An incremental scan has no option '${other}': it goes from one snapshot to another.`);
  }
  if (options.from !== undefined && options.from !== null) return resolveChangeRange(metadata, options);
  const target = resolveTarget(metadata, options);
  return { ...target, snapshots: knownHistory(metadata, target.snapshot?.snapshotId ?? null) };
}

function resolveTarget(metadata: TableMetadata, { to, ref }: ChangeRangeOptions): ScanTarget {
  if (to === undefined) return resolveScanTarget(metadata, { ref });
  const target = resolveScanTarget(metadata, { snapshotId: snapshotId(to, 'to') });
  if (ref === undefined) return target;
  const head = resolveScanTarget(metadata, { ref }).snapshot;
  if (head === null || !isAncestorOf(metadata, head.snapshotId, to)) {
    throw invalidArgument(`Snapshot ${to} is not in the history of '${ref}'.`, { to, ref });
  }
  return { snapshot: requireSnapshot(metadata, to), schema: target.schema };
}

function snapshotId<T extends bigint | null>(id: T, what: string): T {
  if (id === null || typeof id === 'bigint') return id;
  throw invalidArgument(`${what} must be the id of a snapshot, a bigint, not ${String(id)}.`);
}
