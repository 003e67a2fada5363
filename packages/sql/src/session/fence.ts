import { realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { LakehouseError } from '@lh/core';

/** What a statement wants to do at a place. */
export type PathUse = 'read' | 'write';

/**
 * The places that SQL may touch. DuckDB keeps to them by itself; this is for locations that go to a table's FileIO, and
 * for what a session with `allowedPaths` may not do with the catalogs' own directories.
 */
export class Fence {
  readonly #paths: readonly string[];
  readonly #warehouses: readonly string[];

  /** `warehouses` are the roots of catalogs: statements about tables reach them, files that SQL names are only read. */
  constructor(allowedPaths: readonly string[], warehouses: readonly string[]) {
    this.#paths = allowedPaths;
    this.#warehouses = warehouses;
  }

  /** UNAUTHORIZED for a location outside. Links count as the place that they lead to. */
  async check(location: string, use: PathUse): Promise<void> {
    const places = use === 'write' ? this.#paths : [...this.#paths, ...this.#warehouses];
    const place = await realPlace(location);
    for (const one of places) {
      const allowed = await realPlace(one);
      if (place !== null && allowed !== null && isWithin(place, allowed)) return;
    }
    throw new LakehouseError(
      'UNAUTHORIZED',
      `'${location}' is outside of what SQL may touch here: allowedPaths, and the tables of the catalogs.`,
      { context: { location } },
    );
  }
}

function isWithin(place: string, allowed: string): boolean {
  const root = allowed.replace(/\/+$/, '');
  return place === root || place.startsWith(`${root}/`);
}

/** A location in one form, without links; null if it may lead anywhere. */
async function realPlace(location: string): Promise<string | null> {
  if (location.includes('\u0000')) return null;
  const local = location.replace(/^file:(?:\/\/(?:localhost)?(?=\/)|(?=\/(?!\/)))/i, '');
  if (local.startsWith('/')) return realPath(local);
  // A relative path means something else in each process, and `~` to each user.
  const store = /^([a-z][a-z0-9+.-]*):\/\/([^]+)$/i.exec(location);
  if (!store || store[2]!.split('/').some((part) => part === '..' || part === '.')) return null;
  return `${store[1]!.toLowerCase().replace(/^s3[an]$/, 's3')}://${store[2]!}`;
}

/** Of a path that isn't there yet, the part that is decides. */
async function realPath(path: string): Promise<string> {
  const [whole, missing] = [resolve(path), [] as string[]];
  for (let at = whole; ; at = dirname(at)) {
    try {
      return join(await realpath(at), ...missing);
    } catch {
      if (at === sep) return whole;
      missing.unshift(at.slice(dirname(at).length).replace(/^\/+/, ''));
    }
  }
}
