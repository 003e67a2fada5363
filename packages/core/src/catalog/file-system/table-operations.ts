import { LakehouseError, invalidArgument, isLakehouseError, unsupported } from '../../errors.ts';
import { withCache } from '../../io/caching-file-io.ts';
import type { FileIO, FileStat } from '../../io/file-io.ts';
import { fileNameOf } from '../../io/locations.ts';
import { systemRuntime, type Runtime } from '../../runtime.ts';
import { applyUpdates } from '../../spec/apply-updates.ts';
import { checkRequirements } from '../../spec/requirements.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../spec/table-metadata-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import type { LoadedMetadata, TableOperations } from '../catalog.ts';
import { normalLocation, sameLocation } from '../table-location.ts';
import { findForeignMetadata } from './foreign-metadata.ts';
import { probeConditionalCreate } from './probe-conditional-create.ts';
import { trimOldVersions } from './trim-old-versions.ts';
import {
  VERSION_HINT,
  claimFileName,
  listVersionFiles,
  readVersionHint,
  versionFileNames,
  versionOf,
  type VersionFile,
} from './version-files.ts';

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

/** A version's file as it was read. */
interface StoredVersion extends VersionFile {
  readonly bytes: Uint8Array;
}

/** A version of the table that was read or written here. */
interface KnownVersion extends VersionFile {
  readonly loaded: LoadedMetadata;
}

/** A version's file that is ours. */
interface Claim {
  readonly file: VersionFile;
  /** False if the store has never said that it has the file: a disk may have failed to sync its name. */
  readonly lasts: boolean;
}

/**
 * What the newest version tells about one that was claimed: that one is the newest itself, or the newest goes back to it,
 * with or without naming it in its metadata log, or does not, or can't tell.
 */
type History = 'newest' | 'logged' | 'forgotten' | 'not-committed' | 'unknown';

const TRIES = 4;
const FIRST_WAIT_MS = 100;

/** Failures that say that the store has refused the request; after any other, it may have carried it out. */
const REFUSALS: readonly string[] = [
  'INVALID_ARGUMENT',
  'UNSUPPORTED',
  'UNAUTHORIZED',
  'RESOURCE_EXHAUSTED',
  'NOT_FOUND',
  'ABORTED',
];

/**
 * The commit protocol of tables that live in a file system alone: version N of the table's metadata is the file
 * `metadata/v<N>.metadata.json`, and whoever creates it has made version N. Iceberg Java's "HadoopCatalog" has the
 * same layout. Everything here is about the one question of who that was, whatever fails meanwhile:
 *
 * 1. The newest version is the one of `version-hint.text` if the next one isn't there, else a listing tells.
 * 2. The claim is one create-if-absent. When its answer is lost it is repeated, and then read back: the file holds
 *    either our bytes or another writer's.
 * 3. A claim may succeed only because the version was trimmed away long ago. It was not if the version below, which we
 *    built on, is still the same file: versions are trimmed from the oldest up. Otherwise newer versions tell.
 */
export class FileSystemTableOperations implements TableOperations {
  readonly name: string;
  readonly io: FileIO;
  readonly location: string;
  readonly metadataDirectory: string;
  readonly #runtime: Runtime;
  readonly #versions = new WeakMap<LoadedMetadata, KnownVersion>();
  #latest: LoadedMetadata | null = null;
  #readOnly: string | null = null;
  /** For the next commit: the version that it builds on, just found to be the newest still. */
  #prepared: KnownVersion | null = null;

  constructor(location: string, io: FileIO, options: FileSystemTableOptions = {}) {
    this.io = io;
    this.location = normalLocation(io, location);
    this.name = options.name ?? this.location;
    this.metadataDirectory = `${this.location}/metadata`;
    this.#runtime = options.runtime ?? systemRuntime;
  }

  get readOnly(): string | null {
    return this.#readOnly;
  }

  newMetadataFileLocation(_metadata: TableMetadata, fileName: string): string {
    return `${this.metadataDirectory}/${fileName}`;
  }

