import type { Catalog, Expression, Table } from '@lh/core';
import { LakehouseError, isLakehouseError } from '@lh/core';
import type { MetadataTableName, PositionsByFile } from '@lh/core/engine';
import { METADATA_TABLE_NAMES, invalidArgument, isMetadataTableName } from '@lh/core/engine';
import type { Feed } from '../feed/feeds.ts';
import { nearNames } from '../text/near-names.ts';
import { nameChain, tokenize } from '../text/tokens.ts';
import type { ScanTarget } from './time-travel.ts';

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
  /** What USE has chosen; null for DuckDB's own schemas. */
  current: NamespacePlace | null;
  /** Whether DuckDB has a table or view of this name for the session. */
  hasLocal(name: string): Promise<boolean>;
}

/** A namespace of a catalog; its root if the path is empty. */
export interface NamespacePlace {
  readonly catalog: Catalog;
  readonly path: readonly string[];
}

/** A table that a statement mentions. */
export type Resolved = ResolvedTable | ResolvedMetadataTable | { readonly kind: 'data'; readonly data: RegisteredFeed };

export interface ResolvedTable {
  readonly kind: 'table';
  readonly name: string;
  readonly table: Table;
  /** Set where a statement that changes the table reads it. */
  readonly reading?: TableReading;
}

/** How a statement reads the table that it changes. */
export interface TableReading {
  /** The branch that is changed. */
  readonly target: ScanTarget;
  /** Only these files are read, without the rows at their positions; all if left out. */
  readonly files?: PositionsByFile;
  /** Told what the rows that are read have in common. */
  readonly onRead?: (filter: Expression) => void;
}

/** `ns.table.files`, or `ns."table$files"`. */
export interface ResolvedMetadataTable {
  readonly kind: 'metadata';
  readonly name: string;
  /** The table that it is about. */
  readonly table: Table;
  readonly metadataTable: MetadataTableName;
}

/** Where a table is, or may be. */
export interface TablePlace {
  readonly catalog: Catalog;
  readonly path: readonly string[];
}

/** The parts of a name that is written as SQL has it, or in Spark's quotes. INVALID_ARGUMENT if it is none. */
export function namedParts(name: string): readonly string[] {
  const tokens = tokenize(name.replaceAll('`', '"'));
  const chain = nameChain(tokens, 0);
  if (!chain || chain.next !== tokens.length) throw invalidArgument(`'${name}' is no name of a table.`);
  return chain.parts;
}

/** Finds the tables that one statement mentions. A table mentioned twice is loaded once: all of it sees one version. */
export class TableResolver {
  readonly #names: Names;
  readonly #loading = new Map<string, Promise<Table | null>>();
  /** Versions that stand for tables which have been found. */
  readonly #shown = new Map<Table, Table>();
  /** Names with a meaning of a statement's own. */
  readonly #given = new Map<string, ResolvedTable>();
  /** Why a catalog has no table of a name: the last that was told. */
  #reason: LakehouseError | null = null;

  constructor(names: Names) {
    this.#names = names;
  }

