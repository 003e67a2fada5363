import { applyUpdates } from '../../spec/apply-updates.ts';
import { ancestorsOf, currentSchema } from '../../spec/metadata-accessors.ts';
import type { Schema } from '../../spec/schema.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { parentOnBranch } from '../refs.ts';
import type { TransactionState } from '../transaction-state.ts';

/** What an operation reads and changes: a version of the table, with what the transaction has done to it so far. */
export interface TableView {
  readonly state: TransactionState;
  readonly metadata: TableMetadata;
  /** The version of the table that it builds on. */
  readonly committed: TableMetadata;
  readonly schema: Schema;
  /** The branch's head; null if there is none. */
  readonly snapshot: Snapshot | null;
  /** The branch's head as committed, which `snapshot` builds on: conflicts are looked for in what comes after it. */
  readonly baseSnapshotId: bigint | null;
}

/**
 * The table as the transaction sees it: data that it has staged is there, too. For that its snapshots are made, but not
 * committed: other writers may come in between, and the commit makes them anew.
 */
export async function transactionView(state: TransactionState): Promise<TableView> {
  const metadata = await withSnapshots(state);
  return viewOf(state, metadata, state.base.metadata, state.preview?.ownSnapshots ?? new Set());
}

/** A newer version of the table, for an operation that is its transaction's first change of rows. */
export function newerView(state: TransactionState, metadata: TableMetadata): TableView {
  return viewOf(state, metadata, metadata, new Set());
}

function viewOf(
  state: TransactionState,
  metadata: TableMetadata,
  committed: TableMetadata,
  ownSnapshots: ReadonlySet<bigint>,
): TableView {
  const snapshot = parentOnBranch(metadata, state.branch);
  let baseSnapshotId: bigint | null = null;
  for (const { snapshotId } of ancestorsOf(metadata, snapshot?.snapshotId ?? null)) {
    if (ownSnapshots.has(snapshotId)) continue;
    baseSnapshotId = snapshotId;
    break;
  }
  return { state, metadata, committed, schema: currentSchema(metadata), snapshot, baseSnapshotId };
}

/** Builds those of the transaction's actions that have not been built for an earlier call. */
async function withSnapshots(state: TransactionState): Promise<TableMetadata> {
  const { actions, applied, base, host, staging } = state;
  if (applied === actions.length) return state.metadata;
  let { metadata, built, ownSnapshots } = state.preview ?? {
    metadata: base.metadata,
    built: 0,
    ownSnapshots: new Set(),
  };
  for (const action of actions.slice(built)) {
    // Attempts to commit are counted from 1 on; names of files must differ from theirs.
    const updates = await action.build(metadata, { ...staging, number: -++built, ownSnapshots });
    if (updates.length === 0) continue;
    metadata = applyUpdates(metadata, updates, { nowMs: host.runtime.now(), baseMetadataLocation: null });
    const made = updates.flatMap((update) => (update.action === 'add-snapshot' ? [update.snapshot.snapshotId] : []));
    ownSnapshots = new Set([...ownSnapshots, ...made]);
  }
  // It is going to be read.
  await staging.staged.written();
  state.preview = { metadata, built, ownSnapshots };
  return metadata;
}
