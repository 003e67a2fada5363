import { throwIfAborted, unsupported } from '../errors.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import { inclusiveMetricsEvaluator, type MetricsEvaluator } from '../expr/metrics-evaluator.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';
import { liveFilesCount } from '../manifest/manifest-file.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import {
  decodeManifest,
  decodeManifestAhead,
  type EntryFilter,
  type ReadManifestOptions,
} from '../manifest/read-manifest.ts';
import { unionOfStats, withStatsOf, type StatsColumns } from '../manifest/stats-columns.ts';
import type { Runtime } from '../runtime.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { DeleteFileIndex } from './delete-file-index.ts';
import { mayDeleteMatches } from './delete-matches.ts';
import { fetchManifests } from './fetch-manifests.ts';
import type { DeleteFile, FileScanTask } from './file-scan-task.ts';
import { ScanCounters } from './scan-counters.ts';
import { specFilters, type SpecFilter } from './spec-filters.ts';
import { streamingPlan, type StreamingScanPlan } from './streaming-plan.ts';

export interface PlanScanOptions {
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  /** Null for a table without snapshots: there is nothing to scan. */
  readonly snapshot: Snapshot | null;
  /** The schema that the filter is bound to. */
  readonly schema: Schema;
  readonly filter: BoundExpression;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal;
  /** Columns whose statistics the tasks' files are to have; none if left out. */
  readonly columnStats?: StatsColumns;
  /** Stop when the tasks so far surely have this many rows that match. */
  readonly limit?: number;
  /** All deletes of the tasks' files, not only those that may delete rows that match: for who rewrites whole files. */
  readonly allDeletes?: boolean;
}

/**
 * Plans a scan (spec: "Scan Planning"): leaves out manifests by their partition summaries, files by their partition,
 * then by their metrics, and gives what is left as tasks, in the order of the manifests, as it is found. Delete
 * manifests are decoded first; data manifests are fetched along with them, some ahead, and decoded as tasks are consumed.
 *
 * Errors come from the iteration: INVALID_DATA for damaged metadata, UNSUPPORTED for encrypted files.
 */
export function planScan(options: PlanScanOptions): StreamingScanPlan {
  const counters = new ScanCounters(options.runtime, options.snapshot?.snapshotId ?? null);
  return streamingPlan(new ScanPlanner(options, counters).found(), counters, options.limit);
}

class ScanPlanner {
  readonly #options: PlanScanOptions;
  readonly #counters: ScanCounters;
  /** The scan's schema first, then all others, for columns that it doesn't have (any more). */
  readonly #schemas: readonly Schema[];
  readonly #filterOf: (specId: number) => SpecFilter;
  readonly #matchesMetrics: MetricsEvaluator | null;
  readonly #filterColumns: ReadonlySet<number>;

  constructor(options: PlanScanOptions, counters: ScanCounters) {
    const { metadata, schema, filter } = options;
    this.#options = options;
    this.#counters = counters;
    this.#schemas = [schema, ...metadata.schemas.toReversed()];
    this.#filterOf = specFilters(metadata, schema, filter);
    this.#matchesMetrics = filter.op === 'true' ? null : inclusiveMetricsEvaluator(filter);
    this.#filterColumns = referencedFieldIds(filter);
  }

  async *found(): AsyncGenerator<readonly FileScanTask[], void, undefined> {
    const { io, metadata, snapshot, runtime } = this.#options;
    if (snapshot === null) return;
    const manifests = await readManifestList(io, snapshot, metadata, this.#ioOptions());
    const data = this.#selectData(manifests.filter(({ content }) => content === 'data'));
    const deletes = this.#selectDeletes(
      manifests.filter(({ content }) => content === 'deletes'),
      data.length > 0,
    );
    const found: DeleteFile[] = [];
    let index: DeleteFileIndex | null = null;
    // One request after the other is what takes time: they are all made at once, as far as they may be.
    for await (const [manifest, bytes] of fetchManifests(io, [...deletes, ...data], runtime, this.#ioOptions())) {
      if (manifest.content === 'deletes') {
        this.#findDeletes(manifest, bytes, found);
        continue;
      }
      index ??= this.#indexOf(found);
      this.#counters.manifestsScanned++;
      const { columnStats = 'none' } = this.#options;
      const stats = unionOfStats(columnStats, index.equalityColumns);
      const filter = this.#dataFilter(manifest);
      for await (const entries of decodeManifestAhead(bytes, manifest, this.#decoding(stats, filter))) {
        yield this.#tasksOf(entries, manifest, index, stats === columnStats ? null : columnStats);
      }
    }
  }

  #selectData(manifests: readonly ManifestFile[]): readonly ManifestFile[] {
    this.#counters.manifestsTotal = manifests.length;
    return manifests.filter((manifest) => {
      const selected = this.#mayHoldMatches(manifest);
      if (!selected) this.#counters.skipManifest(liveFilesCount(manifest) ?? 0);
      return selected;
    });
  }

  /** A delete applies to files of its own partition, or its spec has none, and then its summaries match any filter. */
  #selectDeletes(manifests: readonly ManifestFile[], needed: boolean): readonly ManifestFile[] {
    this.#counters.deleteManifestsTotal = manifests.length;
    return manifests.filter((manifest) => {
      const selected = needed && this.#mayHoldMatches(manifest);
      if (!selected) this.#counters.deleteFilesTotal += liveFilesCount(manifest) ?? 0;
      return selected;
    });
  }

