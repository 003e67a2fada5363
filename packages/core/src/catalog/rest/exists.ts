import { isLakehouseError } from '../../errors.ts';
import type { EndpointName } from './endpoints.ts';
import type { RestCall, RestSession } from './rest-session.ts';

/** Asks with the first route if the server has it, else by loading. */
export async function exists(
  session: RestSession,
  [ask, load]: readonly [EndpointName, EndpointName],
  call: RestCall,
): Promise<boolean> {
  try {
    await session.call(session.supports(ask) ? ask : load, call);
    return true;
  } catch (error) {
    if (isLakehouseError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}
