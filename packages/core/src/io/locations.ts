import type { FileIO } from './file-io.ts';

/** Locations are opaque: what is here tells which of them mean the same, and changes none that is kept. */

/** A directory without slashes at its end; those of a scheme (`file:///`) are no such. */
export function withoutSlashes(location: string): string {
  return location.replace(/(?<=[^:/])\/+$/, '');
}

/** The last part of a location. */
export function fileNameOf(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}

/** Equal for locations that are the same file, as far as the store can tell. */
export function fileKeyOf({ capabilities }: FileIO, location: string): string {
  return capabilities.localPath?.(location) ?? location;
}

/**
 * A location as it is compared with others for being the same file: the schemes by which one store is called are one,
 * and so are the ways to write a path of the local disk. For locations that the store at hand may not know.
 */
export function comparableLocation(location: string): string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return location;
  const rest = location.slice(scheme.length + 1);
  if (scheme === 'file') return rest.replace(/^\/\/(?:localhost)?(?=\/)/, '');
  return `${scheme === 's3a' || scheme === 's3n' ? 's3' : scheme}:${rest}`;
}

/** The path of a location in its store, without scheme and host or bucket. */
export function pathInStore(location: string): string {
  return comparableLocation(location).replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/, '');
}
