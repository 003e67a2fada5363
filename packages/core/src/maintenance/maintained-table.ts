import type { LoadedMetadata, TableOperations } from '../catalog/catalog.ts';
import { unsupported } from '../errors.ts';
import { sendReport } from '../reporter.ts';
import type { Reporter } from '../reporter.ts';
import { randomUuid } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { tableProperty } from '../spec/table-properties.ts';
import type { Action } from '../transaction/action.ts';
import { commitActions, replacedTable } from '../transaction/commit-loop.ts';
import { commitReport } from '../transaction/commit-report.ts';
import type { CommitOutcome } from '../transaction/commit.ts';
import { StagedFiles } from '../transaction/staged-files.ts';

/** A table as maintenance sees it: whatever version is the newest, as long as it is the same table. */
export interface MaintainedTable {
  readonly operations: TableOperations;
  readonly runtime: Runtime;
  readonly tableUuid: string;
  readonly reporter?: Reporter | undefined;
}

/** NOT_FOUND if the table is gone, or another one has taken its place. */
export async function loadNewest({ operations, tableUuid }: MaintainedTable): Promise<LoadedMetadata> {
  const loaded = await operations.load();
  if (loaded.metadata.tableUuid !== tableUuid) throw replacedTable(operations.name);
  return loaded;
}

/** UNSUPPORTED for a table that can't be changed. */
export function checkWritable({ operations: { readOnly, name } }: MaintainedTable): void {
  if (readOnly !== null) throw unsupported(`Table ${name} can't be changed: ${readOnly}.`, { table: name });
}

/** UNSUPPORTED if the table says that its files may belong to others, too. `what` can't be done then. */
export function checkOwnsFiles({ properties }: TableMetadata, name: string, what: string): void {
  if (tableProperty(properties, 'gc.enabled')) return;
  throw unsupported(
    `${what} of ${name} can't be removed: its property gc.enabled is false, so its files may belong to other tables.`,
    { table: name },
  );
}

export interface CommitMaintenanceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly branch?: string | undefined;
  /** What the change has staged already. */
  readonly staged?: StagedFiles | undefined;
}

/** Commits one change, with retries; what it stages is deleted if that fails. */
export async function commitMaintenance(
  { operations, runtime, tableUuid, reporter }: MaintainedTable,
  action: Action,
  { signal, branch = MAIN_BRANCH, staged = new StagedFiles(operations.io) }: CommitMaintenanceOptions = {},
): Promise<CommitOutcome> {
  const startedMs = runtime.now();
  const commitUuid = randomUuid(runtime);
  const outcome = await commitActions([action], {
    operations,
    runtime,
    staged,
    commitUuid,
    signal,
    tableUuid,
    branch,
  });
  const durationMs = runtime.now() - startedMs;
  for (const snapshot of outcome.snapshots) {
    sendReport(reporter, commitReport(operations.name, snapshot, outcome.commit.attempts, durationMs));
  }
  return outcome;
}
