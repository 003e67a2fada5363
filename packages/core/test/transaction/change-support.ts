import type { TableOperations } from '../../src/catalog/catalog.ts';
import { fileSystemTableOperations } from '../../src/catalog/file-system/table-operations.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { randomUuid } from '../../src/runtime.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import { currentSchema, currentSpec, snapshotForRef, specById } from '../../src/spec/metadata-accessors.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import type { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import type { Action } from '../../src/transaction/action.ts';
import { commitActions } from '../../src/transaction/commit-loop.ts';
import type { CommitOutcome } from '../../src/transaction/commit.ts';
import { snapshotChangeAction } from '../../src/transaction/snapshot-change-action.ts';
import type { SnapshotChange } from '../../src/transaction/snapshot-change.ts';
import type { StagedData, StagedDeletes } from '../../src/transaction/staged-data.ts';
import { StagedFiles } from '../../src/transaction/staged-files.ts';
import { newTable } from '../table/support.ts';

const LOCATION = 'memory:/wh/db/t';

export interface ChangeTableOptions {
  readonly formatVersion?: FormatVersion;
  readonly partitioned?: boolean;
  readonly properties?: Readonly<Record<string, string>>;
}

/** A table (id long, city string) whose snapshots are made of files that exist in metadata only. */
export class ChangeTable {
  readonly io: MemoryFileIO = new MemoryFileIO();
  readonly runtime: SeededRuntime = new SeededRuntime(1);
  readonly operations: TableOperations;
  table!: Table;
  #files = 0;

  private constructor() {
    this.operations = fileSystemTableOperations(LOCATION, this.io, { runtime: this.runtime, name: 'db.t' });
  }

  static async create({
    formatVersion = 2,
    partitioned = false,
    properties = {},
  }: ChangeTableOptions = {}): Promise<ChangeTable> {
    const made = new ChangeTable();
    const shape = schema({ id: t.long().required(), city: t.string() });
    const partition = partitioned ? { partitionBy: [partitionBy.identity('city')] } : {};
    const { io, runtime } = made;
    made.table = (await newTable(
      { schema: shape, formatVersion, properties, ...partition },
      { io, runtime },
    )) as unknown as Table;
    return made;
  }

  async metadata(): Promise<TableMetadata> {
    return (await this.operations.load()).metadata;
  }

  async head(branch = 'main'): Promise<Snapshot | null> {
    return snapshotForRef(await this.metadata(), branch);
  }

  /** A file of the current spec; `city` is its partition if the table has any, its ids are from `low` to `high`. */
  async dataFile(
    city: string | null = 'a',
    [low, high]: readonly [number, number] = [0, 9],
    over: Partial<DataFile> = {},
  ): Promise<DataFile> {
    const spec = currentSpec(await this.metadata());
    const name = `${LOCATION}/data/${this.#files++}.parquet`;
    return {
      content: 'data',
      path: name,
      format: 'parquet',
      specId: spec.specId,
      partition: spec.fields.map(({ transform }) => (transform.kind === 'void' ? null : city)),
      recordCount: 10,
      fileSizeInBytes: 100,
      columnSizes: null,
      valueCounts: new Map([
        [1, 10],
        [2, 10],
      ]),
      nullValueCounts: new Map([
        [1, 0],
        [2, city === null ? 10 : 0],
      ]),
      nanValueCounts: null,
      lowerBounds: new Map([
        [1, bytesOf(low)],
        ...(city === null ? [] : [[2, new TextEncoder().encode(city)] as const]),
      ]),
      upperBounds: new Map([
        [1, bytesOf(high)],
        ...(city === null ? [] : [[2, new TextEncoder().encode(city)] as const]),
      ]),
      keyMetadata: null,
      splitOffsets: null,
      equalityIds: null,
      sortOrderId: null,
      firstRowId: null,
      referencedDataFile: null,
      contentOffset: null,
      contentSizeInBytes: null,
      ...over,
    };
  }

  /** Position deletes of one data file: as a deletion vector in v3. `puffin`: the file that it shares with others. */
  async positionDelete(data: DataFile, puffin?: { readonly path: string; readonly offset: number }): Promise<DataFile> {
    const { formatVersion } = await this.metadata();
    const vector = formatVersion >= 3;
    const name = puffin?.path ?? `${LOCATION}/data/${this.#files++}-deletes.${vector ? 'puffin' : 'parquet'}`;
    return {
      ...withoutMetrics(data),
      content: 'position-deletes',
      path: name,
      format: vector ? 'puffin' : 'parquet',
      recordCount: 2,
      firstRowId: null,
      referencedDataFile: data.path,
      ...(vector && { contentOffset: puffin?.offset ?? 4, contentSizeInBytes: 40 }),
    };
  }

