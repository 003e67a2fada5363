import { LakehouseError } from '../errors.ts';
import { snapshotById } from '../spec/metadata-accessors.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { ChangeStep } from './plan-changes.ts';
import { commonAncestor, knownHistory, snapshotsBetween } from './snapshot-range.ts';

/**
 * - `commit`: a snapshot was added.
 * - `rollback`: snapshots were taken back, at once; the changes are their inverse, the newest one's first.
 * - `initial`: the history before has been expired, so that all rows of the oldest snapshot come as inserts.
 */
export type StepKind = 'commit' | 'rollback' | 'initial';

/** One move along a branch's history. */
export interface HistoryStep {
  readonly kind: StepKind;
  /** The state that it leads to; null for the table before its first snapshot, or if that one has been expired. */
  readonly snapshot: Snapshot | null;
  readonly changes: readonly ChangeStep[];
  /** What is done with then: the snapshot, or one that followed it and only replaced files. */
  readonly position: bigint | null;
}

/**
 * The way from one state of a table to another: back to the newest state that they have in common, then forward.
 * Snapshots that only replaced files are no steps. NOT_FOUND if what is in between has been expired.
 */
export function historySteps(metadata: TableMetadata, from: bigint | null, to: bigint | null): readonly HistoryStep[] {
  const steps: HistoryStep[] = [];
  if (from === to) return steps;
  const history = from === null ? knownHistory(metadata, to) : [];
  const [oldest] = history;
  let reached = from;
  if (oldest && oldest.parentSnapshotId !== null) {
    steps.push({
      kind: 'initial',
      snapshot: oldest,
      changes: [{ snapshot: oldest, kind: 'whole' }],
      position: oldest.snapshotId,
    });
    reached = oldest.snapshotId;
  }
  const base = commonAncestor(metadata, reached, to);
  if (base === undefined) throw gap(from, to);
  if (base !== reached) steps.push(rollback(metadata, reached, base));
  for (const snapshot of snapshotsBetween(metadata, base, to)) {
    const position = snapshot.snapshotId;
    const last = steps.at(-1);
    if (snapshot.operation !== 'replace') {
      steps.push({ kind: 'commit', snapshot, changes: [{ snapshot, kind: 'made' }], position });
    } else if (last) steps[steps.length - 1] = { ...last, position };
  }
  return steps;
}

function rollback(metadata: TableMetadata, from: bigint | null, to: bigint | null): HistoryStep {
  const undone = snapshotsBetween(metadata, to, from).toReversed();
  return {
    kind: 'rollback',
    snapshot: to === null ? null : (snapshotById(metadata, to) ?? null),
    changes: undone.map((snapshot) => ({ snapshot, kind: 'undone' })),
    position: to,
  };
}

function gap(from: bigint | null, to: bigint | null): LakehouseError {
  const message =
    `What changed between snapshot ${from} and the branch's head, ${to ?? 'nothing'}, can't be told: ` +
    'snapshots in between have been expired. Start with after: null, which gives all rows again.';
  return new LakehouseError('NOT_FOUND', message, { context: { from, to } });
}
