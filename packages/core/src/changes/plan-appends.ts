import { requestsAtOnce } from '../io/requests-at-once.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import { checkReadable } from '../scan/plan-scan.ts';
import type { PlanScanOptions } from '../scan/plan-scan.ts';
import { ScanCounters } from '../scan/scan-counters.ts';
import { streamingPlan } from '../scan/streaming-plan.ts';
import type { StreamingScanPlan } from '../scan/streaming-plan.ts';
import type { ManifestEntry } from '../spec/manifest.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { ScanPlanning } from '../table-scan.ts';
import { ChangeSource } from './change-source.ts';
import type { SnapshotChain } from './snapshot-range.ts';

/**
 * Plans the files that the `append` snapshots among these added. As in Iceberg Java, whatever happened to their rows
 * later doesn't count: no deletes are applied, and a file that is gone since is one of them.
 */
export function appendPlanner(snapshots: SnapshotChain): ScanPlanning {
  const appends = snapshots.filter(({ operation }) => operation === 'append');
  return (options): StreamingScanPlan => {
    const counters = new ScanCounters(options.runtime, options.snapshot?.snapshotId ?? null);
    return streamingPlan(appendedFiles(appends, options, counters), counters, options.limit);
  };
}

async function* appendedFiles(
  appends: readonly Snapshot[],
  options: PlanScanOptions,
  counters: ScanCounters,
): AsyncGenerator<readonly FileScanTask[], void, undefined> {
  const source = new ChangeSource(options);
  for await (const entries of addedEntries(source, appends, options, counters)) {
    const tasks: FileScanTask[] = [];
    for (const { file, sequenceNumber } of entries) {
      const { spec, residual } = source.filterOf(file.specId);
      const remaining = residual(file.partition);
      if (remaining.op === 'false') {
        counters.skipFile('partition', file);
        continue;
      }
      checkReadable(file, []);
      tasks.push({ file, sequenceNumber, deletes: [], spec, schema: source.schema, residual: remaining });
    }
    yield tasks;
  }
}

async function* addedEntries(
  source: ChangeSource,
  appends: readonly Snapshot[],
  { columnStats = 'none' }: PlanScanOptions,
  counters: ScanCounters,
): AsyncGenerator<readonly ManifestEntry[], void, undefined> {
  const lists = lookAhead(appends, requestsAtOnce(source.io, source.runtime), async (snapshot) => {
    return { snapshotId: snapshot.snapshotId, manifests: await source.manifests(snapshot) };
  });
  for await (const { snapshotId, manifests } of lists) {
    // Manifests of other snapshots list files that those have added.
    const written = manifests.filter((one) => one.content === 'data' && one.addedSnapshotId === snapshotId);
    const selected = written.filter((one) => source.mayMatch(one));
    counters.manifestsTotal += written.length;
    counters.manifestsScanned += selected.length;
    for (const one of written) if (!selected.includes(one)) counters.skipManifest(one.addedFilesCount ?? 0);
    const wanted = { stats: columnStats, liveOnly: true, onSkipped: counters.skipFile.bind(counters) };
    for await (const entries of source.entries(selected, wanted)) {
      yield entries.filter((entry) => entry.status === 'added' && entry.snapshotId === snapshotId);
    }
  }
}
