import { isLakehouseError } from '../../errors.ts';
import type { FileIO, FileStat } from '../../io/file-io.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import type { LoadedMetadata } from '../catalog.ts';
import {
  claimFileName,
  findVersionFile,
  listVersionFiles,
  readVersionHint,
  type VersionFile,
} from './version-files.ts';

/** A version of the table that was read or written here. */
export interface KnownVersion extends VersionFile {
  readonly loaded: LoadedMetadata;
}

/** A version's file as it was read. */
interface StoredVersion extends VersionFile {
  readonly bytes: Uint8Array;
}

/** How often a version is looked for that vanishes when it is to be read. */
const TRIES = 5;

/**
 * Which version of a table is the newest, as its metadata directory tells: the one of `version-hint.text` if the next
 * one isn't there, else a listing tells. Only reads, and knows again what it has read.
 */
export class VersionFinder {
  readonly #io: FileIO;
  readonly #directory: string;
  readonly #versions = new WeakMap<LoadedMetadata, KnownVersion>();
  #latest: LoadedMetadata | null = null;

  constructor(io: FileIO, directory: string) {
    this.#io = io;
    this.#directory = directory;
  }

  /** The newest version; null if there is none. What was found before, if it still is. */
  async newest(): Promise<KnownVersion | null> {
    return (this.#latest && (await this.ifNewest(this.#latest))) ?? this.find();
  }

  /** The same, whatever was found before. */
  async find(): Promise<KnownVersion | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        const file = (await this.#hintedVersion()) ?? (await this.#listedVersion());
        return file && this.#parsed(file);
      } catch (error) {
        // Trimmed or purged since it was found.
        if (!isLakehouseError(error, 'NOT_FOUND') || attempt === TRIES) throw error;
      }
    }
  }

  /** A version that was loaded here before, if its file is untouched and no newer one is there; else null. */
  async ifNewest(base: LoadedMetadata): Promise<KnownVersion | null> {
    const known = this.#versions.get(base);
    if (!known) return null;
    const [same, next] = await Promise.all([
      this.isUntouched(known),
      findVersionFile(this.#io, this.#directory, known.version + 1),
    ]);
    return same && next === null ? known : null;
  }

  /**
   * Whether the version's file is the very one. False also when another table has taken the place and has made a version
   * of the same number.
   */
  async isUntouched({ location, stat, loaded }: KnownVersion): Promise<boolean> {
    const now = await this.#io.stat(location);
    if (now === null) return false;
    if (stat !== null && isSameFile(stat, now)) return true;
    const { tableUuid, lastUpdatedMs } = parseTableMetadata(await this.#io.read(location), location);
    return tableUuid === loaded.metadata.tableUuid && lastUpdatedMs === loaded.metadata.lastUpdatedMs;
  }

  /** A version that was found or remembered here. */
  known(loaded: LoadedMetadata): KnownVersion | null {
    return this.#versions.get(loaded) ?? null;
  }

  /** The version is the newest as far as is known. */
  remember(version: KnownVersion): KnownVersion {
    this.#versions.set(version.loaded, version);
    this.#latest = version.loaded;
    return version;
  }

  /** Another version has come: nobody need look whether the one that was found is the newest still. */
  forget(): void {
    this.#latest = null;
  }

  /**
   * The version that the hint names, if it is there and the next one is not. The one before it must be there, too: it
   * never leaves the log of the newest version, so if it is gone, this is an old version that a stalled writer made anew.
   * It is read while the others are looked for: a store that is far away answers both in the time of one.
   */
  async #hintedVersion(): Promise<StoredVersion | null> {
    const hint = await readVersionHint(this.#io, this.#directory);
    if (hint === null || !/^\d{1,15}$/.test(hint)) return null;
    const version = Number(hint);
    const location = `${this.#directory}/${claimFileName(version)}`;
    const [before, read, next] = await Promise.all([
      findVersionFile(this.#io, this.#directory, version - 1),
      this.#read({ version, location, stat: null }).catch((error: unknown) => ({ error })),
      findVersionFile(this.#io, this.#directory, version + 1),
    ]);
    if (next !== null || (before === null && version > 1)) return null;
    if (!('error' in read)) return read;
    if (!isLakehouseError(read.error, 'NOT_FOUND')) throw read.error;
    // It may have been made by others, under another name.
    const file = await findVersionFile(this.#io, this.#directory, version);
    return file && this.#read(file);
  }

  async #listedVersion(): Promise<StoredVersion | null> {
    const file = (await listVersionFiles(this.#io, this.#directory)).at(-1);
    return file ? this.#read(file) : null;
  }

  /** With the stat of the very file that was read, if the store tells; else with what was known before. */
  async #read(file: VersionFile): Promise<StoredVersion> {
    const read = { ...file };
    const bytes = await this.#io.read(file.location, {
      onStat: (stat) => {
        read.stat = stat;
      },
    });
    return { ...read, bytes };
  }

  #parsed({ version, location, stat, bytes }: StoredVersion): KnownVersion {
    const metadata = parseTableMetadata(bytes, location);
    return this.remember({ version, location, stat, loaded: { metadata, metadataLocation: location } });
  }
}

/** Of two stats of one name. False if they can't tell. */
function isSameFile(a: FileStat, b: FileStat): boolean {
  // Stores that know no more of times than the second have etags.
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  return a.lastModifiedMs !== undefined && a.lastModifiedMs === b.lastModifiedMs && a.size === b.size;
}
