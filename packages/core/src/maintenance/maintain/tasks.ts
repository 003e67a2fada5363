import { bytesText, countText } from '../../describe/quantity-text.ts';
import type { RewriteGroupReport } from '../rewrite-data-files/report.ts';
import type { MaintenanceTask } from './policy.ts';
import type { Decision, Task, TaskContext } from './task.ts';

/** Fewer manifests are read in no time. */
const MANY_MANIFESTS = 10;
/** What rewriting a group takes at least: rows of it that wait to be encoded, and row groups that are read. */
const GROUP_MEMORY_BYTES = 512 * 1024 * 1024;
const MOST_GROUPS_AT_ONCE = 5;
/** Where the time may end a rewrite, about so much is written and committed at a time: what is done by then stays. */
const TIMED_BYTES = 2 * 1024 ** 3;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** When the table's directory was listed last, in milliseconds. */
const ORPHANS_REMOVED_AT = 'lakehouse.orphan-files-removed-at-ms';

export const TASKS: Readonly<Record<MaintenanceTask, Task>> = {
  rewriteDataFiles: { isOn: ({ dataFiles }) => dataFiles !== false, decide: decideDataFiles },
  rewritePositionDeletes: { isOn: ({ positionDeletes }) => positionDeletes !== false, decide: decidePositionDeletes },
  rewriteManifests: { isOn: ({ manifests }) => manifests !== false, decide: decideManifests },
  expireSnapshots: { isOn: ({ snapshots }) => snapshots !== false, decide: decideSnapshots },
  removeOrphanFiles: { isOn: ({ orphanFiles }) => orphanFiles !== false, decide: decideOrphanFiles },
};

async function decideDataFiles({ table, policy, signal }: TaskContext): Promise<Decision> {
  const { bytes = Infinity, memoryBytes, timeMs } = policy.budget ?? {};
  const wishes = typeof policy.dataFiles === 'object' ? policy.dataFiles : {};
  const isTimed = timeMs !== undefined;
  const groupBytes = Math.min(wishes.maxFileGroupSizeBytes ?? (isTimed ? TIMED_BYTES : Infinity), Math.floor(bytes));
  const options = {
    ...wishes,
    ...(groupBytes < Infinity && { maxFileGroupSizeBytes: groupBytes }),
    ...(memoryBytes !== undefined && { maxConcurrentFileGroupRewrites: groupsAtOnce(memoryBytes) }),
    signal,
  };
  const { groups } = await table.rewriteDataFiles({ ...options, dryRun: true });
  if (groups.length === 0) return notNeeded('no files that are small or have many deletes');
  const affordable = withinBudget(groups, bytes);
  const reason = `${groupsText(affordable)}${affordable.length < groups.length ? ` of ${groupsText(groups)}` : ''}`;
  if (affordable.length === 0) return { run: null, outcome: 'no budget', reason: groupsText(groups) };
  return {
    outcome: 'planned',
    reason,
    run: async () => {
      const report = await table.rewriteDataFiles({
        ...options,
        maxFilesToRewrite: filesOf(affordable),
        partialProgress: {
          enabled: affordable.length > 1,
          ...(isTimed && { maxCommits: Math.ceil(bytesOf(affordable) / TIMED_BYTES) }),
        },
      });
      const failed = report.failedDataFilesCount > 0 ? `; ${countText(report.failedDataFilesCount)} failed` : '';
      const { rewrittenDataFilesCount: before, addedDataFilesCount: after, rewrittenBytesCount: size } = report;
      return { report, reason: `${countText(before)} files of ${bytesText(size)} became ${countText(after)}${failed}` };
    },
  };
}

function groupsAtOnce(memoryBytes: number): number {
  return Math.min(MOST_GROUPS_AT_ONCE, Math.max(1, Math.floor(memoryBytes / GROUP_MEMORY_BYTES)));
}

/** The first groups of the plan, as many as the bytes allow. */
function withinBudget(groups: readonly RewriteGroupReport[], bytes: number): readonly RewriteGroupReport[] {
  const some: RewriteGroupReport[] = [];
  let left = bytes;
  for (const group of groups) {
    left -= group.inputBytes;
    if (left < 0) break;
    some.push(group);
  }
  return some;
}

