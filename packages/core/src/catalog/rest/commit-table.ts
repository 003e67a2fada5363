import { LakehouseError, isLakehouseError } from '../../errors.ts';
import { applyUpdates } from '../../spec/apply-updates.ts';
import { checkRequirements } from '../../spec/requirements.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import { tableRequirementToJson, tableUpdateToJson } from '../../spec/updates-json.ts';
import type { LoadedMetadata } from '../catalog.ts';
import type { HttpAnswer } from './http-client.ts';
import { progressOf, sentence, type Progress } from './rest-errors.ts';
import { newIdempotencyKey, type RestSession } from './rest-session.ts';

/** A change of one table. */
export interface TableChangeSet {
  readonly namespace: readonly string[];
  readonly table: string;
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/** A change of one table, and how its newest version is found. */
export interface TableCommit extends TableChangeSet {
  /** For messages. */
  readonly name: string;
  /** The newest version; null if there is no such table. */
  readonly load: () => Promise<LoadedMetadata | null>;
  /** The version that the answer to a commit tells of. */
  readonly read: (answer: HttpAnswer) => LoadedMetadata;
}

/** How often a commit whose answer was lost is sent, as long as it still can go through. */
const TRIES = 5;
/** How often the table is asked for then, with waits in between that double. */
const LOOKS = 8;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/**
 * Sends a commit. If its answer gets lost or says nothing (5xx), the table is read: the commit is there; or it can't go
 * through any more, which is a conflict; or it is sent again as it was. That is safe: a snapshot is taken only once, and
 * other changes that are made twice are the same as when made once. COMMIT_STATE_UNKNOWN if the table can't be read, or
 * another one has its name.
 */
export async function commitTable(session: RestSession, commit: TableCommit): Promise<LoadedMetadata> {
  const { runtime } = session.settings;
  const idempotencyKey = newIdempotencyKey(runtime);
  let doubt: unknown = null;
  for (let attempt = 1; ; attempt++) {
    const outcome = await send(session, commit, idempotencyKey);
    if ('loaded' in outcome) return outcome.loaded;
    const { error, progress } = outcome;
    if (doubt === null && progress !== 'lost') throw error;
    doubt ??= error;
    // What is refused now may be what went through before.
    const current = await readBack(session, commit, doubt);
    if (current !== null && isCommitted(current.metadata, commit)) return current;
    if (!createsTable(commit) && !isSameTable(current, commit)) throw stateUnknown(commit, doubt);
    if (progress === 'refused') throw error;
    checkRequirements(current?.metadata ?? null, commit.requirements);
    if (attempt === TRIES) throw stateUnknown(commit, doubt);
    await runtime.sleep(waitMs(attempt));
  }
}

/** A commit as the server takes it (REST specification: "CommitTableRequest"). */
export function commitToJson({ namespace, table, requirements, updates }: TableChangeSet): object {
  return {
    identifier: { namespace, name: table },
    requirements: requirements.map(tableRequirementToJson),
    updates: updates.map(tableUpdateToJson),
  };
}

async function send(
  session: RestSession,
  commit: TableCommit,
  idempotencyKey: string,
): Promise<{ readonly loaded: LoadedMetadata } | { readonly error: unknown; readonly progress: Progress }> {
  const { name, namespace, table, read } = commit;
  const doing = `commit to table ${name}`;
  let answer: HttpAnswer;
  try {
    answer = await session.call('updateTable', { namespace, table, doing, body: commitToJson(commit), idempotencyKey });
  } catch (error) {
    // Whatever a server calls it: nothing of a commit "exists already".
    if (!isLakehouseError(error, 'ALREADY_EXISTS')) return { error, progress: progressOf(error) };
    const { message, context } = error;
    const conflict = new LakehouseError('COMMIT_CONFLICT', message, { retryable: true, context, cause: error });
    return { error: conflict, progress: 'refused' };
  }
  try {
    return { loaded: read(answer) };
  } catch (error) {
    // The server has done it, but its answer can't be read.
    return { error, progress: 'lost' };
  }
}

async function readBack(session: RestSession, commit: TableCommit, doubt: unknown): Promise<LoadedMetadata | null> {
  const { runtime } = session.settings;
  for (let look = 1; ; look++) {
    try {
      return await commit.load();
    } catch (error) {
      if (look === LOOKS || !isLakehouseError(error, 'UNAVAILABLE')) throw stateUnknown(commit, doubt);
      await runtime.sleep(waitMs(look));
    }
  }
}

/** Whether the metadata holds what the updates do. */
export function isCommitted(metadata: TableMetadata, commit: TableChangeSet): boolean {
  const { updates, requirements } = commit;
  const created = updates.find((update) => update.action === 'assign-uuid');
  if (created && createsTable(commit)) return metadata.tableUuid === created.uuid;
  if (!hasUuid(metadata, requirements)) return false;
  const added = updates.flatMap((update) => (update.action === 'add-snapshot' ? update.snapshot : []));
  if (added.length > 0) {
    // All of a commit is there or nothing; manifest lists have names that nobody else gives.
    return added.some(({ snapshotId, manifestList }) =>
      metadata.snapshots.some((one) => one.snapshotId === snapshotId && one.manifestList === manifestList),
    );
  }
  try {
    const context = { nowMs: metadata.lastUpdatedMs, baseMetadataLocation: null };
    return applyUpdates(metadata, updates, context) === metadata;
  } catch {
    return false;
  }
}

function createsTable({ requirements }: TableChangeSet): boolean {
  return requirements.some(({ type }) => type === 'assert-create');
}

function isSameTable(current: LoadedMetadata | null, { requirements }: TableChangeSet): boolean {
  return current !== null && hasUuid(current.metadata, requirements);
}

function hasUuid({ tableUuid }: TableMetadata, requirements: readonly TableRequirement[]): boolean {
  return requirements.every((each) => each.type !== 'assert-table-uuid' || each.uuid === tableUuid);
}

/** How long is waited before the next try. */
export function waitMs(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
}

function stateUnknown({ name }: TableCommit, cause: unknown): LakehouseError {
  const reason = cause instanceof Error ? ` ${sentence(cause.message)}` : '';
  return new LakehouseError(
    'COMMIT_STATE_UNKNOWN',
    `Whether the commit to table ${name} succeeded is unknown. Look at the table before trying again, and delete no files.${reason}`,
    { context: { table: name }, cause },
  );
}
