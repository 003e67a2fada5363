import type { FileIO } from '../io/file-io.ts';
import { liveFilesCount, liveRowsCount, sumOfCounts } from '../manifest/manifest-file.ts';
import { decodeManifest } from '../manifest/read-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import { throwIfAborted } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { fetchManifests } from '../scan/fetch-manifests.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { FileCounts, TableContents } from './table-description.ts';

/** Files smaller than this part of the target size are small, for Iceberg Java's compaction, too. */
export const SMALL_FILE_RATIO = 0.75;

/** What the manifest list tells; where it is silent (v1), what the snapshot's summary does. */
export function countContents(
  manifests: readonly ManifestFile[],
  { summary }: Snapshot,
  files: FileCounts | null,
): TableContents {
  const data = manifests.filter(({ content }) => content === 'data');
  const deletes = manifests.filter(({ content }) => content === 'deletes');
  const known = (key: string): number | null => (/^\d+$/.test(summary[key] ?? '') ? Number(summary[key]) : null);
  const [positions, keys] = [known('total-position-deletes'), known('total-equality-deletes')];
  return {
    dataFiles: sumOfCounts(data, liveFilesCount) ?? known('total-data-files'),
    rows: sumOfCounts(data, liveRowsCount) ?? known('total-records'),
    bytes: files ? files.dataBytes + files.deleteBytes : known('total-files-size'),
    deleteFiles: sumOfCounts(deletes, liveFilesCount) ?? known('total-delete-files'),
    deletes: sumOfCounts(deletes, liveRowsCount) ?? (positions === null || keys === null ? null : positions + keys),
    dataManifests: data.length,
    deleteManifests: deletes.length,
    manifestBytes: manifests.reduce((bytes, { length }) => bytes + length, 0),
    files,
  };
}

export interface CountFilesSource {
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal | undefined;
}

/** Counts the live files of manifests, one Avro block of them in memory at a time. */
export async function countFiles(
  { io, metadata, runtime, signal }: CountFilesSource,
  manifests: readonly ManifestFile[],
  targetFileBytes: number,
): Promise<FileCounts> {
  const counter = new FileCounter(targetFileBytes * SMALL_FILE_RATIO);
  const wanted = manifests.filter((manifest) => liveFilesCount(manifest) !== 0);
  for await (const [manifest, bytes] of fetchManifests(io, wanted, runtime, signal ? { signal } : {})) {
    const batches = decodeManifest(bytes, manifest, {
      ...tableDefinitions(metadata),
      columns: { stats: 'none' },
      liveOnly: true,
    });
    for (const entries of batches) {
      throwIfAborted(signal);
      for (const { file } of entries) counter.add(file);
    }
  }
  return counter.counts();
}

class FileCounter {
  readonly #smallBelow: number;
  readonly #counts = {
    dataBytes: 0,
    smallestBytes: Infinity,
    largestBytes: 0,
    smallFiles: 0,
    smallFileBytes: 0,
    positionDeleteFiles: 0,
    deletionVectors: 0,
    equalityDeleteFiles: 0,
    deleteBytes: 0,
  };

  constructor(smallBelow: number) {
    this.#smallBelow = smallBelow;
  }

  add(file: DataFile): void {
    if (file.content === 'data') this.#addData(file);
    else this.#addDeletes(file);
  }

  #addData({ fileSizeInBytes: bytes }: DataFile): void {
    const counts = this.#counts;
    counts.dataBytes += bytes;
    counts.smallestBytes = Math.min(counts.smallestBytes, bytes);
    counts.largestBytes = Math.max(counts.largestBytes, bytes);
    if (bytes >= this.#smallBelow) return;
    counts.smallFiles++;
    counts.smallFileBytes += bytes;
  }

  #addDeletes({ content, format, fileSizeInBytes, contentSizeInBytes }: DataFile): void {
    const counts = this.#counts;
    if (content === 'equality-deletes') counts.equalityDeleteFiles++;
    else if (format === 'puffin') counts.deletionVectors++;
    else counts.positionDeleteFiles++;
    // Many deletion vectors share one file.
    counts.deleteBytes += contentSizeInBytes ?? fileSizeInBytes;
  }

  counts(): FileCounts {
    const { smallestBytes, largestBytes } = this.#counts;
    return { ...this.#counts, smallestBytes: Math.min(smallestBytes, largestBytes) };
  }
}
