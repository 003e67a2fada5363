import type { Catalog, Table } from '@lh/core';
import { LakehouseError, isLakehouseError } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import type { Feed } from '../feed/feeds.ts';
import { nearNames } from '../text/near-names.ts';

export interface RegisteredFeed {
  readonly id: bigint;
  readonly feed: Feed;
}

/** What a name of this session stands for. */
export type Registered = { readonly table: Table } | { readonly data: RegisteredFeed };

export interface Names {
  /** Used for names that start with no catalog's name. */
  readonly defaultCatalog: Catalog;
  readonly catalogs: ReadonlyMap<string, Catalog>;
  /** By lower-case name. */
  readonly registered: ReadonlyMap<string, Registered>;
}

/** A table that a statement mentions; null if the name belongs to DuckDB (or to no one). */
export type Resolved =
  | { readonly kind: 'table'; readonly name: string; readonly table: Table }
  | { readonly kind: 'data'; readonly data: RegisteredFeed };

/** Metadata tables that other engines offer as `table.snapshots` and so on. */
const METADATA_TABLES: ReadonlySet<string> = new Set([
  'snapshots',
  'history',
  'files',
  'data_files',
  'delete_files',
  'manifests',
  'entries',
  'partitions',
  'refs',
  'metadata_log_entries',
  'all_data_files',
  'all_delete_files',
  'all_entries',
  'all_files',
  'all_manifests',
  'position_deletes',
]);

/** Finds the tables that one statement mentions. A table mentioned twice is loaded once: all of it sees one version. */
export class TableResolver {
  readonly #names: Names;
  readonly #loading = new Map<string, Promise<Table | null>>();

  constructor(names: Names) {
    this.#names = names;
  }

  async resolve(parts: readonly string[]): Promise<Resolved | null> {
    const [only, ...others] = parts;
    if (others.length === 0) {
      const registered = this.#names.registered.get(only!.toLowerCase());
      if (!registered) return null;
      return 'table' in registered
        ? { kind: 'table', name: only!, table: registered.table }
        : { kind: 'data', data: registered.data };
    }
    for (const { catalog, path } of this.#places(parts)) {
      const table = await this.#load(catalog, path);
      if (table) return { kind: 'table', name: parts.join('.'), table };
    }
    await this.#refuseMetadataTable(parts);
    return null;
  }

  /** NOT_FOUND for a name that neither the catalogs nor DuckDB know, with names that are like it. */
  async unknown(parts: readonly string[], localNames: readonly string[]): Promise<LakehouseError> {
    const name = parts.join('.');
    const known = [...this.#names.registered.keys(), ...localNames, ...(await this.#catalogTables())];
    const near = nearNames(name, known);
    const hint = near.length === 0 ? '' : ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?`;
    const place = parts.length === 1 ? ' A table of a catalog is named with its namespace, as in web.events.' : '';
    return new LakehouseError('NOT_FOUND', `There is no table '${name}'.${hint || place}`, {
      context: { table: name },
    });
  }

  /** Where a name may lead: into the catalog that it starts with, or into the default one. */
  #places(parts: readonly string[]): readonly { readonly catalog: Catalog; readonly path: readonly string[] }[] {
    const named = this.#names.catalogs.get(parts[0]!);
    const places = named && parts.length > 2 ? [{ catalog: named, path: parts.slice(1) }] : [];
    return [...places, { catalog: this.#names.defaultCatalog, path: parts }];
  }

  #load(catalog: Catalog, path: readonly string[]): Promise<Table | null> {
    const key = JSON.stringify([catalog.name, path]);
    let loading = this.#loading.get(key);
    if (!loading) {
      loading = catalog.loadTable(path).catch((error: unknown) => {
        if (isLakehouseError(error, 'NOT_FOUND')) return null;
        throw error;
      });
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #refuseMetadataTable(parts: readonly string[]): Promise<void> {
    const last = parts.at(-1)!.toLowerCase();
    if (parts.length < 3 || !METADATA_TABLES.has(last)) return;
    if (await this.resolve(parts.slice(0, -1))) {
      throw unsupported(`The metadata table '${parts.join('.')}' can't be queried with SQL.`);
    }
  }

  /** Names of the catalogs' tables, as SQL may call them. */
  async #catalogTables(): Promise<readonly string[]> {
    const found: string[] = [];
    const { defaultCatalog, catalogs } = this.#names;
    const others = [...catalogs].filter(([, catalog]) => catalog !== defaultCatalog);
    for (const [name, catalog] of [['', defaultCatalog] as const, ...others]) {
      try {
        const namespaces = await catalog.listNamespaces();
        for (const namespace of namespaces.slice(0, 50)) {
          const tables = await catalog.listTables(namespace);
          found.push(...tables.map((table) => [...(name === '' ? [] : [name]), ...table].join('.')));
        }
      } catch {
        // Only a hint: that it can't be had must not hide what is wrong.
      }
    }
    return found;
  }
}
