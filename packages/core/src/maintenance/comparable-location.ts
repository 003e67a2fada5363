/**
 * A location as it is compared with others for being the same file: the schemes by which one store is called are one,
 * and so are the ways to write a path of the local disk. Nothing else is touched: locations are opaque.
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
