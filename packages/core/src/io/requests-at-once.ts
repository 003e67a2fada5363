import type { Runtime } from '../runtime.ts';
import type { FileIO } from './file-io.ts';

/** How many small requests of one operation are under way at a time: what the store asks for, else the runtime. */
export function requestsAtOnce({ capabilities }: Pick<FileIO, 'capabilities'>, runtime: Runtime): number {
  return Math.max(capabilities.concurrency ?? 0, runtime.concurrency);
}
