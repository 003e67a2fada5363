import type { ErrorCode, LakehouseError, MaintenanceReport, RewriteDataFilesReport, Table } from '@lh/core';
import { isLakehouseError } from '@lh/core';

import { Process, drawRates, drawnFrom } from './machine.ts';
import type { Machine, Rates } from './machine.ts';
import type { Progress } from './progress.ts';
import { abortsAtSomeTime, openSince } from './writer.ts';
import type { Job, Outcome } from './writer.ts';

/** One call of the table's maintenance, and what its caller knows of it. */
export interface UpkeepRun {
  readonly kind: UpkeepKind;
  /** Stands for its process. */
  readonly maker: object;
  outcome: Outcome;
  /** The snapshots that it says it made. */
  made: readonly bigint[];
}

export type UpkeepKind = keyof typeof UPKEEP;

interface UpkeepContext {
  readonly machine: Machine;
  readonly branch: string;
  readonly signal: AbortSignal | undefined;
  readonly jobs: readonly Job[];
}

/** What is drawn, and how often. Each gives the snapshots that it made. */
const UPKEEP = {
  compact: (table, context) => compact(table, context, false),
  'compact in parts': (table, context) => compact(table, context, true),
  async 'rewrite manifests'(table, { machine, branch, signal }) {
    const specId = drawnFrom(machine, table.metadata.partitionSpecs).specId;
    return idsOf(await table.rewriteManifests({ branch, signal, ...(machine.chance(0.3) && { specId }) }));
  },
  async 'rewrite position deletes'(table, { branch, signal }) {
    return idsOf(await table.rewritePositionDeletes({ branch, signal, rewriteAll: true }));
  },
  async 'convert equality deletes'(table, { branch, signal }) {
    return idsOf(await table.convertEqualityDeletes({ branch, signal }));
  },
  async 'remove dangling deletes'(table, { branch, signal }) {
    return idsOf(await table.removeDanglingDeletes({ branch, signal }));
  },
  async maintain(table, { machine, signal, jobs }) {
    const { runtime } = machine;
    // Expiry by age takes snapshots on branches and staged ones, too, which are looked for in the end.
    const byAge = !jobs.some(({ operation }) => ['change spec', 'stage'].includes(operation.kind));
    const olderThan = Math.min(runtime.now() - runtime.random() * DAY_MS, openSince(jobs));
    const report = await table.maintain({
      dataFiles: { minInputFiles: 2, deleteFileThreshold: 1 },
      snapshots: byAge && { olderThan },
      orphanFiles: { everyMs: 1 },
      ...(signal && { signal }),
      ...(machine.chance(0.3) && { budget: { timeMs: 1 + machine.randomInteger(2000) } }),
    });
    return idsOfSteps(report);
  },
} satisfies Record<string, (table: Table, context: UpkeepContext) => Promise<readonly bigint[]>>;

/** What only tables with delete files are chosen for is seldom possible. */
const WEIGHTS: Readonly<Record<UpkeepKind, number>> = {
  compact: 6,
  'compact in parts': 3,
  'rewrite manifests': 2,
  'rewrite position deletes': 40,
  'convert equality deletes': 10,
  'remove dangling deletes': 8,
  maintain: 3,
};

export const UPKEEP_KINDS = Object.keys(WEIGHTS) as readonly UpkeepKind[];

const DAY_MS = 24 * 3_600_000;
const MOST_ROUNDS = 6;

/** What may become of maintenance, and says that it has changed nothing, or that it isn't known. */
const HARMLESS: readonly ErrorCode[] = [
  'COMMIT_CONFLICT',
  'COMMIT_STATE_UNKNOWN',
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
  // What it reads was that of a snapshot that has expired since.
  'NOT_FOUND',
];

export interface UpkeepPlace {
  /** A process of its own for each run. */
  readonly open: (maker: object) => Promise<Table>;
  /** Of the writers' jobs. */
  readonly progress: Progress;
  readonly jobs: readonly Job[];
  /** What is drawn from; all kinds if left out. */
  readonly kinds: readonly UpkeepKind[] | undefined;
  /** What goes wrong; drawn if left out. */
  readonly rates: Rates | undefined;
}

/**
 * Compacts the table, and does whatever else keeps it in order, from time to time while writers work. `runs` gets what was
 * tried.
 */
