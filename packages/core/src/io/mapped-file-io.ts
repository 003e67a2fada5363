import { invalidArgument } from '../errors.ts';
import { directoriesOfFiles, directoryPrefix, listDirectories } from './list-directories.ts';
import type {
  DeleteResult,
  FileData,
  FileIO,
  FileIOCapabilities,
  FileStat,
  IOOptions,
  ReadOptions,
  WriteOptions,
} from './file-io.ts';

interface Mapping {
  readonly from: string;
  readonly to: string;
}

/**
 * Reads and writes under other locations than those that a table names: for tables that were copied or moved, whose
 * metadata still holds the old locations. Prefixes are plain text, so end them with a slash to mean a directory;
 * the longest one that matches counts, and what none matches stays as it is. Results carry the outer locations.
 * A location that climbs out of the place that it is mapped to (`s3://old/../../etc/passwd`) is INVALID_ARGUMENT.
 */
export class MappedFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities;
  readonly moveIn?: NonNullable<FileIO['moveIn']>;
  readonly deleteUnfinishedWrites?: NonNullable<FileIO['deleteUnfinishedWrites']>;
  readonly #io: FileIO;
  /** Longest first. */
  readonly #mappings: readonly Mapping[];

  constructor(io: FileIO, prefixes: Readonly<Record<string, string>>) {
    this.#io = io;
    this.#mappings = Object.entries(prefixes)
      .map(([from, to]) => ({ from, to }))
      .toSorted((a, b) => b.from.length - a.from.length);
    for (const { from, to } of this.#mappings) {
      if (from === '' || to === '') throw invalidArgument('A prefix to map from or to must not be empty.');
      if (from.endsWith('/') && !to.endsWith('/')) {
        throw invalidArgument(
          `'${from}' maps to '${to}', which has no slash at its end: file names would stick to it.`,
        );
      }
    }
    const { localPath, s3Object, ...capabilities } = io.capabilities;
    const inner = <T>(of: (location: string) => T | null) => {
      return (location: string): T | null => (this.#climbsOut(location) ? null : of(this.#resolve(location)));
    };
    this.capabilities = {
      ...capabilities,
      ...(localPath && { localPath: inner(localPath) }),
      ...(s3Object && { s3Object: inner(s3Object) }),
    };
    if (io.deleteUnfinishedWrites) {
      this.deleteUnfinishedWrites = async (prefix, options) => {
        const resolved = this.#resolve(prefix);
        const { deleted, failed } = await io.deleteUnfinishedWrites!(resolved, options);
        const outer = (location: string): string => prefix + location.slice(resolved.length);
        return {
          deleted: deleted.map(outer),
          failed: failed.map(({ location, error }) => ({ location: outer(location), error })),
        };
      };
    }
    if (io.moveIn) {
      this.moveIn = async (path, location, options) => ({
        ...(await io.moveIn!(path, this.#resolve(location), options)),
        location,
      });
    }
  }

  async read(location: string, options?: ReadOptions): Promise<Uint8Array> {
    const { onStat, ...rest } = options ?? {};
    const told = onStat && { onStat: (stat: FileStat) => onStat({ ...stat, location }) };
    return this.#io.read(this.#resolve(location), { ...rest, ...told });
  }

  async stat(location: string, options?: IOOptions): Promise<FileStat | null> {
    const stat = await this.#io.stat(this.#resolve(location), options);
    return stat && { ...stat, location };
  }

  async write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    return { ...(await this.#io.write(this.#resolve(location), data, options)), location };
  }

  async *list(prefix: string, options?: IOOptions): AsyncIterable<FileStat> {
    for (const mapping of this.#mappings) yield* this.#listThrough(mapping, prefix, options);
    // Locations that no mapping matches: there are none if one matches the whole prefix.
    if (this.#mappingOf(prefix) === null) {
      for await (const stat of this.#io.list(prefix, options)) {
        if (this.#mappingOf(stat.location) === null) yield stat;
      }
    }
  }

  async delete(locations: readonly string[], options?: IOOptions): Promise<DeleteResult> {
    const outer = new Map<string, string[]>();
    for (const location of locations) {
      const inner = this.#resolve(location);
      outer.set(inner, [...(outer.get(inner) ?? []), location]);
    }
    const result = await this.#io.delete([...outer.keys()], options);
    return {
      deleted: result.deleted.flatMap((inner) => outer.get(inner) ?? []),
      failed: result.failed.flatMap(({ location: inner, error }) =>
        (outer.get(inner) ?? []).map((location) => ({ location, error })),
      ),
    };
  }

  async *listDirectories(location: string, options?: IOOptions): AsyncIterable<string> {
    const prefix = directoryPrefix(location);
    const mappedBelow = this.#mappings.some(({ from }) => from.length > prefix.length && from.startsWith(prefix));
    // With a mapping that starts somewhere below this level, the level is only known from the files.
    yield* mappedBelow
      ? await directoriesOfFiles(this.list(prefix, options), prefix)
      : await listDirectories(this.#io, this.#resolve(prefix), options);
  }

  /** The files under a prefix that this very mapping, and no longer one, resolves. */
  async *#listThrough(mapping: Mapping, prefix: string, options: IOOptions | undefined): AsyncIterable<FileStat> {
    const { from, to } = mapping;
    if (!from.startsWith(prefix) && !prefix.startsWith(from)) return;
    const inner = from.startsWith(prefix) ? to : to + prefix.slice(from.length);
    for await (const stat of this.#io.list(inner, options)) {
      const location = from + stat.location.slice(to.length);
      if (this.#mappingOf(location) === mapping) yield { ...stat, location };
    }
  }

  #mappingOf(location: string): Mapping | null {
    return this.#mappings.find(({ from }) => location.startsWith(from)) ?? null;
  }

  #resolve(location: string): string {
    if (this.#climbsOut(location)) {
      throw invalidArgument(`'${location}' leads out of the place that its prefix is mapped to.`, { location });
    }
    const mapping = this.#mappingOf(location);
    return mapping ? mapping.to + location.slice(mapping.from.length) : location;
  }

  /** Stores take `..` for a name like any other, but file systems don't: what a mapped table names must stay in it. */
  #climbsOut(location: string): boolean {
    const mapping = this.#mappingOf(location);
    if (mapping === null) return false;
    const rest = location.slice(mapping.from.length);
    const [partOfPrefix, ...below] = rest.split(/[/\\]/);
    let depth = 0;
    for (const name of mapping.to.endsWith('/') ? [partOfPrefix!, ...below] : below) {
      if (name === '..') depth--;
      else if (name !== '' && name !== '.') depth++;
      if (depth < 0) return true;
    }
    return false;
  }
}
