import type { FileIO } from '../../io/file-io.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import { readVersionHint, versionOf } from './version-files.ts';

const METADATA_FILE = /^[^/]+\.metadata\.json(?:\.gz)?$/;

/**
 * The newest metadata of a table that another catalog keeps (`00007-<uuid>.metadata.json`), as far as its directory
 * tells: what the hint names, else the highest number, else the latest update. Null if there is no metadata at all.
 */
export async function findForeignMetadata(io: FileIO, directory: string): Promise<string | null> {
  const names: string[] = [];
  for await (const file of io.list(`${directory}/`)) {
    const name = file.location.slice(directory.length + 1);
    if (METADATA_FILE.test(name) && versionOf(name) === null) names.push(name);
  }
  if (names.length === 0) return null;
  const hint = await readVersionHint(io, directory);
  const hinted = names.find((name) => name === hint || name === `${hint}.metadata.json`);
  if (hinted !== undefined) return `${directory}/${hinted}`;
  const highest = names.reduce((most, name) => Math.max(most, sequenceOf(name)), -1);
  return latest(
    io,
    names.filter((name) => sequenceOf(name) === highest).map((name) => `${directory}/${name}`),
  );
}

/** A commit that failed leaves its file behind, so a number may be there twice. */
async function latest(io: FileIO, locations: readonly string[]): Promise<string> {
  let [newest, newestMs] = [locations[0]!, -1];
  if (locations.length === 1) return newest;
  for (const location of locations) {
    const { lastUpdatedMs } = parseTableMetadata(await io.read(location), location);
    if (lastUpdatedMs > newestMs) [newest, newestMs] = [location, lastUpdatedMs];
  }
  return newest;
}

function sequenceOf(name: string): number {
  return Number(/^(\d{1,15})-/.exec(name)?.[1] ?? -1);
}
