import { LakehouseError, invalidArgument, isLakehouseError, unsupported } from '../../errors.ts';
import { withCache } from '../../io/caching-file-io.ts';
import type { FileIO } from '../../io/file-io.ts';
import { systemRuntime, type Runtime } from '../../runtime.ts';
import { applyUpdates } from '../../spec/apply-updates.ts';
import { checkRequirements } from '../../spec/requirements.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import type { LoadedMetadata, TableOperations } from '../catalog.ts';
import { normalLocation, sameLocation } from '../table-location.ts';
import { findForeignMetadata } from './foreign-metadata.ts';
import { probeConditionalCreate } from './probe-conditional-create.ts';
import { VersionPublisher } from './publish-version.ts';
import { trimOldVersions } from './trim-old-versions.ts';
import { VersionFinder, type KnownVersion } from './version-finder.ts';

/**
 * Set in the version that drops a table. Its files stay, and so do the names of its versions, which no writer can then
 * claim a second time; a table that is created here later goes on counting.
 */
export const DROPPED_AT = 'lakehouse.dropped-at-ms';

export interface FileSystemTableOptions {
  readonly runtime?: Runtime | undefined;
  /** Its name in the catalog; the location if left out. */
  readonly name?: string | undefined;
}

/**
 * The commit protocol of tables that live in a file system alone: version N of the table's metadata is the file
 * `metadata/v<N>.metadata.json`, and whoever creates it has made version N. Iceberg Java's "HadoopCatalog" has the
 * same layout. `VersionFinder` finds the newest version, `VersionPublisher` makes the next one; here is what a commit may
 * do to a table.
 */
export class FileSystemTableOperations implements TableOperations {
  readonly name: string;
  readonly io: FileIO;
  readonly location: string;
  readonly metadataDirectory: string;
  readonly #runtime: Runtime;
  readonly #finder: VersionFinder;
  readonly #publisher: VersionPublisher;
  #readOnly: string | null = null;
  /** For the next commit: the version that it builds on, just found to be the newest still. */
  #prepared: KnownVersion | null = null;

