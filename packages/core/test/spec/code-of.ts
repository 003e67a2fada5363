import { LakehouseError } from '../../src/errors.ts';

/** The error's code; null if there is none. Any other error passes through. */
export function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof LakehouseError) return error.code;
    throw error;
  }
}
