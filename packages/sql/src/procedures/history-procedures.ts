import { LakehouseError } from '@lh/core';
import type { Commit, Table } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { optional, procedure, required } from './procedure.ts';
import type { Procedure, ResultValue } from './procedure.ts';

const MOVED = { previous_snapshot_id: 'BIGINT', current_snapshot_id: 'BIGINT' } as const;
const PUBLISHED = { source_snapshot_id: 'BIGINT', current_snapshot_id: 'BIGINT' } as const;

/** Where main was, and where it is after a change. */
async function moved(table: Table, change: () => Promise<Commit>): Promise<readonly (readonly ResultValue[])[]> {
  const previous = table.currentSnapshot()?.snapshotId ?? null;
  await change();
  return [[previous, table.currentSnapshot()?.snapshotId ?? null]];
}

/** Of the history of a table, its branches and its snapshots. */
export const HISTORY_PROCEDURES: Readonly<Record<string, Procedure>> = {
  rollback_to_snapshot: procedure(
    { table: required('text'), snapshot_id: required('long') },
    MOVED,
    async (context, args) => {
      const table = await context.table(args.table);
      return moved(table, () => table.rollbackTo(args.snapshot_id));
    },
  ),

  rollback_to_timestamp: procedure(
    { table: required('text'), timestamp: required('timestamp') },
    MOVED,
    async (context, args) => {
      const table = await context.table(args.table);
      return moved(table, () => table.rollbackToTimestamp(args.timestamp));
    },
  ),

  set_current_snapshot: procedure(
    { table: required('text'), snapshot_id: optional('long'), ref: optional('text') },
    MOVED,
    async (context, args) => {
      if ((args.snapshot_id === undefined) === (args.ref === undefined)) {
        throw invalidArgument('set_current_snapshot needs either snapshot_id or ref, and not both.');
      }
      const table = await context.table(args.table);
      return moved(table, () => table.setCurrentSnapshot(snapshotOf(table, args.snapshot_id, args.ref)));
    },
  ),

  cherrypick_snapshot: procedure(
    { table: required('text'), snapshot_id: required('long') },
    PUBLISHED,
    async (context, args) => {
      const table = await context.table(args.table);
      await table.cherrypick(args.snapshot_id, { signal: context.signal });
      return [[args.snapshot_id, table.currentSnapshot()!.snapshotId]];
    },
  ),

  publish_changes: procedure(
    { table: required('text'), wap_id: required('text') },
    PUBLISHED,
    async (context, args) => {
      const table = await context.table(args.table);
      const staged = table.snapshots().find(({ summary }) => summary['wap.id'] === args.wap_id);
      await table.publishChanges(args.wap_id, { signal: context.signal });
      return [[staged?.snapshotId ?? null, table.currentSnapshot()!.snapshotId]];
    },
  ),

  fast_forward: procedure(
    { table: required('text'), branch: required('text'), to: required('text') },
    { branch_updated: 'VARCHAR', previous_ref: 'BIGINT', updated_ref: 'BIGINT' },
    async (context, args) => {
      const table = await context.table(args.table);
      const previous = table.refs()[args.branch]?.snapshotId ?? null;
      await table.fastForward(args.branch, args.to);
      return [[args.branch, previous, table.refs()[args.branch]!.snapshotId]];
    },
  ),

  ancestors_of: procedure(
    { table: required('text'), snapshot_id: optional('long') },
    { snapshot_id: 'BIGINT', timestamp: 'BIGINT' },
    async (context, args) => {
      const table = await context.table(args.table);
      const byId = new Map(table.snapshots().map((snapshot) => [snapshot.snapshotId, snapshot]));
      const rows: ResultValue[][] = [];
      let id = args.snapshot_id ?? table.currentSnapshot()?.snapshotId ?? null;
      // NOT_FOUND for a snapshot that isn't there.
      if (id !== null) table.scan({ snapshotId: id });
      for (let one = id === null ? undefined : byId.get(id); one; one = id === null ? undefined : byId.get(id)) {
        rows.push([one.snapshotId, BigInt(one.timestampMs)]);
        id = one.parentSnapshotId;
      }
      return rows;
    },
  ),
};

function snapshotOf(table: Table, snapshotId: bigint | undefined, ref: string | undefined): bigint {
  const { snapshot } = table.scan({ snapshotId, ref });
  if (snapshot !== null) return snapshot.snapshotId;
  throw new LakehouseError('NOT_FOUND', `The table ${table.name} has no snapshot yet.`, {
    context: { table: table.name },
  });
}