  constructor(location: string, io: FileIO, options: FileSystemTableOptions = {}) {
    this.io = io;
    this.location = normalLocation(io, location);
    this.name = options.name ?? this.location;
    this.metadataDirectory = `${this.location}/metadata`;
    this.#runtime = options.runtime ?? systemRuntime;
    const [directory, runtime] = [this.metadataDirectory, this.#runtime];
    this.#finder = new VersionFinder(io, directory);
    this.#publisher = new VersionPublisher({ name: this.name, io, directory, runtime, finder: this.#finder });
  }

  get readOnly(): string | null {
    return this.#readOnly;
  }

  newMetadataFileLocation(_metadata: TableMetadata, fileName: string): string {
    return `${this.metadataDirectory}/${fileName}`;
  }

  async load(): Promise<LoadedMetadata> {
    const newest = await this.#finder.newest();
    if (newest && isDropped(newest)) throw this.#notFound('it was dropped');
    if (newest) {
      this.#readOnly = this.#whyReadOnly(newest.loaded.metadata);
      return newest.loaded;
    }
    const metadataLocation = await findForeignMetadata(this.io, this.metadataDirectory);
    if (metadataLocation === null) throw this.#notFound('there is no table metadata');
    this.#readOnly =
      'its metadata files are those of another catalog, which alone knows what is committed; open it through that catalog to write';
    return {
      metadata: parseTableMetadata(await withCache(this.io).read(metadataLocation), metadataLocation),
      metadataLocation,
    };
  }

  async prepareCommit(base: LoadedMetadata): Promise<void> {
    this.#prepared = null;
    if (!this.io.capabilities.conditionalCreate) return;
    const probed = probeConditionalCreate(this.io, this.metadataDirectory, this.#runtime);
    [this.#prepared] = await Promise.all([this.#finder.ifNewest(base), probed]);
  }

  async makeLast(loaded: LoadedMetadata): Promise<void> {
    const version = this.#finder.known(loaded);
    if (version) await this.#publisher.makeLast(version);
  }

  async commit(
    base: LoadedMetadata,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<LoadedMetadata> {
    if (updates.some((update) => update.action === 'set-properties' && DROPPED_AT in update.updates)) {
      throw invalidArgument(`The property '${DROPPED_AT}' marks dropped tables; drop the table to set it.`);
    }
    return this.#commit(base, requirements, updates);
  }

  /** Makes the version that says that the table is no more. All files stay. COMMIT_CONFLICT as any commit. */
  async drop(base: LoadedMetadata): Promise<LoadedMetadata> {
    const updates = { [DROPPED_AT]: String(this.#runtime.now()) };
    return this.#commit(
      base,
      [{ type: 'assert-table-uuid', uuid: base.metadata.tableUuid }],
      [{ action: 'set-properties', updates }],
    );
  }

  /**
   * Makes the table's first version, or the first one after it was dropped. ALREADY_EXISTS if there is a table, and
   * for all but one of those who create it at the same time.
   */
  async create(metadata: TableMetadata): Promise<LoadedMetadata> {
    const newest = await this.#finder.find();
    if (newest && !isDropped(newest)) throw this.#alreadyExists();
    if (!newest && (await findForeignMetadata(this.io, this.metadataDirectory)) !== null) throw this.#alreadyExists();
    this.#checkPlace(metadata);
    try {
      const created = await this.#publish(newest, metadata);
      this.#readOnly = null;
      return created;
    } catch (error) {
      if (isLakehouseError(error, 'COMMIT_CONFLICT')) throw this.#alreadyExists(error);
      throw error;
    }
  }

  async #commit(
    base: LoadedMetadata,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<LoadedMetadata> {
    const prepared = this.#prepared?.loaded === base ? this.#prepared : null;
    this.#prepared = null;
    const current = prepared ?? (await this.#finder.ifNewest(base)) ?? (await this.#finder.find());
    if (!current || isDropped(current)) {
      // A root of another catalog has no version of ours, but it has been loaded.
      if (!current && this.#readOnly !== null) throw this.#refused(this.#readOnly);
      throw this.#notFound('it was dropped');
    }
    const { metadata, metadataLocation } = current.loaded;
    this.#readOnly = this.#whyReadOnly(metadata);
    if (this.#readOnly !== null) throw this.#refused(this.#readOnly);
    checkRequirements(metadata, requirements);
    const context = { nowMs: this.#runtime.now(), baseMetadataLocation: metadataLocation };
    const next = applyUpdates(metadata, updates, context);
    if (next === metadata) return current.loaded;
    if (next.location !== metadata.location) {
      throw unsupported(`Table ${this.name} can't move: its location is its identity in a file-system catalog.`);
    }
    this.#checkPlace(next);
    return this.#publish(current, next);
  }

  async #publish(base: KnownVersion | null, metadata: TableMetadata): Promise<LoadedMetadata> {
    const { version, loaded, isNewest } = await this.#publisher.publish(base, metadata);
    if (isNewest && !(DROPPED_AT in metadata.properties)) {
      await trimOldVersions(this.io, this.metadataDirectory, { version, metadata, nowMs: this.#runtime.now() });
    }
    return loaded;
  }

  // --- what is refused ------------------------------------------------------------------------------------------

  #whyReadOnly({ location }: TableMetadata): string | null {
    if (!this.io.capabilities.conditionalCreate) {
      return 'its store has no conditional create, so commits could be lost; use a catalog with a server to write';
    }
    if (!sameLocation(this.io, location, this.location)) {
      return `it was opened at '${this.location}', but its metadata says that it is at '${location}', so this looks like a copy; open it there to write, or map that location here with MappedFileIO`;
    }
    return null;
  }

  #checkPlace(metadata: TableMetadata): void {
    if (!this.io.capabilities.conditionalCreate) throw this.#refused(this.#whyReadOnly(metadata)!);
    if ('write.metadata.path' in metadata.properties) {
      throw unsupported(
        `Table ${this.name} can't have the property 'write.metadata.path': a file-system catalog finds metadata only in '${this.metadataDirectory}'. Remove the property.`,
      );
    }
  }

  #refused(reason: string): LakehouseError {
    return unsupported(`Table ${this.name} can't be changed: ${reason}.`, { table: this.name });
  }

  #notFound(reason: string): LakehouseError {
    const message = `There is no table ${this.name}: ${reason} at '${this.metadataDirectory}'.`;
    return new LakehouseError('NOT_FOUND', message, { context: { table: this.name, location: this.location } });
  }

  #alreadyExists(cause?: unknown): LakehouseError {
    const message = `Table ${this.name} exists already at '${this.location}'.`;
    return new LakehouseError('ALREADY_EXISTS', message, { context: { table: this.name }, cause });
  }
}

export function fileSystemTableOperations(
  location: string,
  io: FileIO,
  options: FileSystemTableOptions = {},
): FileSystemTableOperations {
  return new FileSystemTableOperations(location, io, options);
}

function isDropped({ loaded }: KnownVersion): boolean {
  return DROPPED_AT in loaded.metadata.properties;
}
