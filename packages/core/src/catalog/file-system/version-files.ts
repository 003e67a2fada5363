import { isLakehouseError } from '../../errors.ts';
import type { FileIO, FileStat } from '../../io/file-io.ts';

/** A file of a table's metadata directory that holds one version of its metadata. */
export interface VersionFile {
  readonly version: number;
  readonly location: string;
  /** As it was when the file was read or written, or before, to know the very same file again. Null if unknown. */
  readonly stat: FileStat | null;
}

/**
 * In the order in which they count. Only the first is ever claimed: with several names, several writers could each
 * win "their" version 6. The others are those that Iceberg Java gives compressed metadata, now and in the past.
 */
const SUFFIXES = ['.metadata.json', '.gz.metadata.json', '.metadata.json.gz'] as const;

const VERSION_FILE = /^v(\d{1,15})(\.metadata\.json|\.gz\.metadata\.json|\.metadata\.json\.gz)$/;

export const VERSION_HINT = 'version-hint.text';

/** The one name that a commit of this version has to create. */
export function claimFileName(version: number): string {
  return `v${version}${SUFFIXES[0]}`;
}

/** Every name under which a version may be found. */
function versionFileNames(version: number): readonly string[] {
  return SUFFIXES.map((suffix) => `v${version}${suffix}`);
}

/** The version that a file of the directory holds; null if it holds none. */
export function versionOf(fileName: string): number | null {
  const match = VERSION_FILE.exec(fileName);
  return match ? Number(match[1]) : null;
}

/** A version by its number; null if there is none. */
export async function findVersionFile(io: FileIO, directory: string, version: number): Promise<VersionFile | null> {
  const locations = versionFileNames(version).map((name) => `${directory}/${name}`);
  const stats = await Promise.all(locations.map((location) => io.stat(location)));
  const stat = stats.find((each) => each !== null);
  return stat ? { version, location: stat.location, stat } : null;
}

/** All versions in the directory, oldest first; of a version with several files, the one that counts. */
export async function listVersionFiles(io: FileIO, directory: string): Promise<readonly VersionFile[]> {
  const found = new Map<number, VersionFile>();
  for await (const file of io.list(`${directory}/v`)) {
    const version = versionOf(file.location.slice(directory.length + 1));
    if (version === null) continue;
    const other = found.get(version);
    if (!other || rank(file.location) < rank(other.location))
      found.set(version, { version, location: file.location, stat: file });
  }
  return [...found.values()].toSorted((a, b) => a.version - b.version);
}

function rank(location: string): number {
  return SUFFIXES.findLastIndex((suffix) => location.endsWith(suffix));
}

/** What the hint says: a version, for a table of other catalogs perhaps a file; null if there is no hint. */
export async function readVersionHint(io: FileIO, directory: string): Promise<string | null> {
  try {
    return new TextDecoder().decode(await io.read(`${directory}/${VERSION_HINT}`)).trim();
  } catch (error) {
    if (isLakehouseError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}