  /** Null if the name belongs to DuckDB, or to no one. A table goes before a metadata table of the same name. */
  async resolve(parts: readonly string[]): Promise<Resolved | null> {
    const given = this.#given.get(JSON.stringify(parts));
    return given ?? (await this.#resolveTable(parts)) ?? this.#resolveMetadataTable(parts);
  }

  /** Another one that knows the same tables, and to which names are given besides. */
  fork(names: Iterable<readonly [parts: readonly string[], table: ResolvedTable]>): TableResolver {
    const fork = new TableResolver(this.#names);
    for (const [key, loading] of this.#loading) fork.#loading.set(key, loading);
    for (const [found, version] of this.#shown) fork.#shown.set(found, version);
    for (const [parts, table] of names) fork.#given.set(JSON.stringify(parts), table);
    return fork;
  }

  /** From now on another version stands for a table that has been found: what a transaction made of it. */
  show(found: Table, version: Table): void {
    this.#shown.set(found, version);
  }

  /** A table that a text names, maybe without the catalog that it is in. NOT_FOUND if there is none. */
  async table(parts: readonly string[], catalog: string | null): Promise<Table> {
    const inCatalog = catalog === null ? null : await this.resolve([catalog, ...parts]);
    const resolved = inCatalog ?? (await this.resolve(parts));
    if (resolved?.kind !== 'table') throw await this.unknown(parts, []);
    return resolved.table;
  }

  /** What USE has chosen. */
  get current(): NamespacePlace | null {
    return this.#names.current;
  }

  /** Chooses where names lead that start with no catalog, or are of one part; null for DuckDB's own schemas. */
  use(place: NamespacePlace | null): void {
    this.#names.current = place;
  }

  get catalogs(): ReadonlyMap<string, Catalog> {
    return this.#names.catalogs;
  }

  /** The names that were registered. */
  get registered(): readonly string[] {
    return [...this.#names.registered.keys()];
  }

  /** Where a namespace of that name may be, best first; without a name that of USE, or the default catalog. */
  namespacePlaces(parts: readonly string[]): readonly NamespacePlace[] {
    if (parts.length === 0) return [this.current ?? { catalog: this.#names.defaultCatalog, path: [] }];
    const named = this.#names.catalogs.get(parts[0]!);
    const places = named ? [{ catalog: named, path: parts.slice(1) }] : [];
    return [...places, { catalog: this.#currentCatalog, path: parts }];
  }

  get #currentCatalog(): Catalog {
    return this.current?.catalog ?? this.#names.defaultCatalog;
  }

  /** The table of a catalog that a name stands for, and where it is; null if it is not one. */
  async locate(parts: readonly string[]): Promise<(TablePlace & { readonly table: Table }) | null> {
    if (parts.length === 1 && (this.current === null || (await this.#isOfSession(parts[0]!)))) return null;
    for (const place of this.#places(parts)) {
      const table = await this.#load(place.catalog, place.path);
      if (table) return { ...place, table };
    }
    return null;
  }

  /** Names of one part are those of the session first. */
  async #isOfSession(name: string): Promise<boolean> {
    return this.#names.registered.has(name.toLowerCase()) || this.#names.hasLocal(name);
  }

  /**
   * Where a table of that name would be. NOT_FOUND for an unknown catalog, INVALID_ARGUMENT for a name without a namespace
   * where USE has chosen none.
   */
  place(parts: readonly string[], catalog: string | null): TablePlace {
    if (catalog === null) {
      if (parts.length > 1 || this.current !== null) return this.#places(parts)[0]!;
      throw invalidArgument(
        `'${parts.join('.')}' needs a namespace, as in web.events, or USE of one before; a table of the session is made with CREATE TEMP TABLE.`,
      );
    }
    const named = this.#names.catalogs.get(catalog);
    if (!named) throw new LakehouseError('NOT_FOUND', `There is no catalog '${catalog}'.`, { context: { catalog } });
    return { catalog: named, path: parts[0] === catalog && parts.length > 2 ? parts.slice(1) : parts };
  }

  async #resolveTable(parts: readonly string[]): Promise<Exclude<Resolved, ResolvedMetadataTable> | null> {
    const [only, ...others] = parts;
    const registered = others.length === 0 ? this.#names.registered.get(only!.toLowerCase()) : undefined;
    if (registered) {
      return 'table' in registered
        ? { kind: 'table', name: only!, table: this.#versionOf(registered.table) }
        : { kind: 'data', data: registered.data };
    }
    const located = await this.locate(parts);
    return located && { kind: 'table', name: parts.join('.'), table: this.#versionOf(located.table) };
  }

  #versionOf(table: Table): Table {
    return this.#shown.get(table) ?? table;
  }

  async #resolveMetadataTable(parts: readonly string[]): Promise<ResolvedMetadataTable | null> {
    const { of, last } = splitName(parts);
    const metadataTable = last.toLowerCase();
    if (of.length === 0 || !isMetadataTableName(metadataTable)) return null;
    const resolved = await this.#resolveTable(of);
    if (resolved?.kind !== 'table') return null;
    return { kind: 'metadata', name: parts.join('.'), table: resolved.table, metadataTable };
  }

  /** NOT_FOUND for a name that neither the catalogs nor DuckDB know, with names that are like it. */
  async unknown(parts: readonly string[], localNames: readonly string[]): Promise<LakehouseError> {
    const name = parts.join('.');
    const known = [
      ...(await this.#metadataTables(parts)),
      ...this.#names.registered.keys(),
      ...localNames,
      ...(await this.#catalogTables()),
    ];
    const near = nearNames(name, known);
    const hint = near.length === 0 ? '' : ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?`;
    const place = parts.length === 1 ? ' A table of a catalog is named with its namespace, as in web.events.' : '';
    // It may be more than the table that is missing: a bucket, say.
    const reason = this.#reason && !('table' in this.#reason.context) ? ` ${this.#reason.message}` : '';
    return new LakehouseError('NOT_FOUND', `There is no table '${name}'.${hint || place || reason}`, {
      context: { table: name },
      cause: this.#reason,
    });
  }

  /** Where a name may lead: into the catalog that it starts with, or into the current one. */
  #places(parts: readonly string[]): readonly TablePlace[] {
    const named = this.#names.catalogs.get(parts[0]!);
    const places = named && parts.length > 2 ? [{ catalog: named, path: parts.slice(1) }] : [];
    const namespace = parts.length === 1 && this.current ? this.current.path : [];
    return [...places, { catalog: this.#currentCatalog, path: [...namespace, ...parts] }];
  }

  #load(catalog: Catalog, path: readonly string[]): Promise<Table | null> {
    const key = JSON.stringify([catalog.name, path]);
    let loading = this.#loading.get(key);
    if (!loading) {
      loading = catalog.loadTable(path).catch((error: unknown) => {
        if (!isLakehouseError(error, 'NOT_FOUND')) throw error;
        this.#reason = error;
        return null;
      });
      this.#loading.set(key, loading);
    }
    return loading;
  }

  /** What may have been meant, if all but the last part of the name is a table's. */
  async #metadataTables(parts: readonly string[]): Promise<readonly string[]> {
    const { of, separator } = splitName(parts);
    if (of.length === 0 || (await this.#resolveTable(of))?.kind !== 'table') return [];
    return METADATA_TABLE_NAMES.map((name) => `${of.join('.')}${separator}${name}`);
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

/** A name as that of a metadata table: the table that it is about (no parts if there is none), and which one it is. */
function splitName(parts: readonly string[]): {
  readonly of: readonly string[];
  readonly separator: '.' | '$';
  readonly last: string;
} {
  const own = parts.at(-1)!;
  const dollar = own.lastIndexOf('$');
  if (dollar < 1) return { of: parts.slice(0, -1), separator: '.', last: own };
  return { of: [...parts.slice(0, -1), own.slice(0, dollar)], separator: '$', last: own.slice(dollar + 1) };
}