  /** An equality delete of the ids from `low` to `high`, in the partition of `city`. */
  async equalityDelete(city: string | null, range: readonly [number, number]): Promise<DataFile> {
    const file = await this.dataFile(city, range);
    return { ...file, content: 'equality-deletes', equalityIds: [1] };
  }

  async staged(files: readonly DataFile[]): Promise<readonly StagedData[]> {
    const metadata = await this.metadata();
    const common = { schema: currentSchema(metadata), lastColumnId: metadata.lastColumnId };
    return (await this.stagedDeletes(files)).map((group) => ({ ...group, ...common }));
  }

  async stagedDeletes(files: readonly DataFile[]): Promise<readonly StagedDeletes[]> {
    const metadata = await this.metadata();
    const specIds = [...new Set(files.map(({ specId }) => specId))];
    return specIds.map((specId) => ({
      files: files.filter((file) => file.specId === specId),
      spec: specById(metadata, specId),
    }));
  }

  /** A change worked out on the branch's head. */
  async change(
    over: Partial<Omit<SnapshotChange, 'addedData' | 'addedDeletes'>> & {
      readonly add?: readonly DataFile[];
      readonly deletes?: readonly DataFile[];
    } = {},
  ): Promise<SnapshotChange> {
    const { add = [], deletes = [], ...rest } = over;
    return {
      baseSnapshotId: (await this.head(over.branch))?.snapshotId ?? null,
      branch: 'main',
      operation: 'overwrite',
      addedData: await this.staged(add),
      addedDeletes: await this.stagedDeletes(deletes),
      removed: [],
      checks: {},
      summary: {},
      ...rest,
    };
  }

  async append(...add: readonly DataFile[]): Promise<CommitOutcome> {
    return this.commit([await this.change({ operation: 'append', add })]);
  }

  /** `beforeCommit` is called before the catalog is, with the number of the attempt. */
  commit(
    changes: readonly SnapshotChange[],
    beforeCommit?: (attempt: number) => Promise<unknown>,
  ): Promise<CommitOutcome> {
    return this.commitActions(changes.map(snapshotChangeAction), beforeCommit);
  }

  async commitActions(
    actions: readonly Action[],
    beforeCommit: (attempt: number) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<CommitOutcome> {
    const { io, runtime } = this;
    // A handle of its own: commits of one handle wait for each other.
    const inner = fileSystemTableOperations(LOCATION, io, { runtime, name: 'db.t' });
    let attempt = 0;
    const operations: TableOperations = {
      name: inner.name,
      io: inner.io,
      readOnly: inner.readOnly,
      load: () => inner.load(),
      newMetadataFileLocation: (...args) => inner.newMetadataFileLocation(...args),
      async commit(...args) {
        await beforeCommit(++attempt);
        return inner.commit(...args);
      },
    };
    const { metadata } = await operations.load();
    return commitActions(actions, {
      operations,
      runtime: { ...runtimeOf(runtime), sleep: () => Promise.resolve() },
      staged: new StagedFiles(io),
      commitUuid: randomUuid(runtime),
      signal: undefined,
      tableUuid: metadata.tableUuid,
      branch: 'main',
    });
  }

  async manifests(branch = 'main'): Promise<readonly ManifestFile[]> {
    const metadata = await this.metadata();
    const head = snapshotForRef(metadata, branch);
    return head ? readManifestList(this.io, head, metadata) : [];
  }

  async entriesOf(manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
    const metadata = await this.metadata();
    const entries: ManifestEntry[] = [];
    const options = { specs: metadata.partitionSpecs, schema: currentSchema(metadata), otherSchemas: metadata.schemas };
    for await (const batch of readManifest(this.io, manifest, options)) entries.push(...batch);
    return entries;
  }

  async liveEntries(branch = 'main'): Promise<readonly ManifestEntry[]> {
    const entries: ManifestEntry[] = [];
    for (const manifest of await this.manifests(branch)) entries.push(...(await this.entriesOf(manifest)));
    return entries.filter(({ status }) => status !== 'deleted');
  }

  async livePaths(branch = 'main'): Promise<readonly string[]> {
    return (await this.liveEntries(branch)).map(({ file }) => file.path).toSorted();
  }
}

function runtimeOf(runtime: SeededRuntime): Pick<SeededRuntime, 'concurrency' | 'now' | 'randomBytes'> {
  return {
    concurrency: runtime.concurrency,
    now: () => runtime.now(),
    randomBytes: (length) => runtime.randomBytes(length),
  };
}

function bytesOf(id: number): Uint8Array {
  return valueToBytes({ kind: 'long' }, BigInt(id));
}

function withoutMetrics(file: DataFile): DataFile {
  return {
    ...file,
    valueCounts: null,
    nullValueCounts: null,
    lowerBounds: null,
    upperBounds: null,
  };
}
