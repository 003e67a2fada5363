import { isLakehouseError } from '@lh/core';
import type { StatementContext, Target } from '../catalog-statement.ts';

/** As `context.target`; 'nothing' for a name that is no one's, where the statement says IF EXISTS. */
export async function findTarget(
  name: readonly string[],
  context: StatementContext,
  ifExists: boolean,
): Promise<Target | 'nothing' | null> {
  try {
    return await context.target(name);
  } catch (error) {
    if (ifExists && isLakehouseError(error, 'NOT_FOUND')) return 'nothing';
    throw error;
  }
}