export async function upkeep(machine: Machine, place: UpkeepPlace, runs: UpkeepRun[]): Promise<void> {
  const { progress, jobs, kinds } = place;
  const { runtime } = machine;
  const drawnRates = machine.chance(0.4) ? {} : drawRates(machine);
  const rates = place.rates ?? drawnRates;
  const rounds = kinds?.length === 0 || machine.chance(0.3) ? 0 : 1 + machine.randomInteger(MOST_ROUNDS);
  const times = Array.from({ length: rounds }, () => Math.ceil(Math.sqrt(runtime.random()) * jobs.length));
  for (const time of times.toSorted((a, b) => a - b)) {
    await progress.reaches(time);
    await runtime.sleep(runtime.random() ** 2 * 2000);
    await machine.run(new Process(rates), () => keepUp(machine, place, runs));
    // Killed.
    for (const run of runs) if (run.outcome === 'running') run.outcome = 'unknown';
  }
}

async function keepUp(
  machine: Machine,
  { open, jobs, kinds = UPKEEP_KINDS }: UpkeepPlace,
  runs: UpkeepRun[],
): Promise<void> {
  const signal = machine.strikes('write aborted') ? abortsAtSomeTime(machine) : undefined;
  const maker = {};
  const table = await open(maker).catch(harmless);
  if (isLakehouseError(table)) return;
  const possible = kinds.filter((kind) => isPossible(kind, table));
  if (possible.length === 0) return;
  const kind = drawnFrom(
    machine,
    possible.flatMap((one) => Array.from({ length: WEIGHTS[one] }, () => one)),
  );
  const branch = machine.chance(0.8) ? 'main' : drawnFrom(machine, ['main', ...Object.keys(table.refs())]);
  const run: UpkeepRun = { kind, maker, outcome: 'running', made: [] };
  runs.push(run);
  const made = await UPKEEP[kind](table, { machine, branch, signal, jobs }).catch(harmless);
  if (isLakehouseError(made)) {
    // Told to stop, compaction has maybe committed what met no conflict, and was about to do the rest.
    const mayHaveCommitted = made.code === 'COMMIT_STATE_UNKNOWN' || (kind === 'compact' && made.code === 'ABORTED');
    run.outcome = mayHaveCommitted ? 'unknown' : 'refused';
    return;
  }
  run.made = made;
  run.outcome = made.length > 0 ? 'acknowledged' : 'unchanged';
}

/** What some kinds are about, as the summary of the newest snapshot counts it. */
const ABOUT: Readonly<Partial<Record<UpkeepKind, string>>> = {
  'rewrite position deletes': 'total-position-deletes',
  'convert equality deletes': 'total-equality-deletes',
  'remove dangling deletes': 'total-delete-files',
};

function isPossible(kind: UpkeepKind, table: Table): boolean {
  const total = ABOUT[kind];
  return total === undefined || Number(table.currentSnapshot()?.summary[total] ?? 0) > 0;
}

function harmless(error: unknown): LakehouseError {
  if (isLakehouseError(error) && HARMLESS.includes(error.code)) return error;
  throw error;
}

async function compact(
  table: Table,
  { machine, branch, signal }: UpkeepContext,
  inParts: boolean,
): Promise<readonly bigint[]> {
  const outputSpecId = drawnFrom(machine, table.metadata.partitionSpecs).specId;
  const report = await table.rewriteDataFiles({
    branch,
    signal,
    minInputFiles: 2,
    ...(machine.chance(0.5) && { deleteFileThreshold: 1 }),
    rewriteAll: machine.chance(0.3),
    useStartingSequenceNumber: machine.chance(0.8),
    removeDanglingDeletes: machine.chance(0.3),
    ...(machine.chance(0.2) && { strategy: 'sort', sortBy: ['k'] }),
    ...(machine.chance(0.2) && { outputSpecId }),
    ...(inParts && { maxFileGroupInputFiles: 2 + machine.randomInteger(2), partialProgress: { enabled: true } }),
  });
  return report.snapshotIds;
}

function idsOf({ snapshotId }: { readonly snapshotId: bigint | null }): readonly bigint[] {
  return snapshotId === null ? [] : [snapshotId];
}

/** Of the steps that make snapshots. What one of them failed of must be no wonder. */
function idsOfSteps({ steps }: MaintenanceReport): readonly bigint[] {
  return steps.flatMap(({ task, report, error }) => {
    if (error !== null) harmless(error);
    if (report === null) return [];
    if (task === 'rewriteDataFiles') return (report as RewriteDataFilesReport).snapshotIds;
    return idsOf({ snapshotId: null, ...(report as object) });
  });
}
