import type { Table } from '@lh/core';
import { isLakehouseError } from '@lh/core';

import { Process, drawRates } from './machine.ts';
import type { Machine } from './machine.ts';
import { openSince } from './writer.ts';
import type { Job } from './writer.ts';

const HOUR_MS = 3_600_000;

/** Removes orphans from time to time while the writers work, as maintenance does. */
export async function clean(
  machine: Machine,
  connect: () => () => Promise<Table>,
  isOver: () => boolean,
  orphanAgeMs: number | undefined,
): Promise<void> {
  const { runtime } = machine;
  const rates = drawRates(machine);
  for (let round = 0; round < 3 && !isOver(); round++) {
    await runtime.sleep(runtime.random() ** 3 * 5 * 24 * HOUR_MS);
    await machine.run(new Process(rates), async () => {
      try {
        const table = await connect()();
        await table.removeOrphanFiles(orphanAgeMs === undefined ? {} : { olderThan: runtime.now() - orphanAgeMs });
      } catch (error) {
        if (!isLakehouseError(error, 'UNAVAILABLE') && !isLakehouseError(error, 'RESOURCE_EXHAUSTED')) throw error;
      }
    });
  }
}

/** What may become of an expiry, and is no harm. */
const HARMLESS: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'COMMIT_CONFLICT',
  'COMMIT_STATE_UNKNOWN',
  // A branch was made meanwhile that is at one of the snapshots.
  'INVALID_ARGUMENT',
]);

/**
 * Expires the oldest snapshots of main from time to time. Those of jobs that are not done yet stay: the idempotency key of
 * a job is known as long as its snapshot is; and those of tables whose specs change, which are read in the end.
 */
export async function expire(
  machine: Machine,
  connect: () => () => Promise<Table>,
  isOver: () => boolean,
  jobs: readonly Job[],
): Promise<void> {
  const { runtime } = machine;
  if (machine.chance(0.4) || jobs.some(({ operation }) => operation.kind === 'change spec')) return;
  const rates = drawRates(machine);
  for (let round = 0; round < 4 && !isOver(); round++) {
    await runtime.sleep(runtime.random() ** 3 * 3 * 24 * HOUR_MS);
    await machine.run(new Process(rates), async () => {
      try {
        const table = await connect()();
        const cutoffMs = Math.min(runtime.now() - runtime.random() ** 2 * 24 * HOUR_MS, openSince(jobs));
        const atRefs = new Set(Object.values(table.refs()).map(({ snapshotId }) => snapshotId));
        const snapshotIds: bigint[] = [];
        for (const { snapshotId, timestampMs } of mainOf(table)) {
          if (atRefs.has(snapshotId) || timestampMs >= cutoffMs) break;
          snapshotIds.push(snapshotId);
        }
        await table.expireSnapshots({ snapshotIds, olderThan: 0 });
      } catch (error) {
        if (!isLakehouseError(error) || !HARMLESS.has(error.code)) throw error;
      }
    });
  }
}

/** As far as the table still knows it, oldest first. */
function mainOf(table: Table): readonly { readonly snapshotId: bigint; readonly timestampMs: number }[] {
  const byId = new Map(table.snapshots().map((snapshot) => [snapshot.snapshotId, snapshot]));
  const line = [];
  for (let at = table.currentSnapshot(); at; at = byId.get(at.parentSnapshotId ?? 0n) ?? null) line.push(at);
  return line.toReversed();
}
