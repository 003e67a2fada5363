import { LakehouseError } from '../../errors.ts';
import { checkRequirements } from '../../spec/requirements.ts';
import type { LoadedMetadata } from '../catalog.ts';
import { commitToJson, isCommitted, type TableChangeSet } from './commit-table.ts';
import { isDoubtful } from './rest-errors.ts';
import { newIdempotencyKey, type RestSession } from './rest-session.ts';

/** A change of one of several tables that are committed together. */
export interface TransactionPart extends TableChangeSet {
  readonly text: string;
  readonly load: () => Promise<LoadedMetadata>;
}

/**
 * Commits changes of several tables at once. If the answer gets lost, the tables are read: as all changes happen or
 * none, they tell, unless others have committed meanwhile. COMMIT_STATE_UNKNOWN then.
 */
export async function commitTransaction(session: RestSession, parts: readonly TransactionPart[]): Promise<void> {
  const doing = `commit to ${parts.map(({ text }) => text).join(', ')} together`;
  const body = { 'table-changes': parts.map(commitToJson) };
  try {
    await session.call('commitTransaction', {
      doing,
      body,
      idempotencyKey: newIdempotencyKey(session.settings.runtime),
    });
  } catch (error) {
    if (!isDoubtful(error)) throw error;
    const current = await Promise.all(parts.map(({ load }) => load())).catch(() => null);
    const there = current?.map(({ metadata }, i) => isCommitted(metadata, parts[i]!));
    if (there?.every(Boolean)) return;
    // With nothing of it there and no way for it to come, it has failed.
    if (current && !there?.some(Boolean))
      current.forEach(({ metadata }, i) => checkRequirements(metadata, parts[i]!.requirements));
    const message = `Whether the commit to ${parts.map(({ text }) => text).join(', ')} succeeded is unknown. Look at the tables before trying again, and delete no files.`;
    throw new LakehouseError('COMMIT_STATE_UNKNOWN', message, { cause: error });
  }
}
