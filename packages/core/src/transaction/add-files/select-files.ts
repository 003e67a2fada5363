import { LakehouseError, invalidArgument, throwIfAborted, unsupported } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { globMatcher } from '../../io/glob.ts';
import { directoryPrefix } from '../../io/list-directories.ts';
import { fileKeyOf } from '../../io/locations.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import { directoryText, directoryValues } from './path-values.ts';
import type { FoundFile } from './stored-file.ts';

/**
 * Which files are meant: locations of files, or a directory with everything below it, but for names that begin with `_` or
 * `.`, and empty files. `pattern` is a glob of paths below the directory, such as `*.parquet` or `year=2024/**`.
 */
export type FileSelection = readonly string[] | string | DirectorySelection | SelectedFiles;

/** Files that were looked up before. */
export interface SelectedFiles {
  readonly selected: readonly SelectedFile[];
}

export interface DirectorySelection {
  readonly directory: string;
  readonly pattern?: string | undefined;
  /** Only files of directories that say so: `{ country: 'KR' }` those below `country=KR`. */
  readonly partition?: Readonly<Record<string, string>> | undefined;
}

export interface SelectedFile extends FoundFile {
  /** The part of its location whose directories may tell of its partition: of a directory's files what is below it. */
  readonly hivePath: string;
}

export interface SelectOptions {
  /** How many files are looked for at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The files of a selection with their sizes, in the order given, those of a directory by name. NOT_FOUND if there are
 * none; INVALID_ARGUMENT for relative locations and for one that is given twice.
 */
export async function selectFiles(
  io: FileIO,
  selection: FileSelection,
  options: SelectOptions,
): Promise<readonly SelectedFile[]> {
  if (typeof selection === 'string') {
    const [file] = await statFiles(io, [selection], options, true);
    return file ? [file] : listFiles(io, { directory: selection }, options);
  }
  if (Array.isArray(selection)) return statFiles(io, selection as readonly string[], options, false);
  const { selected, directory, pattern, partition } = (selection ?? {}) as Partial<SelectedFiles & DirectorySelection>;
  if (selected !== undefined) return selected;
  if (typeof directory === 'string') return listFiles(io, { directory, pattern, partition }, options);
  throw invalidArgument("Name the files to add as ['/data/a.parquet'], '/data', or { directory, pattern }.");
}

async function statFiles(
  io: FileIO,
  locations: readonly string[],
  { concurrency, signal }: SelectOptions,
  mayBeMissing: boolean,
): Promise<readonly SelectedFile[]> {
  const seen = new Set<string>();
  for (const location of locations) {
    checkAbsolute(location);
    const key = fileKeyOf(io, location);
    if (seen.has(key)) throw invalidArgument(`${location} is given twice.`, { path: location });
    seen.add(key);
  }
  const files: SelectedFile[] = [];
  const stats = lookAhead(locations, concurrency, async (location) => {
    throwIfAborted(signal);
    return [location, await io.stat(location, signal ? { signal } : {})] as const;
  });
  for await (const [location, stat] of stats) {
    if (stat !== null) files.push({ location, size: stat.size, hivePath: location });
    else if (!mayBeMissing) throw notFound(location, `There is no file ${location} to add.`);
  }
  return files;
}

/** A manifest's paths are opaque and are read from anywhere: a relative one would mean another file there. */
function checkAbsolute(location: string): void {
  if (typeof location === 'string' && /^(\/|[a-z][a-z0-9+.-]*:)/i.test(location)) return;
  throw invalidArgument(`Name files and directories by absolute paths or URIs, not '${location}'.`);
}

async function listFiles(
  io: FileIO,
  { directory, pattern, partition = {} }: DirectorySelection,
  { signal }: SelectOptions,
): Promise<readonly SelectedFile[]> {
  checkAbsolute(directory);
  const prefix = directoryPrefix(directory);
  const fits = pattern === undefined ? () => true : globMatcher(pattern);
  const matches = (path: string): boolean => fits(path) && isInPartition(path, partition);
  const files: SelectedFile[] = [];
  const tables = new Map<string, string>();
  for await (const { location, size } of io.list(prefix, signal ? { signal } : {})) {
    const path = location.slice(prefix.length);
    addTableOfFormat(tables, path);
    if (size > 0 && path !== '' && !path.split('/').some(isHidden) && matches(path)) {
      files.push({ location, size, hivePath: path });
    }
  }
  if (files.length === 0) {
    const of = Object.entries(partition).map(([name, value]) => `${name}=${value}`);
    const which = `${pattern === undefined ? '' : ` that '${pattern}' matches`}${of.length > 0 ? ` of ${of.join('/')}` : ''}`;
    throw notFound(directory, `There are no files${which} in ${directory}.`);
  }
  for (const { location, hivePath } of files) refuseFileOfTable(tables, hivePath, location);
  return files.toSorted((a, b) => (a.location < b.location ? -1 : 1));
}

function isInPartition(path: string, partition: Readonly<Record<string, string>>): boolean {
  const values = directoryValues(path);
  return Object.entries(partition).every(([name, value]) => {
    const raw = values.get(name);
    // A plus sign is itself to Hive, and a space to Iceberg.
    return raw !== undefined && [raw, raw.replaceAll('+', ' ')].some((text) => directoryText(text) === value);
  });
}

/** As engines on Hive's directories have it: partition directories are never hidden. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || (name.startsWith('_') && !name.includes('='));
}

/** Directories of logs, beside which files lie that may be no part of their table any more. */
const LOGS: readonly (readonly [format: string, file: RegExp])[] = [
  ['a Delta Lake', /(?:^|\/)_delta_log\//],
  ['a Hudi', /(?:^|\/)\.hoodie\//],
  ['an Iceberg', /(?:^|\/)metadata\/[^/]*\.metadata\.json$/],
];

/** Notes the root of the table, below the listed directory, whose log the file is of. */
function addTableOfFormat(tables: Map<string, string>, path: string): void {
  for (const [format, file] of LOGS) {
    const at = path.search(file);
    if (at >= 0) tables.set(path.slice(0, at), format);
  }
}

function refuseFileOfTable(tables: ReadonlyMap<string, string>, path: string, location: string): void {
  for (let end = path.lastIndexOf('/'); ; end = path.lastIndexOf('/', end - 1)) {
    const format = tables.get(path.slice(0, Math.max(0, end)));
    if (format !== undefined) {
      throw unsupported(
        `${location} is in the directory of ${format} table, whose metadata says which of its files count. Name those that do, or read the table and append its rows.`,
        { path: location },
      );
    }
    if (end <= 0) return;
  }
}

function notFound(path: string, message: string): Error {
  return new LakehouseError('NOT_FOUND', message, { context: { path } });
}
