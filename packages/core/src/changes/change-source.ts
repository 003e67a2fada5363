import type { BoundExpression } from '../expr/bound-expression.ts';
import { inclusiveMetricsEvaluator } from '../expr/metrics-evaluator.ts';
import type { MetricsEvaluator } from '../expr/metrics-evaluator.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import { throwIfAborted } from '../errors.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { decodeManifest } from '../manifest/read-manifest.ts';
import type { EntryFilter, FilteredFile } from '../manifest/read-manifest.ts';
import type { StatsColumns } from '../manifest/stats-columns.ts';
import type { Runtime } from '../runtime.ts';
import { mayDeleteMatches } from '../scan/delete-matches.ts';
import { fetchManifests } from '../scan/fetch-manifests.ts';
import { specFilters } from '../scan/spec-filters.ts';
import type { SpecFilter } from '../scan/spec-filters.ts';
import type { ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

export interface ChangeSourceOptions {
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly runtime: Runtime;
  /** The schema that rows are read in, and that the filter is bound to. */
  readonly schema: Schema;
  readonly filter: BoundExpression;
  readonly signal?: AbortSignal | undefined;
}

export interface EntriesWanted {
  readonly stats: StatsColumns;
  readonly liveOnly?: boolean;
  /** Besides the filter of the rows. */
  readonly partition?: (specId: number, tuple: PartitionTuple) => boolean;
  readonly onSkipped?: EntryFilter['onSkipped'];
}

/** One version of a table, and the rows of it whose changes are wanted: reads manifests as far as they may be about these. */
export class ChangeSource {
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly runtime: Runtime;
  readonly schema: Schema;
  readonly signal: AbortSignal | undefined;
  /** The schema of the rows first, then all others, for columns that it doesn't have (any more). */
  readonly schemas: readonly Schema[];
  readonly filterOf: (specId: number) => SpecFilter;
  readonly #matches: MetricsEvaluator | null;
  readonly #filterColumns: ReadonlySet<number>;

  constructor({ io, metadata, runtime, schema, filter, signal }: ChangeSourceOptions) {
    this.io = io;
    this.metadata = metadata;
    this.runtime = runtime;
    this.schema = schema;
    this.signal = signal;
    this.schemas = [schema, ...metadata.schemas.toReversed()];
    this.filterOf = specFilters(metadata, schema, filter);
    this.#matches = filter.op === 'true' ? null : inclusiveMetricsEvaluator(filter);
    this.#filterColumns = referencedFieldIds(filter);
  }

  manifests(snapshot: Snapshot): Promise<readonly ManifestFile[]> {
    return readManifestList(this.io, snapshot, this.metadata, this.#ioOptions());
  }

  /** Whether the manifest may list files with rows that match, or deletes of such rows. */
  mayMatch(manifest: ManifestFile): boolean {
    return this.filterOf(manifest.partitionSpecId).matchesManifest(manifest);
  }

  /** Entries of files that may hold rows that match, or delete such rows; in batches. */
  async *entries(
    manifests: readonly ManifestFile[],
    wanted: EntriesWanted,
  ): AsyncGenerator<readonly ManifestEntry[], void, undefined> {
    const [schema, ...otherSchemas] = this.schemas;
    for await (const [manifest, bytes] of fetchManifests(this.io, manifests, this.runtime, this.#ioOptions())) {
      throwIfAborted(this.signal);
      yield* decodeManifest(bytes, manifest, {
        specs: this.metadata.partitionSpecs,
        schema: schema!,
        otherSchemas,
        columns: { stats: wanted.stats },
        liveOnly: wanted.liveOnly ?? false,
        filter: this.#entryFilter(manifest, wanted),
      });
    }
  }

  #entryFilter({ partitionSpecId, content }: ManifestFile, { partition, onSkipped }: EntriesWanted): EntryFilter {
    const { matchesPartition } = this.filterOf(partitionSpecId);
    const matches = this.#matches;
    const accepts = (tuple: PartitionTuple): boolean =>
      (matchesPartition?.(tuple) ?? true) && (partition?.(partitionSpecId, tuple) ?? true);
    const mayMatch = (file: FilteredFile): boolean =>
      content === 'data' ? matches!(file) : mayDeleteMatches(file, matches!);
    return {
      ...((matchesPartition || partition) && { partition: accepts }),
      ...(matches && { metrics: { columns: this.#filterColumns, matches: mayMatch } }),
      ...(onSkipped && { onSkipped }),
    };
  }

  #ioOptions(): IOOptions {
    return this.signal ? { signal: this.signal } : {};
  }
}
