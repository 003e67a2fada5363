import { LakehouseError } from '../../errors.ts';
import { checkRequirements } from '../../spec/requirements.ts';
import type { LoadedMetadata } from '../catalog.ts';
import { commitToJson, isCommitted, waitMs, type TableChangeSet } from './commit-table.ts';
import { progressOf, sentence } from './rest-errors.ts';
import { newIdempotencyKey, type RestSession } from './rest-session.ts';

/** A change of one of several tables that are committed together. */
export interface TransactionPart extends TableChangeSet {
  /** For messages. */
  readonly text: string;
  readonly load: () => Promise<LoadedMetadata>;
}

const TRIES = 5;

/**
 * Commits changes of several tables at once. If the answer gets lost, the tables are read, as with `commitTable`: all
 * changes are there, or none, and then it fails or is sent again. COMMIT_STATE_UNKNOWN if the tables don't agree,
 * because others have committed meanwhile, or can't be read.
 */
export async function commitTransaction(session: RestSession, parts: readonly TransactionPart[]): Promise<void> {
  const { runtime } = session.settings;
  const names = parts.map(({ text }) => text).join(', ');
  const idempotencyKey = newIdempotencyKey(runtime);
  const call = {
    doing: `commit to ${names} together`,
    body: { 'table-changes': parts.map(commitToJson) },
    idempotencyKey,
  };
  let doubt: unknown = null;
  for (let attempt = 1; ; attempt++) {
    try {
      await session.call('commitTransaction', call);
      return;
    } catch (error) {
      const progress = progressOf(error);
      if (doubt === null && progress !== 'lost') throw error;
      doubt ??= error;
      const found = await outcomeOf(parts);
      if (found === 'there') return;
      if (found === 'unknown' || attempt === TRIES) throw stateUnknown(names, doubt);
      if (progress === 'refused') throw error;
      for (const [i, { metadata }] of found.entries()) checkRequirements(metadata, parts[i]?.requirements ?? []);
    }
    await runtime.sleep(waitMs(attempt));
  }
}

/** The tables as they are, if none of the changes is there. */
async function outcomeOf(parts: readonly TransactionPart[]): Promise<'there' | 'unknown' | readonly LoadedMetadata[]> {
  const outcomes = await Promise.all(
    parts.map(async (part) => {
      const loaded = await part.load();
      return { loaded, isThere: isCommitted(loaded.metadata, part) };
    }),
  ).catch(() => null);
  if (outcomes === null) return 'unknown';
  if (outcomes.every(({ isThere }) => isThere)) return 'there';
  return outcomes.some(({ isThere }) => isThere) ? 'unknown' : outcomes.map(({ loaded }) => loaded);
}

function stateUnknown(names: string, cause: unknown): LakehouseError {
  const reason = cause instanceof Error ? ` ${sentence(cause.message)}` : '';
  const message = `Whether the commit to ${names} succeeded is unknown. Look at the tables before trying again, and delete no files.${reason}`;
  return new LakehouseError('COMMIT_STATE_UNKNOWN', message, { context: { tables: names }, cause });
}
