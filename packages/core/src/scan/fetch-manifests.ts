import type { FileIO, IOOptions } from '../io/file-io.ts';
import { requestsAtOnce } from '../io/requests-at-once.ts';
import { readManifestBytes } from '../manifest/read-manifest.ts';
import type { Runtime } from '../runtime.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { lookAhead } from './look-ahead.ts';

/** Manifests that are under way or wait to be decoded, compressed. */
const HELD = { of: ({ length }: ManifestFile): number => length, most: 128 * 1024 * 1024 };

/** The bytes of manifests, in their order: as many at once as the store answers side by side, and memory allows. */
export function fetchManifests(
  io: FileIO,
  manifests: readonly ManifestFile[],
  runtime: Runtime,
  options: IOOptions,
): AsyncGenerator<readonly [ManifestFile, Uint8Array], void, undefined> {
  const read = async (manifest: ManifestFile): Promise<readonly [ManifestFile, Uint8Array]> => [
    manifest,
    await readManifestBytes(io, manifest, options),
  ];
  return lookAhead(manifests, requestsAtOnce(io, runtime), read, HELD);
}
