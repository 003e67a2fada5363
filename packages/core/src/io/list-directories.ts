import type { FileIO, FileStat, IOOptions } from './file-io.ts';

/** The names of the "directories" one level below a location, sorted, each once, without a slash. */
export async function listDirectories(io: FileIO, location: string, options?: IOOptions): Promise<readonly string[]> {
  if (!io.listDirectories) {
    const prefix = directoryPrefix(location);
    return directoriesOfFiles(io.list(prefix, options), prefix);
  }
  const names = new Set<string>();
  for await (const name of io.listDirectories(location, options)) names.add(name);
  return [...names].toSorted();
}

/** What `listDirectories` gives, taken from all the files below the prefix. */
export async function directoriesOfFiles(files: AsyncIterable<FileStat>, prefix: string): Promise<readonly string[]> {
  const names = new Set<string>();
  for await (const file of files) {
    const end = file.location.indexOf('/', prefix.length);
    if (end > prefix.length) names.add(file.location.slice(prefix.length, end));
  }
  return [...names].toSorted();
}

/** The prefix that everything below a location has: the location with one slash at its end. */
export function directoryPrefix(location: string): string {
  return location.endsWith('/') ? location : `${location}/`;
}
