import { isLakehouseError, unsupported } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { randomUuid, type Runtime } from '../../runtime.ts';

const proven = new WeakMap<FileIO, Map<string, Promise<void>>>();

/**
 * Finds out whether the store that a directory is in honours `ifNoneMatch`, by creating a file twice. A store that
 * ignores it would let two writers both win a version of a table, and lose the commit of one. Asked once for each
 * bucket, or for each directory of other stores, before the first commit and not earlier: what can't be written must
 * still be readable.
 * UNSUPPORTED if the store lets both writes pass.
 */
export function probeConditionalCreate(io: FileIO, directory: string, runtime: Runtime): Promise<void> {
  const known = proven.get(io) ?? new Map<string, Promise<void>>();
  proven.set(io, known);
  const scope = scopeOf(io, directory);
  const earlier = known.get(scope);
  if (earlier) return earlier;
  // No hidden name: a clean-up of orphan files, which takes what a crash leaves of this, would pass over it.
  const probe = createTwice(io, `${directory}/probe-${randomUuid(runtime)}`).catch((error: unknown) => {
    known.delete(scope);
    throw error;
  });
  known.set(scope, probe);
  return probe;
}

/** A bucket is of one store; directories may be mounted from anywhere. */
function scopeOf(io: FileIO, directory: string): string {
  const object = io.capabilities.s3Object?.(`${directory}/probe`);
  return object ? `s3://${object.bucket}` : directory;
}

async function createTwice(io: FileIO, location: string): Promise<void> {
  try {
    // An answer that got lost on the way may make the store's client try again by itself, and then the first write
    // says that the file exists: that is proof as good as the second write's.
    const created = (await creates(io, location)) && (await creates(io, location));
    if (created) {
      throw unsupported(
        `The store of '${location}' replaces files that it was told only to create, so commits to tables there could be lost. Use a store with conditional writes, or a catalog with a server.`,
        { location },
      );
    }
  } finally {
    await io.delete([location]).catch(() => undefined);
  }
}

async function creates(io: FileIO, location: string): Promise<boolean> {
  try {
    await io.write(location, new TextEncoder().encode('probe'), { ifNoneMatch: true, durable: false });
    return true;
  } catch (error) {
    if (isLakehouseError(error, 'ALREADY_EXISTS')) return false;
    throw error;
  }
}
