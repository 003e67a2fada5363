import { invalidData, throwIfAborted, unsupported } from '../errors.ts';
import type { FileMetrics } from '../expr/metrics-evaluator.ts';
import type { AvroReader } from '../formats/avro/avro-reader.ts';
import { readAvroContainer, type AvroBlock, type AvroContainer } from '../formats/avro/container.ts';
import { withCache } from '../io/caching-file-io.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';
import type { DataFile, FileFormat } from '../spec/data-file.ts';
import type { EntryStatus, ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import type { PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { contentProblem } from './content-problem.ts';
import { entryDecoder, STATUS, type EntryProjection, type EntryState } from './entry-decoder.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from './manifest-file.ts';
import { restrictStats, unionOfStats, type StatsColumns } from './stats-columns.ts';

export interface ReadManifestOptions {
  /** All specs of the table. */
  readonly specs: readonly PartitionSpec[];
  readonly schema: Schema;
  /** Older schemas of the table, for partition fields whose source column has been dropped since. */
  readonly otherSchemas?: readonly Schema[];
  /** Columns whose statistics are decoded ('all' if left out); those of others are null in `DataFile`. */
  readonly columns?: { readonly stats: StatsColumns };
  /** Leave out deleted entries. */
  readonly liveOnly?: boolean;
  readonly filter?: EntryFilter;
  readonly signal?: AbortSignal;
}

/** Leaves entries out as early as possible, and says why. Deleted entries are treated like others. */
export interface EntryFilter {
  /** By the partition tuple: the statistics of a file that doesn't match are not even decoded. */
  readonly partition?: (tuple: PartitionTuple) => boolean;
  readonly metrics?: {
    /** The columns whose statistics `matches` looks at. They stay null in `DataFile` unless `stats` has them, too. */
    readonly columns: ReadonlySet<number>;
    readonly matches: (file: FilteredFile) => boolean;
  };
  readonly onSkipped?: (
    reason: 'partition' | 'metrics',
    file: Pick<DataFile, 'fileSizeInBytes' | 'recordCount'>,
  ) => void;
}

export type FilteredFile = FileMetrics & Pick<DataFile, 'content' | 'equalityIds'>;

/**
 * The entries of a manifest in batches, one for each Avro block that has any to give. What they inherit is filled in:
 * snapshot id, sequence numbers and first row ids (spec: "Sequence Number Inheritance", "First Row ID Inheritance").
 * UNSUPPORTED for encrypted manifests; INVALID_DATA if the file is damaged or contradicts the manifest list.
 */
export async function* readManifest(
  io: FileIO,
  manifest: ManifestFile,
  options: ReadManifestOptions,
): AsyncGenerator<readonly ManifestEntry[], void, undefined> {
  const bytes = await readManifestBytes(io, manifest, options);
  for (const batch of decodeManifest(bytes, manifest, options)) {
    throwIfAborted(options.signal);
    yield batch;
  }
}

/** The manifest's file, from the cache of the FileIO if it is there. */
export async function readManifestBytes(
  io: FileIO,
  manifest: ManifestFile,
  { signal }: IOOptions,
): Promise<Uint8Array> {
  if (manifest.keyMetadata !== null) {
    throw unsupported(`The manifest ${manifest.path} is encrypted; encrypted tables can't be read yet.`, {
      path: manifest.path,
    });
  }
  const bytes = await withCache(io).read(manifest.path, signal ? { signal } : {});
  if (bytes.length < manifest.length) {
    throw invalidData(
      `The manifest ${manifest.path} is cut short: it has ${bytes.length} bytes, the manifest list says ${manifest.length}.`,
      { path: manifest.path },
    );
  }
  return bytes;
}

/** `readManifest` for a manifest whose bytes are at hand. */
export function* decodeManifest(
  bytes: Uint8Array,
  manifest: ManifestFile,
  options: ReadManifestOptions,
): Generator<readonly ManifestEntry[], void, undefined> {
  const container = readAvroContainer(bytes, manifest.path);
  const builder = new EntryBuilder(container, manifest, options);
  for (const block of container.blocks()) {
    const batch = builder.entries(block);
    if (batch.length > 0) yield batch;
  }
}

/** Smaller manifests are decompressed faster than another thread is found for them. */
const WORTH_A_THREAD = 1 << 18;

/** `decodeManifest`, which decompresses large manifests on other threads. */
export async function* decodeManifestAhead(
  bytes: Uint8Array,
  manifest: ManifestFile,
  options: ReadManifestOptions,
): AsyncGenerator<readonly ManifestEntry[], void, undefined> {
  if (bytes.length < WORTH_A_THREAD) {
    yield* decodeManifest(bytes, manifest, options);
    return;
  }
  const container = readAvroContainer(bytes, manifest.path);
  const builder = new EntryBuilder(container, manifest, options);
  for await (const block of container.blocksAhead()) {
    const batch = builder.entries(block);
    if (batch.length > 0) yield batch;
  }
}

const STATUSES: readonly EntryStatus[] = ['existing', 'added', 'deleted'];
const FORMATS: Readonly<Record<string, FileFormat>> = {
  parquet: 'parquet',
  avro: 'avro',
  orc: 'orc',
  puffin: 'puffin',
};

const NO_COLUMNS: ReadonlySet<number> = new Set();

type KeepStats = <T>(map: ReadonlyMap<number, T> | null) => ReadonlyMap<number, T> | null;

/** Turns stored entries into complete ones. */
class EntryBuilder {
  readonly #manifest: ManifestFile;
  readonly #version: number;
  readonly #decode: (reader: AvroReader) => EntryState;
  readonly #filter: EntryFilter;
  readonly #liveOnly: boolean;
  readonly #keep: KeepStats;
  #nextRowId: bigint | null;

  constructor(container: AvroContainer, manifest: ManifestFile, options: ReadManifestOptions) {
    this.#manifest = manifest;
    this.#version = manifestVersion(container, manifest);
    checkManifestContent(container, manifest);
    this.#filter = options.filter ?? {};
    this.#liveOnly = options.liveOnly ?? false;
    this.#nextRowId = manifest.content === 'data' ? manifest.firstRowId : null;
    const kept = options.columns?.stats ?? 'all';
    const decoded = unionOfStats(kept, this.#filter.metrics?.columns ?? NO_COLUMNS);
    this.#keep = decoded === kept ? (map) => map : (map) => restrictStats(map, kept);
    const projection: EntryProjection = {
      spec: specOf(manifest, options.specs),
      schemas: [options.schema, ...(options.otherSchemas ?? [])],
      stats: decoded,
      liveOnly: this.#liveOnly,
      matchesPartition: this.#filter.partition ?? null,
    };
    this.#decode = entryDecoder(container.schema, projection, manifest.path);
  }

  /** Decodes the entries of a block, without those that are filtered out. */
  entries({ count, reader }: AvroBlock): readonly ManifestEntry[] {
    const batch: ManifestEntry[] = [];
    for (let i = 0; i < count; i++) {
      const entry = this.#next(reader);
      if (entry) batch.push(entry);
    }
    return batch;
  }

  #next(reader: AvroReader): ManifestEntry | null {
    const state = this.#decode(reader);
    const status = STATUSES[state.status];
    if (status === undefined) throw reader.invalid(`an entry has the status ${state.status}`);
    if (status === 'deleted' && this.#liveOnly) return null;
    // Whether the entry is wanted or not: the row ids of those after it depend on it.
    const firstRowId = this.#inheritRowId(state, status);
    if (!this.#passesFilter(state)) return null;
    const sequenceNumber = this.#sequenceNumber(state);
    return {
      status,
      snapshotId: state.snapshotId ?? this.#manifest.addedSnapshotId,
      sequenceNumber,
      fileSequenceNumber: this.#fileSequenceNumber(state, sequenceNumber),
      file: this.#file(state, firstRowId, reader),
    };
  }

  #passesFilter(state: EntryState): boolean {
    const { metrics, onSkipped } = this.#filter;
    const reason = state.rejected ? 'partition' : metrics && !metrics.matches(state) ? 'metrics' : null;
    if (reason !== null) onSkipped?.(reason, state);
    return reason === null;
  }

  /**
   * A manifest without a first row id comes from before the table's upgrade to v3, whose rows have no ids, unless it
   * is one of a commit under way: then ids that were inherited earlier are in the entries.
   */
  #inheritRowId(state: EntryState, status: EntryStatus): bigint | null {
    const { content, sequenceNumber } = this.#manifest;
    if (content === 'deletes') return null;
    if (this.#nextRowId === null) return sequenceNumber === UNASSIGNED_SEQUENCE_NUMBER ? state.firstRowId : null;
    if (state.firstRowId !== null || status === 'deleted') return state.firstRowId;
    const firstRowId = this.#nextRowId;
    this.#nextRowId += BigInt(state.recordCount);
    return firstRowId;
  }

  /** Null numbers are inherited by added entries only; all numbers of a v1 manifest are 0. */
  #sequenceNumber(state: EntryState): bigint {
    if (this.#version === 1) return 0n;
    const sequenceNumber = state.sequenceNumber ?? this.#inheritedSequenceNumber(state);
    if (sequenceNumber === null) {
      throw invalidData(
        `The manifest ${this.#manifest.path} is damaged: an entry that is not new has no sequence number.`,
        {
          path: this.#manifest.path,
        },
      );
    }
    return sequenceNumber;
  }

  /** Early v2 writers left it out, of existing entries too; the data sequence number is the best guess then. */
  #fileSequenceNumber(state: EntryState, sequenceNumber: bigint): bigint {
    if (this.#version === 1) return 0n;
    return state.fileSequenceNumber ?? this.#inheritedSequenceNumber(state) ?? sequenceNumber;
  }

  #inheritedSequenceNumber(state: EntryState): bigint | null {
    const { sequenceNumber } = this.#manifest;
    return state.status === STATUS.added || sequenceNumber === 0n ? sequenceNumber : null;
  }

  #file(state: EntryState, firstRowId: bigint | null, reader: AvroReader): DataFile {
    const path = reader.text(state.pathStart, state.pathEnd);
    const keep = this.#keep;
    const file: DataFile = {
      content: state.content,
      path,
      format: fileFormat(state.format, path),
      specId: this.#manifest.partitionSpecId,
      partition: state.partition,
      recordCount: state.recordCount,
      fileSizeInBytes: state.fileSizeInBytes,
      columnSizes: keep(state.columnSizes),
      valueCounts: keep(state.valueCounts),
      nullValueCounts: keep(state.nullValueCounts),
      nanValueCounts: keep(state.nanValueCounts),
      lowerBounds: keep(state.lowerBounds),
      upperBounds: keep(state.upperBounds),
      keyMetadata: state.keyMetadata,
      splitOffsets: state.splitOffsets,
      equalityIds: state.equalityIds,
      sortOrderId: state.sortOrderId,
      firstRowId,
      referencedDataFile: state.referencedDataFile,
      contentOffset: state.contentOffset,
      contentSizeInBytes: state.contentSizeInBytes,
    };
    const problem = contentProblem(file, this.#manifest.content);
    if (problem !== null) throw reader.invalid(`the entry of ${path} ${problem}`);
    return file;
  }
}

/** A manifest is judged by its own version, which may be older than the table's. */
export function manifestVersion({ metadata }: AvroContainer, { path }: ManifestFile): number {
  const text = metadata.get('format-version') ?? '1';
  if (text !== '1' && text !== '2' && text !== '3') {
    throw unsupported(`The manifest ${path} has the format version ${text}; 1 to 3 can be read.`, { path });
  }
  return Number(text);
}

export function checkManifestContent({ metadata }: AvroContainer, { path, content }: ManifestFile): void {
  const written = metadata.get('content') ?? 'data';
  if (written !== content) {
    throw invalidData(`The manifest ${path} holds ${written}, but the manifest list says ${content}.`, { path });
  }
}

function specOf({ path, partitionSpecId }: ManifestFile, specs: readonly PartitionSpec[]): PartitionSpec {
  const spec = specs.find(({ specId }) => specId === partitionSpecId);
  if (!spec)
    throw invalidData(`The manifest ${path} has the partition spec ${partitionSpecId}, which the table lacks.`, {
      path,
    });
  return spec;
}

function fileFormat(text: string, path: string): FileFormat {
  const format = FORMATS[text] ?? FORMATS[text.toLowerCase()];
  if (!format) throw unsupported(`${path} has the file format '${text}', which is not known.`, { path });
  return format;
}
