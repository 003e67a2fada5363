import { LakehouseError, isLakehouseError } from '../../errors.ts';
import type { FileIO, FileStat } from '../../io/file-io.ts';
import type { Runtime } from '../../runtime.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../spec/table-metadata-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { LoadedMetadata } from '../catalog.ts';
import { historyIn, type History } from './claimed-in-history.ts';
import { probeConditionalCreate } from './probe-conditional-create.ts';
import { VERSION_HINT, claimFileName, findVersionFile, listVersionFiles, type VersionFile } from './version-files.ts';
import type { KnownVersion, VersionFinder } from './version-finder.ts';

/** The table that versions are published of. */
export interface PublishedTable {
  /** For messages. */
  readonly name: string;
  readonly io: FileIO;
  /** Of its metadata. */
  readonly directory: string;
  readonly runtime: Runtime;
  readonly finder: VersionFinder;
}

export interface Published {
  readonly version: number;
  readonly loaded: LoadedMetadata;
  /** False if newer versions go back to it already. */
  readonly isNewest: boolean;
}

/** A version's file that is ours. */
interface Claim {
  readonly file: VersionFile;
  /** False if the store has never said that it has the file: a disk may have failed to sync its name. */
  readonly lasts: boolean;
}

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
 * Makes versions, so that whoever creates the file of one has made it, whatever fails meanwhile:
 *
 * 1. The claim is one create-if-absent. When its answer is lost it is repeated, and then read back: the file holds
 *    either our bytes or another writer's.
 * 2. A claim may succeed only because the version was trimmed away long ago. It was not if the version below, which we
 *    built on, is still the same file: versions are trimmed from the oldest up. Otherwise newer versions tell.
 * 3. A claim that the store never confirmed is made last, for no power failure to take it away, before it is acknowledged.
 */
export class VersionPublisher {
  readonly #table: PublishedTable;
  readonly #io: FileIO;
  readonly #directory: string;
  readonly #runtime: Runtime;

  constructor(table: PublishedTable) {
    this.#table = table;
    this.#io = table.io;
    this.#directory = table.directory;
    this.#runtime = table.runtime;
  }

  /**
   * Makes the version after `base`, or the first one. COMMIT_CONFLICT if another writer has made it;
   * COMMIT_STATE_UNKNOWN if it can't be told who has.
   */
  async publish(base: KnownVersion | null, metadata: TableMetadata): Promise<Published> {
    const version = (base?.version ?? 0) + 1;
    const location = `${this.#directory}/${claimFileName(version)}`;
    const bytes = serializeTableMetadata(metadata);
    await this.#insist(() => probeConditionalCreate(this.#io, this.#directory, this.#runtime));
    const claim = await this.#claim({ version, location, stat: null }, bytes);
    if (claim === null) {
      this.#table.finder.forget();
      throw this.#conflict(version);
    }
    const { file, lasts } = claim;
    const loaded = { metadata, metadataLocation: location };
    if (!(await this.#confirm(file, base, metadata))) return { version, loaded, isNewest: false };
    if (!lasts) await this.#overwriteHint(file);
    await this.#writeHint(file);
    this.#table.finder.remember({ ...file, loaded });
    return { version, loaded, isNewest: true };
  }

  /** Makes sure that no power failure takes a version away. COMMIT_STATE_UNKNOWN if that isn't sure. */
  async makeLast(version: VersionFile): Promise<void> {
    await this.#overwriteHint(version);
    await this.#writeHint(version);
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
        const stat = await this.#io.write(wanted.location, bytes, { ifNoneMatch: true });
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
      const found = await this.#insist(() => this.#io.read(location));
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
      if (base && (await this.#insist(() => this.#table.finder.isUntouched(base)))) return true;
      history = await this.#insist(() => this.#historyOf(claimed, base, metadata));
    } catch (error) {
      throw this.#stateUnknown(claimed.location, error);
    }
    if (history === 'newest') return true;
    // What newer versions don't name may have been made anew. It goes away, for nobody to take it for the newest
    // version; they stand without it.
    if (history !== 'logged') await this.#io.delete([claimed.location]).catch(() => undefined);
    if (history === 'not-committed') throw this.#conflict(claimed.version);
    if (history === 'unknown') throw this.#stateUnknown(claimed.location, null);
    return false;
  }

  async #historyOf(claimed: VersionFile, base: KnownVersion | null, ours: TableMetadata): Promise<History> {
    const newer = (await listVersionFiles(this.#io, this.#directory)).filter(
      ({ version }) => version > claimed.version,
    );
    const [next, newest] = [newer[0], newer.at(-1)];
    // A new table has nothing to be built on; one whose base has vanished was dropped and purged meanwhile.
    if (!next || !newest) return base === null ? 'newest' : 'not-committed';
    const metadata = parseTableMetadata(await this.#io.read(newest.location), newest.location);
    const told = historyIn(metadata, claimed, base?.loaded.metadata ?? null, ours);
    return told === 'unknown' && isOlder(next.stat, claimed.stat) ? 'not-committed' : told;
  }

  /** What is written to a directory to last takes along what was put there before. */
  async #overwriteHint(version: VersionFile): Promise<void> {
    try {
      await this.#insist(() => this.#io.write(`${this.#directory}/${VERSION_HINT}`, hintOf(version)));
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
        await this.#io.write(`${this.#directory}/${VERSION_HINT}`, hintOf(newest), { durable: false });
      }
    } catch {
      // The commit is done; whoever reads next finds the version by listing.
    }
  }

  async #newerThan({ version, location }: VersionFile): Promise<VersionFile | null> {
    const [next, stat] = await Promise.all([
      findVersionFile(this.#io, this.#directory, version + 1),
      this.#io.stat(location),
    ]);
    if (next !== null || stat !== null) return next;
    const listed = (await listVersionFiles(this.#io, this.#directory)).at(-1);
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

  #conflict(version: number): LakehouseError {
    const message = `Another writer made version ${version} of table ${this.#table.name} first; load it again and retry.`;
    return new LakehouseError('COMMIT_CONFLICT', message, {
      retryable: true,
      context: { table: this.#table.name, version },
    });
  }

  #stateUnknown(location: string, cause: unknown): LakehouseError {
    const message = `Whether the commit to table ${this.#table.name} succeeded is unknown: nothing tells any more who made '${location}'. Look at the table before trying again, and delete no files.`;
    return new LakehouseError('COMMIT_STATE_UNKNOWN', message, {
      context: { table: this.#table.name, location },
      cause,
    });
  }
}

function hintOf({ version }: VersionFile): Uint8Array {
  return new TextEncoder().encode(String(version));
}

function isOlder(a: FileStat | null, b: FileStat | null): boolean {
  return a?.lastModifiedMs !== undefined && b?.lastModifiedMs !== undefined && a.lastModifiedMs < b.lastModifiedMs;
}