  async load(): Promise<LoadedMetadata> {
    const newest = (this.#latest && (await this.#stillNewest(this.#latest))) ?? (await this.#findNewest());
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
    [this.#prepared] = await Promise.all([this.#stillNewest(base), probed]);
  }

  async makeLast(loaded: LoadedMetadata): Promise<void> {
    const version = this.#versions.get(loaded);
    if (!version) return;
    await this.#makeLast(version);
    await this.#writeHint(version);
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
    const newest = await this.#findNewest();
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
    const current = prepared ?? (await this.#stillNewest(base)) ?? (await this.#findNewest());
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

  // --- finding the newest version -------------------------------------------------------------------------------

  async #findNewest(): Promise<KnownVersion | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        const file = (await this.#hintedVersion()) ?? (await this.#listedVersion());
        return file && this.#known(file);
      } catch (error) {
        // Trimmed or purged since it was found.
        if (!isLakehouseError(error, 'NOT_FOUND') || attempt === TRIES) throw error;
      }
    }
  }

  /**
   * The version that the hint names, if it is there and the next one is not. The one before it must be there, too: it
   * never leaves the log of the newest version, so if it is gone, this is an old version that a stalled writer made anew.
   * It is read while the others are looked for: a store that is far away answers both in the time of one.
   */
  async #hintedVersion(): Promise<StoredVersion | null> {
    const hint = await readVersionHint(this.io, this.metadataDirectory);
    if (hint === null || !/^\d{1,15}$/.test(hint)) return null;
    const version = Number(hint);
    const location = `${this.metadataDirectory}/${claimFileName(version)}`;
    const [before, read, next] = await Promise.all([
      this.#findVersion(version - 1),
      this.#read({ version, location, stat: null }).catch((error: unknown) => ({ error })),
      this.#findVersion(version + 1),
    ]);
    if (next !== null || (before === null && version > 1)) return null;
    if (!('error' in read)) return read;
    if (!isLakehouseError(read.error, 'NOT_FOUND')) throw read.error;
    // It may have been made by others, under another name.
    const file = await this.#findVersion(version);
    return file && this.#read(file);
  }

