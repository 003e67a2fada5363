import type { LoadedMetadata } from '../catalog/catalog.ts';
import { invalidArgument, throwIfAborted, unsupported } from '../errors.ts';
import { sendReport } from '../reporter.ts';
import { randomUuid } from '../runtime.ts';
import { ancestorsOf } from '../spec/metadata-accessors.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { tableProperty } from '../spec/table-properties.ts';
import { commitActions, doneBefore } from './commit-loop.ts';
import { commitReport } from './commit-report.ts';
import { currentSnapshotOf, unchangedOutcome } from './commit.ts';
import type { CommitOutcome } from './commit.ts';
import { findRef } from './refs.ts';
import { IDEMPOTENCY_KEY, WAP_ID, checkSnapshotProperties } from './snapshot-summary.ts';
import { StagedFiles } from './staged-files.ts';
import { Transaction } from './transaction.ts';
import type { TransactionHost, TransactionState } from './transaction-state.ts';
import { commitSummary } from './transaction-options.ts';
import type { TransactionOptions } from './transaction-options.ts';

/**
 * Runs a function over a transaction and commits what it did. If the function throws, what it has written is deleted
 * and the table is as it was.
 */
export async function runTransaction(
  host: TransactionHost,
  base: LoadedMetadata,
  body: (transaction: Transaction) => unknown,
  options: TransactionOptions & { readonly single?: boolean },
): Promise<CommitOutcome> {
  const { operations, runtime } = host;
  const { signal, idempotencyKey: key } = options;
  if (operations.readOnly !== null) {
    throw unsupported(`Table ${operations.name} can't be changed: ${operations.readOnly}.`, { table: operations.name });
  }
  throwIfAborted(signal);
  checkSnapshotProperties(options.snapshotProperties ?? {});
  if (key === '') throw invalidArgument('An idempotency key must not be empty.');
  checkWapId(commitSummary(options)[WAP_ID], base.metadata);
  const startedMs = runtime.now();
  const branch = options.branch ?? MAIN_BRANCH;
  if (key !== undefined) {
    const loaded = await operations.load();
    const earlier = findByKey(loaded.metadata, branch, options);
    if (earlier) return doneBefore(loaded, earlier, operations);
  }
  const state: TransactionState = {
    host,
    base,
    branch,
    options,
    staging: { operations, runtime, staged: new StagedFiles(operations.io), commitUuid: randomUuid(runtime), signal },
    single: options.single ?? false,
    actions: [],
    applied: 0,
    preview: null,
    warnings: new Set(),
    metadata: base.metadata,
    running: null,
    finished: false,
  };
  await runBody(state, body);
  if (state.actions.length === 0) return unchangedOutcome(base, currentSnapshotOf(base, branch));
  const outcome = await commitActions(state.actions, {
    ...state.staging,
    tableUuid: base.metadata.tableUuid,
    branch,
    ...(key !== undefined && { alreadyDone: (metadata: TableMetadata) => findByKey(metadata, branch, options) }),
  });
  const durationMs = runtime.now() - startedMs;
  for (const snapshot of outcome.snapshots) {
    sendReport(host.reporter, commitReport(operations.name, snapshot, outcome.commit.attempts, durationMs));
  }
  return { ...outcome, commit: { ...outcome.commit, warnings: [...state.warnings] } };
}

async function runBody(state: TransactionState, body: (transaction: Transaction) => unknown): Promise<void> {
  try {
    await body(new Transaction(state));
    if (state.running) throw invalidArgument('The transaction ended before one of its calls; await them.');
  } catch (error) {
    state.finished = true;
    // Whatever still runs must end before its files can be deleted.
    await state.running?.catch(() => undefined);
    await state.staging.staged.deleteAll();
    throw error;
  } finally {
    state.finished = true;
  }
}

function checkWapId(wapId: string | undefined, { properties }: TableMetadata): void {
  if (wapId === undefined) return;
  if (wapId === '') throw invalidArgument('A wapId must not be empty.');
  if (tableProperty(properties, 'write.wap.enabled')) return;
  throw invalidArgument(
    "The table takes writes with a wapId when its property 'write.wap.enabled' is 'true'; set it first.",
  );
}

/** The snapshot that an earlier call with the same key has made: in the history of the branch, or staged. */
function findByKey(metadata: TableMetadata, branch: string, options: TransactionOptions): Snapshot | undefined {
  const { [WAP_ID]: wapId, [IDEMPOTENCY_KEY]: idempotencyKey } = commitSummary(options);
  const staged = metadata.snapshots.filter(({ summary }) => wapId !== undefined && summary[WAP_ID] === wapId);
  for (const snapshot of [...ancestorsOf(metadata, findRef(metadata, branch)?.snapshotId ?? null), ...staged]) {
    if (snapshot.summary[IDEMPOTENCY_KEY] === idempotencyKey) return snapshot;
  }
  return undefined;
}
