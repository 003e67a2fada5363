import type { Runtime } from '../runtime.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { DeleteFile, FileScanTask, ScanMetrics } from './file-scan-task.ts';

type Sizes = Pick<DataFile, 'fileSizeInBytes'>;

/** Counts what a plan does while it is made. */
export class ScanCounters {
  readonly #runtime: Runtime;
  readonly #snapshotId: bigint | null;
  readonly #startedAt: number;
  #finishedAt: number | null = null;
  readonly #applied = new Set<DeleteFile>();
  readonly #indexed = { equality: 0, position: 0, deletionVector: 0 };
  readonly #references = { files: 0, bytes: 0 };
  readonly #skippedBy = { manifestSummary: 0, partition: 0, metrics: 0 };
  #filesScanned = 0;
  #bytesScanned = 0;
  #bytesSkipped = 0;
  #rowsScanned = 0;
  #deleteFilesSkipped = 0;
  manifestsTotal = 0;
  manifestsScanned = 0;
  manifestsSkipped = 0;
  deleteManifestsTotal = 0;
  deleteManifestsScanned = 0;
  deleteFilesTotal = 0;

  constructor(runtime: Runtime, snapshotId: bigint | null) {
    this.#runtime = runtime;
    this.#snapshotId = snapshotId;
    this.#startedAt = runtime.now();
  }

  /** `files`: the manifest's live files, 0 where the manifest list doesn't tell. */
  skipManifest(files: number): void {
    this.manifestsSkipped++;
    this.#skippedBy.manifestSummary += files;
  }

  skipFile(reason: 'partition' | 'metrics', { fileSizeInBytes }: Sizes): void {
    this.#skippedBy[reason]++;
    this.#bytesSkipped += fileSizeInBytes;
  }

  addTask({ file, deletes }: FileScanTask): void {
    this.#filesScanned++;
    this.#bytesScanned += file.fileSizeInBytes;
    this.#rowsScanned += file.recordCount;
    for (const entry of deletes) {
      this.#applied.add(entry);
      this.#references.files++;
      // Many deletion vectors share one file.
      this.#references.bytes += entry.file.contentSizeInBytes ?? entry.file.fileSizeInBytes;
    }
  }

  indexDelete({ content, format }: DataFile): void {
    this.#indexed[content === 'equality-deletes' ? 'equality' : format === 'puffin' ? 'deletionVector' : 'position']++;
  }

  /** Of a delete manifest that is read. */
  skipDelete(): void {
    this.deleteFilesTotal++;
    this.#deleteFilesSkipped++;
  }

  finish(): void {
    this.#finishedAt ??= this.#runtime.now();
  }

  metrics(): ScanMetrics {
    const { manifestSummary, partition, metrics } = this.#skippedBy;
    const filesSkipped = manifestSummary + partition + metrics;
    return {
      snapshotId: this.#snapshotId,
      manifestsTotal: this.manifestsTotal,
      manifestsScanned: this.manifestsScanned,
      manifestsSkipped: this.manifestsSkipped,
      deleteManifestsTotal: this.deleteManifestsTotal,
      deleteManifestsScanned: this.deleteManifestsScanned,
      filesTotal: this.#filesScanned + filesSkipped,
      filesScanned: this.#filesScanned,
      filesSkipped,
      filesSkippedBy: { ...this.#skippedBy },
      deleteFilesTotal: this.deleteFilesTotal,
      deleteFilesApplied: this.#applied.size,
      deleteFilesSkipped: this.#deleteFilesSkipped,
      deleteFilesIndexed: { ...this.#indexed },
      deleteReferences: { ...this.#references },
      bytesScanned: this.#bytesScanned,
      bytesSkipped: this.#bytesSkipped,
      rowsScanned: this.#rowsScanned,
      durationMs: (this.#finishedAt ?? this.#runtime.now()) - this.#startedAt,
    };
  }
}