  async #listedVersion(): Promise<StoredVersion | null> {
    const file = (await listVersionFiles(this.io, this.metadataDirectory)).at(-1);
    return file ? this.#read(file) : null;
  }

  async #findVersion(version: number): Promise<VersionFile | null> {
    const locations = versionFileNames(version).map((name) => `${this.metadataDirectory}/${name}`);
    const stats = await Promise.all(locations.map((location) => this.io.stat(location)));
    const stat = stats.find((each) => each !== null);
    return stat ? { version, location: stat.location, stat } : null;
  }

  /** With the stat of the very file that was read, if the store tells; else with what was known before. */
  async #read(file: VersionFile): Promise<StoredVersion> {
    const read = { ...file };
    const bytes = await this.io.read(file.location, {
      onStat: (stat) => {
        read.stat = stat;
      },
    });
    return { ...read, bytes };
  }

  #known({ version, location, stat, bytes }: StoredVersion): KnownVersion {
    const metadata = parseTableMetadata(bytes, location);
    return this.#remember({ version, location, stat, loaded: { metadata, metadataLocation: location } });
  }

  #remember(version: KnownVersion): KnownVersion {
    this.#versions.set(version.loaded, version);
    this.#latest = version.loaded;
    return version;
  }

  /** A version that was loaded here before, if its file is untouched and no newer one is there; else null. */
  async #stillNewest(base: LoadedMetadata): Promise<KnownVersion | null> {
    const known = this.#versions.get(base);
    if (!known) return null;
    const [same, next] = await Promise.all([this.#isUntouched(known), this.#findVersion(known.version + 1)]);
    return same && next === null ? known : null;
  }

  /** False also when another table has taken the place and has made a version of the same number. */
  async #isUntouched({ location, stat, loaded }: KnownVersion): Promise<boolean> {
    const now = await this.io.stat(location);
    if (now === null) return false;
    if (stat !== null && isSameFile(stat, now)) return true;
    const { tableUuid, lastUpdatedMs } = parseTableMetadata(await this.io.read(location), location);
    return tableUuid === loaded.metadata.tableUuid && lastUpdatedMs === loaded.metadata.lastUpdatedMs;
  }

  // --- publishing a version -------------------------------------------------------------------------------------

  async #publish(base: KnownVersion | null, metadata: TableMetadata): Promise<LoadedMetadata> {
    const version = (base?.version ?? 0) + 1;
    const location = `${this.metadataDirectory}/${claimFileName(version)}`;
    const bytes = serializeTableMetadata(metadata);
    await this.#insist(() => probeConditionalCreate(this.io, this.metadataDirectory, this.#runtime));
    const claim = await this.#claim({ version, location, stat: null }, bytes);
    if (claim === null) {
      // Nobody need look whether it is the newest still.
      this.#latest = null;
      throw this.#conflict(version);
    }
    const { file, lasts } = claim;
    const loaded = { metadata, metadataLocation: location };
    if (!(await this.#confirm(file, base, metadata))) return loaded;
    if (!lasts) await this.#makeLast(file);
    await this.#writeHint(file);
    if (!(DROPPED_AT in metadata.properties)) {
      await trimOldVersions(this.io, this.metadataDirectory, { version, metadata, nowMs: this.#runtime.now() });
    }
    return this.#remember({ ...file, loaded }).loaded;
  }

  /**
   * The claim if it is ours, null if it is another writer's; COMMIT_STATE_UNKNOWN when that can't be told.
   * A claim that failed without a clear refusal may have been carried out, or may yet be. It is repeated with the same
   * bytes, so that it does not matter which of the requests gets through.
   */
  async #claim(wanted: VersionFile, bytes: Uint8Array): Promise<Claim | null> {
    let doubt: unknown = null;
    let lasts = false;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (attempt > 0) await this.#runtime.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
      try {
        const stat = await this.io.write(wanted.location, bytes, { ifNoneMatch: true });
        // After a doubtful request this file may be the second one that we made under this name.
        return { file: doubt === null ? { ...wanted, stat } : wanted, lasts: true };
      } catch (error) {
        lasts = isLakehouseError(error, 'ALREADY_EXISTS');
        if (lasts) break;
        const refused = isLakehouseError(error) && REFUSALS.includes(error.code);
        if (refused && doubt === null) throw error;
        doubt ??= error;
        if (refused) break;
      }
    }
    return (await this.#isOurs(wanted.location, bytes, doubt)) ? { file: wanted, lasts } : null;
  }

  /**
   * Reads a claimed version back. Bytes that equal ours count as ours: two writers who make the same change of the same
   * version at the same millisecond have both made it.
   */
  async #isOurs(location: string, bytes: Uint8Array, doubt: unknown): Promise<boolean> {
    try {
      const found = await this.#insist(() => this.io.read(location));
      return found.length === bytes.length && found.every((byte, index) => byte === bytes[index]);
    } catch (error) {
      // Without a doubt someone else had it, and it is gone since; with one, our request may still be on its way.
      if (isLakehouseError(error, 'NOT_FOUND') && doubt === null) return false;
      throw this.#stateUnknown(location, doubt ?? error);
    }
  }

  /**
   * Makes sure that a version that was claimed is not one that others made and trimmed long ago, while this writer
   * slept. True if it is the newest version, false if newer ones already go back to it. COMMIT_CONFLICT if they don't.
   */
  async #confirm(claimed: VersionFile, base: KnownVersion | null, metadata: TableMetadata): Promise<boolean> {
    let history: History;
    try {
      if (base && (await this.#insist(() => this.#isUntouched(base)))) return true;
      history = await this.#insist(() => this.#historyOf(claimed, base, metadata));
    } catch (error) {
      throw this.#stateUnknown(claimed.location, error);
    }
    if (history === 'newest') return true;
    // What newer versions don't name may have been made anew. It goes away, for nobody to take it for the newest
    // version; they stand without it.
    if (history !== 'logged') await this.io.delete([claimed.location]).catch(() => undefined);
    if (history === 'not-committed') throw this.#conflict(claimed.version);
    if (history === 'unknown') throw this.#stateUnknown(claimed.location, null);
    return false;
  }

  async #historyOf(claimed: VersionFile, base: KnownVersion | null, ours: TableMetadata): Promise<History> {
    const newer = (await listVersionFiles(this.io, this.metadataDirectory)).filter(
      ({ version }) => version > claimed.version,
    );
    const [next, newest] = [newer[0], newer.at(-1)];
    // A new table has nothing to be built on; one whose base has vanished was dropped and purged meanwhile.
    if (!next || !newest) return base === null ? 'newest' : 'not-committed';
    const metadata = parseTableMetadata(await this.io.read(newest.location), newest.location);
    const told = historyIn(metadata, claimed, base?.loaded.metadata ?? null, ours);
    return told === 'unknown' && isOlder(next.stat, claimed.stat) ? 'not-committed' : told;
  }

  /** What is written to a directory to last takes along what was put there before. */
  async #makeLast(version: VersionFile): Promise<void> {
    try {
      await this.#insist(() => this.io.write(`${this.metadataDirectory}/${VERSION_HINT}`, hintOf(version)));
    } catch (error) {
      throw this.#stateUnknown(version.location, error);
    }
  }

  /**
   * The hint is advice: it may fail, and lag behind. But a slow writer must not leave an older one than it found, for
   * engines that trust it, so whoever wrote one looks for a newer version afterwards.
   */
  async #writeHint(version: VersionFile): Promise<void> {
    try {
      for (let newest: VersionFile | null = version; newest; newest = await this.#newerThan(newest)) {
        await this.io.write(`${this.metadataDirectory}/${VERSION_HINT}`, hintOf(newest), { durable: false });
      }
    } catch {
      // The commit is done; whoever reads next finds the version by listing.
    }
  }

  async #newerThan({ version, location }: VersionFile): Promise<VersionFile | null> {
    const [next, stat] = await Promise.all([this.#findVersion(version + 1), this.io.stat(location)]);
    if (next !== null || stat !== null) return next;
    const listed = (await listVersionFiles(this.io, this.metadataDirectory)).at(-1);
    return listed && listed.version > version ? listed : null;
  }

  /** Repeats what fails, as long as the failure says that this makes sense. */
  async #insist<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (attempt === TRIES || (isLakehouseError(error) && !error.retryable)) throw error;
        await this.#runtime.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
      }
    }
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

  #conflict(version: number): LakehouseError {
    const message = `Another writer made version ${version} of table ${this.name} first; load it again and retry.`;
    return new LakehouseError('COMMIT_CONFLICT', message, { retryable: true, context: { table: this.name, version } });
  }

  #stateUnknown(location: string, cause: unknown): LakehouseError {
    const message = `Whether the commit to table ${this.name} succeeded is unknown: nothing tells any more who made '${location}'. Look at the table before trying again, and delete no files.`;
    return new LakehouseError('COMMIT_STATE_UNKNOWN', message, { context: { table: this.name, location }, cause });
  }
}

