import { LakehouseError, isLakehouseError } from '../errors.ts';
import { deleteInBatches } from '../io/delete-in-batches.ts';
import type { FileIO } from '../io/file-io.ts';
import { readManifest } from '../manifest/read-manifest.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** Files that could not be deleted, or read to learn what to delete; the first error tells why. */
export class PurgeFailures {
  readonly locations: string[] = [];
  first: unknown = null;

  add(location: string, error: unknown): void {
    this.locations.push(location);
    this.first ??= error;
  }

  throwIfAny(table: string): void {
    const [location] = this.locations;
    if (location === undefined) return;
    const reason = this.first instanceof Error ? this.first.message : String(this.first);
    throw new LakehouseError(
      isLakehouseError(this.first) ? this.first.code : 'UNAVAILABLE',
      `Table ${table} was dropped, but ${this.locations.length} of its files are still there, '${location}' among them: ${reason} Its metadata was kept: register it to drop it again.`,
      { context: { table, location }, cause: this.first },
    );
  }
}

/**
 * Deletes the files that a table's metadata reaches: data and delete files (unless `gc.enabled` is false: then they may
 * belong to other tables as well), manifests, manifest lists and statistics. Nothing is looked for by listing, so
 * what else is in the table's location stays. What fails is noted, and whatever leads to it stays.
 */
export async function purgeReachableFiles(io: FileIO, metadata: TableMetadata): Promise<PurgeFailures> {
  const failures = new PurgeFailures();
  const manifests = new Map<string, ManifestFile>();
  for (const snapshot of metadata.snapshots) {
    await tolerant(failures, snapshot.manifestList ?? metadata.location, async () => {
      for (const manifest of await readManifestList(io, snapshot, metadata)) manifests.set(manifest.path, manifest);
    });
  }
  if (metadata.properties['gc.enabled']?.toLowerCase() !== 'false') {
    for (const manifest of manifests.values()) {
      await tolerant(failures, manifest.path, () => deleteFilesOf(io, manifest, metadata, failures));
    }
  }
  if (failures.locations.length > 0) return failures;
  const lists = metadata.snapshots.flatMap((snapshot) => snapshot.manifestList ?? []);
  const statistics = [...metadata.statistics, ...metadata.partitionStatistics].map((file) => file.statisticsPath);
  await deleteAll(io, [...manifests.keys(), ...lists, ...statistics], failures);
  return failures;
}

/** Deletes files, and notes what fails. */
export async function deleteAll(io: FileIO, locations: readonly string[], failures: PurgeFailures): Promise<void> {
  for await (const { failed } of deleteInBatches(io, locations)) {
    for (const { location, error } of failed) failures.add(location, error);
  }
}

async function deleteFilesOf(
  io: FileIO,
  manifest: ManifestFile,
  metadata: TableMetadata,
  failures: PurgeFailures,
): Promise<void> {
  const entries = readManifest(io, manifest, {
    ...tableDefinitions(metadata),
    columns: { stats: 'none' },
  });
  for await (const batch of entries) {
    await deleteAll(io, [...new Set(batch.map((entry) => entry.file.path))], failures);
  }
}

/** What is not there any more leads to nothing. */
async function tolerant(failures: PurgeFailures, location: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isLakehouseError(error, 'NOT_FOUND')) failures.add(location, error);
  }
}
