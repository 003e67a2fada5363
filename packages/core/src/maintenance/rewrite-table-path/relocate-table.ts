import { gzipSync } from 'node:zlib';
import type { LoadedMetadata } from '../../catalog/catalog.ts';
import { isLakehouseError, throwIfAborted } from '../../errors.ts';
import { editAvroRecords } from '../../formats/avro/edit-records.ts';
import type { EditedValue, RecordEdits } from '../../formats/avro/edit-records.ts';
import type { FileIO } from '../../io/file-io.ts';
import { FILE_FIELD, LIST_FIELD } from '../../manifest/manifest-schema.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import { decodeManifest, readManifestBytes } from '../../manifest/read-manifest.ts';
import { tableDefinitions } from '../../manifest/table-definitions.ts';
import type { Runtime } from '../../runtime.ts';
import type { DataFile } from '../../spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../../spec/manifest.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../spec/table-metadata-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { LocationSet } from '../location-set.ts';
import { namesDataFiles, relocateDeletes } from './relocate-deletes.ts';
import { relocateMetadata } from './relocate-metadata.ts';
import type { Relocation } from './relocate-metadata.ts';

/** What becomes of the files of a table that moves. */
export interface RelocatedFiles {
  /** A file that names others, with their new names in it. */
  write(file: { readonly source: string; readonly target: string; readonly bytes: Uint8Array }): Promise<void>;
  /** A file that is the same at its new place. */
  copy(file: { readonly source: string; readonly target: string }): Promise<void>;
}

export interface RelocateTableOptions {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly to: Relocation;
  /** Whether the versions of its metadata log come, too; the log is empty otherwise. */
  readonly olderVersions: boolean;
  /** An older version, whose files are at the new place already. */
  readonly since: LoadedMetadata | null;
  readonly signal: AbortSignal | undefined;
}

export interface RelocatedCounts {
  readonly metadataFiles: number;
  readonly manifests: number;
  readonly deleteFiles: number;
  readonly copiedFiles: number;
}

/**
 * Goes over all files that a version of a table reaches, each of them once (spec: "Table Metadata"): those that name
 * others get the new names and are written, the rest is copied. The metadata comes last, so that what it names is there.
 * In memory are a manifest at a time, 106 bits for every file, and the new sizes of manifests and delete files.
 */
export async function relocateTable(
  { metadata, metadataLocation }: LoadedMetadata,
  files: RelocatedFiles,
  options: RelocateTableOptions,
): Promise<RelocatedCounts> {
  const relocator = new TableRelocator(metadata, files, options);
  await relocator.skip(options.since);
  for (const snapshot of metadata.snapshots) await relocator.snapshot(snapshot);
  for (const { statisticsPath } of [...metadata.statistics, ...metadata.partitionStatistics]) {
    await relocator.copy(statisticsPath);
  }
  const log = options.olderVersions ? metadata.metadataLog : [];
  for (const { metadataFile } of log) await relocator.olderVersion(metadataFile);
  await relocator.version({ ...metadata, metadataLog: log }, metadataLocation);
  return relocator.counts;
}

class TableRelocator {
  readonly counts = { metadataFiles: 0, manifests: 0, deleteFiles: 0, copiedFiles: 0 };
  readonly #metadata: TableMetadata;
  readonly #files: RelocatedFiles;
  readonly #options: RelocateTableOptions;
  /** The new length of every manifest so far. */
  readonly #manifests = new Map<string, number>();
  readonly #deletes = new Map<string, (file: DataFile) => RecordEdits>();
  readonly #copied = new ExactLocations();
  /** What is at the new place already. */
  readonly #thereSnapshots = new Set<bigint>();
  readonly #thereManifests = new Set<string>();
  readonly #thereFiles = new Set<string>();

  constructor(metadata: TableMetadata, files: RelocatedFiles, options: RelocateTableOptions) {
    this.#metadata = metadata;
    this.#files = files;
    this.#options = options;
  }