export function fileSystemTableOperations(
  location: string,
  io: FileIO,
  options: FileSystemTableOptions = {},
): FileSystemTableOperations {
  return new FileSystemTableOperations(location, io, options);
}

function hintOf({ version }: VersionFile): Uint8Array {
  return new TextEncoder().encode(String(version));
}

function isDropped({ loaded }: KnownVersion): boolean {
  return DROPPED_AT in loaded.metadata.properties;
}

/** Of two stats of one name. False if they can't tell. */
function isSameFile(a: FileStat, b: FileStat): boolean {
  // Stores that know no more of times than the second have etags.
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  return a.lastModifiedMs !== undefined && a.lastModifiedMs === b.lastModifiedMs && a.size === b.size;
}

function isOlder(a: FileStat | null, b: FileStat | null): boolean {
  return a?.lastModifiedMs !== undefined && b?.lastModifiedMs !== undefined && a.lastModifiedMs < b.lastModifiedMs;
}

/**
 * Whether a newer version goes back to the claimed one: its metadata log has the file with our time, or a snapshot that
 * we added is there. Unknown if the log does not reach back so far.
 */
function historyIn(
  newer: TableMetadata,
  claimed: VersionFile,
  base: TableMetadata | null,
  ours: TableMetadata,
): Exclude<History, 'newest'> {
  if (newer.tableUuid !== ours.tableUuid) return 'not-committed';
  const logged = newer.metadataLog.map((entry) => ({ ...entry, version: versionOf(fileNameOf(entry.metadataFile)) }));
  const entries = logged.filter((entry) => entry.version === claimed.version);
  if (entries.length > 0) {
    return entries.some((entry) => entry.timestampMs === ours.lastUpdatedMs) ? 'logged' : 'not-committed';
  }
  const before = new Set(base?.snapshots.map((snapshot) => snapshot.snapshotId));
  const now = new Set(newer.snapshots.map((snapshot) => snapshot.snapshotId));
  if (ours.snapshots.some(({ snapshotId }) => !before.has(snapshotId) && now.has(snapshotId))) return 'forgotten';
  return logged.some(({ version }) => version !== null && version < claimed.version) ? 'not-committed' : 'unknown';
}