function filesOf(groups: readonly RewriteGroupReport[]): number {
  return groups.reduce((sum, { inputFiles }) => sum + inputFiles, 0);
}

function bytesOf(groups: readonly RewriteGroupReport[]): number {
  return groups.reduce((sum, { inputBytes }) => sum + inputBytes, 0);
}

function groupsText(groups: readonly RewriteGroupReport[]): string {
  return `${countText(filesOf(groups))} files of ${bytesText(bytesOf(groups))} in ${countText(groups.length)} groups`;
}

async function decidePositionDeletes({ table, signal }: TaskContext): Promise<Decision> {
  const planned = await table.rewritePositionDeletes({ dryRun: true, signal });
  const files = planned.rewrittenDeleteFilesCount;
  if (files === 0) return notNeeded('no delete files that could be combined');
  return {
    outcome: 'planned',
    reason: `${countText(files)} delete files of ${bytesText(planned.rewrittenBytesCount)}`,
    run: async () => {
      const report = await table.rewritePositionDeletes({ signal });
      const { rewrittenDeleteFilesCount: before, addedDeleteFilesCount: after } = report;
      return { report, reason: `${countText(before)} delete files became ${countText(after)}` };
    },
  };
}

async function decideManifests({ table, signal }: TaskContext): Promise<Decision> {
  const planned = await table.rewriteManifests({ dryRun: true, signal });
  const [before, after] = [planned.rewrittenManifestsCount, planned.addedManifestsCount];
  if (before < MANY_MANIFESTS || before < 2 * after) return notNeeded('few manifests, or large ones');
  return {
    outcome: 'planned',
    reason: `${countText(before)} manifests into ${countText(after)}`,
    run: async () => {
      const report = await table.rewriteManifests({ signal });
      const counts = [report.rewrittenManifestsCount, report.addedManifestsCount].map(countText);
      return { report, reason: `${counts[0]} manifests became ${counts[1]}` };
    },
  };
}

async function decideSnapshots({ table, policy, signal }: TaskContext): Promise<Decision> {
  const wishes = typeof policy.snapshots === 'object' ? policy.snapshots : {};
  const planned = await table.expireSnapshots({ ...wishes, cleanExpiredFiles: false, dryRun: true, signal });
  const [snapshots, refs] = [planned.snapshotIds.length, planned.refs.length];
  if (snapshots + refs === 0) return notNeeded('no snapshots that are too old');
  return {
    outcome: 'planned',
    reason: `${countText(snapshots)} snapshots and ${countText(refs)} refs`,
    run: async () => {
      const report = await table.expireSnapshots({ ...wishes, signal });
      const deleted = countText(report.deletedDataFilesCount);
      return { report, reason: `${countText(report.snapshotIds.length)} snapshots, with ${deleted} data files` };
    },
  };
}

/** Others may have listed the directory since this handle was moved. */
async function decideOrphanFiles({ table, policy, nowMs, signal }: TaskContext): Promise<Decision> {
  await table.refresh();
  const { olderThan, everyMs = WEEK_MS } = typeof policy.orphanFiles === 'object' ? policy.orphanFiles : {};
  const lastMs = Number(table.properties[ORPHANS_REMOVED_AT] ?? 0);
  if (nowMs - lastMs < everyMs) return notNeeded('the directory was listed not long ago');
  return {
    outcome: 'planned',
    reason: lastMs === 0 ? 'the directory was never listed' : 'the directory was listed long ago',
    run: async () => {
      const report = await table.removeOrphanFiles({ olderThan, signal });
      await table.setProperties({ [ORPHANS_REMOVED_AT]: String(nowMs) });
      return { report, reason: `${countText(report.filesDeleted)} of ${countText(report.filesListed)} files deleted` };
    },
  };
}

function notNeeded(reason: string): Decision {
  return { run: null, outcome: 'not needed', reason };
}