  #mayHoldMatches(manifest: ManifestFile): boolean {
    return liveFilesCount(manifest) !== 0 && this.#filterOf(manifest.partitionSpecId).matchesManifest(manifest);
  }

  #findDeletes(manifest: ManifestFile, bytes: Uint8Array, found: DeleteFile[]): void {
    this.#counters.deleteManifestsScanned++;
    for (const batch of decodeManifest(bytes, manifest, this.#decoding('all', this.#deleteFilter(manifest)))) {
      this.#counters.deleteFilesTotal += batch.length;
      for (const { file, sequenceNumber } of batch) {
        this.#counters.indexDelete(file);
        found.push({ file, sequenceNumber });
      }
    }
  }

  #indexOf(deletes: readonly DeleteFile[]): DeleteFileIndex {
    return new DeleteFileIndex(deletes, { specs: this.#options.metadata.partitionSpecs, schemas: this.#schemas });
  }

  /** `keptStats`: of the statistics that were needed to plan, those that the tasks are to have; null for all. */
  #tasksOf(
    entries: readonly ManifestEntry[],
    { partitionSpecId }: ManifestFile,
    index: DeleteFileIndex,
    keptStats: StatsColumns | null,
  ): readonly FileScanTask[] {
    const { schema } = this.#options;
    const { spec, residual } = this.#filterOf(partitionSpecId);
    const tasks: FileScanTask[] = [];
    for (const { file, sequenceNumber } of entries) {
      const remaining = residual(file.partition);
      if (remaining.op === 'false') {
        this.#counters.skipFile('partition', file);
        continue;
      }
      const deletes = index.forFile(file, sequenceNumber);
      checkReadable(file, deletes);
      const kept = keptStats === null ? file : withStatsOf(file, keptStats);
      tasks.push({ file: kept, sequenceNumber, deletes, spec, schema, residual: remaining });
    }
    return tasks;
  }

  #dataFilter(manifest: ManifestFile): EntryFilter {
    const { matchesPartition } = this.#filterOf(manifest.partitionSpecId);
    const matches = this.#matchesMetrics;
    return {
      ...(matchesPartition && { partition: matchesPartition }),
      ...(matches && { metrics: { columns: this.#filterColumns, matches: (file) => matches(file) } }),
      onSkipped: (reason, file) => this.#counters.skipFile(reason, file),
    };
  }

  #deleteFilter(manifest: ManifestFile): EntryFilter {
    const { matchesPartition } = this.#filterOf(manifest.partitionSpecId);
    const matches = this.#options.allDeletes ? null : this.#matchesMetrics;
    return {
      ...(matchesPartition && { partition: matchesPartition }),
      ...(matches && { metrics: { columns: this.#filterColumns, matches: (file) => mayDeleteMatches(file, matches) } }),
      onSkipped: () => this.#counters.skipDelete(),
    };
  }

  #decoding(stats: StatsColumns, filter: EntryFilter): ReadManifestOptions {
    throwIfAborted(this.#options.signal);
    const [schema, ...otherSchemas] = this.#schemas;
    const specs = this.#options.metadata.partitionSpecs;
    return { specs, schema: schema!, otherSchemas, columns: { stats }, liveOnly: true, filter };
  }

  #ioOptions(): IOOptions {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }
}

/** UNSUPPORTED for encrypted files. */
export function checkReadable(file: DataFile, deletes: readonly DeleteFile[]): void {
  const encrypted = file.keyMetadata === null ? deletes.find((entry) => entry.file.keyMetadata !== null)?.file : file;
  if (encrypted) {
    throw unsupported(`${encrypted.path} is encrypted; encrypted tables can't be read yet.`, { path: encrypted.path });
  }
}
