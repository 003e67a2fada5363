import { LakehouseError, isLakehouseError } from '../errors.ts';
import type { ErrorContext } from '../errors.ts';

/**
 * What others have committed doesn't go together with a change. Building the same change again would meet it again, so
 * the commit loop doesn't; who works the change out anew from the table's newest version may succeed.
 */
export function validationConflict(
  table: string,
  problem: string,
  context: ErrorContext = {},
  files: readonly string[] = [],
): LakehouseError {
  const error = new LakehouseError(
    'COMMIT_CONFLICT',
    `Another writer changed ${table} meanwhile: ${problem}. Refresh the table and try again.`,
    { context: { ...context, table, conflict: 'validation' } },
  );
  filesOf.set(error, files);
  return error;
}

const filesOf = new WeakMap<LakehouseError, readonly string[]>();

/** The files of the change that a conflict is about: without them there would be none. Empty if it is about the whole. */
export function conflictingFiles(error: LakehouseError): readonly string[] {
  return filesOf.get(error) ?? [];
}

/** True for a conflict that goes away when the change is worked out anew from the newest version of the table. */
export function isValidationConflict(error: unknown): boolean {
  return isLakehouseError(error, 'COMMIT_CONFLICT') && error.context['conflict'] === 'validation';
}