  async skip(since: LoadedMetadata | null): Promise<void> {
    if (since === null) return;
    const { metadata, metadataLocation } = since;
    for (const snapshot of metadata.snapshots) {
      if (!this.#metadata.snapshots.some(({ snapshotId }) => snapshotId === snapshot.snapshotId)) continue;
      this.#thereSnapshots.add(snapshot.snapshotId);
      const manifests = await readManifestList(this.#options.io, snapshot, metadata, this.#aborted());
      for (const { path } of manifests) this.#thereManifests.add(path);
    }
    this.#thereFiles.add(metadataLocation);
    for (const { metadataFile } of metadata.metadataLog) this.#thereFiles.add(metadataFile);
    for (const { statisticsPath } of [...metadata.statistics, ...metadata.partitionStatistics]) {
      this.#thereFiles.add(statisticsPath);
    }
  }

  async snapshot(snapshot: Snapshot): Promise<void> {
    const { io, to } = this.#options;
    if (this.#thereSnapshots.has(snapshot.snapshotId)) return;
    const manifests = await readManifestList(io, snapshot, this.#metadata, this.#aborted());
    const edits: RecordEdits[] = [];
    for (const manifest of manifests) {
      edits.push(
        new Map<number, EditedValue>([
          [LIST_FIELD.manifestPath, to.file(manifest.path)],
          [LIST_FIELD.manifestLength, await this.#manifest(manifest)],
        ]),
      );
    }
    const { manifestList } = snapshot;
    if (manifestList === null) return;
    const bytes = await io.read(manifestList, this.#aborted());
    await this.#write(
      manifestList,
      editAvroRecords(bytes, manifestList, LIST_EDITS, (i) => edits[i]!),
    );
  }

  async copy(source: string): Promise<void> {
    if (this.#thereFiles.has(source) || !this.#copied.add(source)) return;
    throwIfAborted(this.#options.signal);
    this.counts.copiedFiles++;
    await this.#files.copy({ source, target: this.#options.to.file(source) });
  }

  /** An older version of the metadata; the log may name some that were deleted since. */
  async olderVersion(location: string): Promise<void> {
    if (this.#thereFiles.has(location)) return;
    let bytes: Uint8Array;
    try {
      bytes = await this.#options.io.read(location, this.#aborted());
    } catch (error) {
      if (isLakehouseError(error, 'NOT_FOUND')) return;
      throw error;
    }
    await this.version(parseTableMetadata(bytes, location), location);
  }

  async version(metadata: TableMetadata, location: string): Promise<void> {
    this.counts.metadataFiles++;
    const bytes = serializeTableMetadata(relocateMetadata(metadata, this.#options.to));
    // Other engines tell by the name whether it is compressed.
    await this.#write(location, /\.gz\b/.test(location) ? gzipSync(bytes) : bytes);
  }

  /** Gives the manifest's new length, which has to be known even if it is at its new place already. */
  async #manifest(manifest: ManifestFile): Promise<number> {
    const known = this.#manifests.get(manifest.path);
    if (known !== undefined) return known;
    const isThere = this.#thereManifests.has(manifest.path);
    const { io, to } = this.#options;
    throwIfAborted(this.#options.signal);
    const bytes = await readManifestBytes(io, manifest, this.#aborted());
    const read = { ...tableDefinitions(this.#metadata), columns: { stats: 'none' as const } };
    const edits: RecordEdits[] = [];
    for (const entries of decodeManifest(bytes, manifest, read)) {
      for (const entry of entries) {
        const moved = [[FILE_FIELD.filePath, to.file(entry.file.path)] as const];
        edits.push(new Map<number, EditedValue>([...moved, ...(await this.#file(entry, isThere))]));
      }
    }
    const edited = editAvroRecords(bytes, manifest.path, FILE_EDITS, (i) => edits[i]!);
    this.#manifests.set(manifest.path, edited.length);
    if (!isThere) {
      this.counts.manifests++;
      await this.#write(manifest.path, edited);
    }
    return edited.length;
  }

  /** Takes a live file along, and gives what its entry is to say. Files that have gone may not be there any more. */
  async #file({ status, file }: ManifestEntry, isThere: boolean): Promise<RecordEdits> {
    const { to } = this.#options;
    if (!namesDataFiles(file)) {
      if (status !== 'deleted' && !isThere) await this.copy(file.path);
      return NO_EDITS;
    }
    if (status === 'deleted') {
      const { referencedDataFile } = file;
      return referencedDataFile === null
        ? NO_EDITS
        : new Map([[FILE_FIELD.referencedDataFile, to.file(referencedDataFile)]]);
    }
    let editsOf = this.#deletes.get(file.path);
    if (!editsOf) {
      const moved = await relocateDeletes(file, { ...this.#options, relocate: to.file });
      editsOf = moved.editsOf;
      this.#deletes.set(file.path, editsOf);
      if (!isThere) {
        this.counts.deleteFiles++;
        await this.#write(file.path, moved.bytes);
      }
    }
    return editsOf(file);
  }

  async #write(source: string, bytes: Uint8Array): Promise<void> {
    throwIfAborted(this.#options.signal);
    await this.#files.write({ source, target: this.#options.to.file(source), bytes });
  }

  #aborted(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }
}

const NO_EDITS: RecordEdits = new Map();
const LIST_EDITS: ReadonlySet<number> = new Set([LIST_FIELD.manifestPath, LIST_FIELD.manifestLength]);
const FILE_EDITS: ReadonlySet<number> = new Set([
  FILE_FIELD.filePath,
  FILE_FIELD.fileSizeInBytes,
  FILE_FIELD.lowerBounds,
  FILE_FIELD.upperBounds,
  FILE_FIELD.splitOffsets,
  FILE_FIELD.referencedDataFile,
  FILE_FIELD.contentOffset,
]);

/** Hashes of two kinds, so that no file is ever taken for another: none may be left out. */
class ExactLocations {
  readonly #locations = new LocationSet();
  readonly #salted = new LocationSet();

  /** Whether it is new. */
  add(location: string): boolean {
    const salted = `${location.length} ${location}`;
    const isNew = !this.#locations.has(location) || !this.#salted.has(salted);
    this.#locations.add(location);
    this.#salted.add(salted);
    return isNew;
  }
}
