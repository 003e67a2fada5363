import { isLakehouseError, type ErrorCode } from '../../../src/errors.ts';

/** Runs what may succeed or fail: null, or the failure if it is no `LakehouseError` (of the code). */
export async function untypedError(run: () => unknown, code?: ErrorCode): Promise<unknown> {
  try {
    await run();
    return null;
  } catch (error) {
    return isLakehouseError(error, code) ? null : error;
  }
}
