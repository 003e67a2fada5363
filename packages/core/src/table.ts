import type { Table as ArrowTable } from 'apache-arrow';
import { describeTable } from './describe/describe-table.ts';
import type { DescribeOptions } from './describe/describe-table.ts';
import type { TableDescription } from './describe/table-description.ts';
import { fileSystemTableOperations } from './catalog/file-system/table-operations.ts';
import { fixedTableOperations, isMetadataFile, staticTableOperations } from './catalog/static-table-operations.ts';
import type { LoadedMetadata, TableOperations } from './catalog/catalog.ts';
import { MetadataTable } from './inspect/metadata-table.ts';
import type { InspectOptions } from './inspect/metadata-table.ts';
import type { MetadataTableName } from './inspect/metadata-table-name.ts';
import type { FilterInput } from './expr/filter-input.ts';
import { resolveAppendRange, resolveChangeRange } from './changes/change-range.ts';
import type { ChangesOptions, IncrementalAppendScanOptions } from './changes/change-range.ts';
import { TableFollower } from './changes/follow.ts';
import type { FollowOptions } from './changes/follow.ts';
import { appendPlanner } from './changes/plan-appends.ts';
import { TableChanges } from './changes/table-changes.ts';
import type { FileIO } from './io/file-io.ts';
import { computeStats } from './maintenance/compute-stats/compute-stats.ts';
import type { ComputeStatsOptions, ComputeStatsReport } from './maintenance/compute-stats/compute-stats.ts';
import { convertEqualityDeletes } from './maintenance/convert-equality-deletes.ts';
import type {
  ConvertEqualityDeletesOptions,
  ConvertEqualityDeletesReport,
} from './maintenance/convert-equality-deletes.ts';
import { expireSnapshots } from './maintenance/expire-snapshots/expire-snapshots.ts';
import type { ExpireSnapshotsOptions, ExpireSnapshotsReport } from './maintenance/expire-snapshots/expire-snapshots.ts';
import { removeDanglingDeletes } from './maintenance/remove-dangling-deletes.ts';
import type {
  RemoveDanglingDeletesOptions,
  RemoveDanglingDeletesReport,
} from './maintenance/remove-dangling-deletes.ts';
import { removeOrphanFiles } from './maintenance/remove-orphan-files/remove-orphan-files.ts';
import type {
  OrphanFilesReport,
  RemoveOrphanFilesOptions,
} from './maintenance/remove-orphan-files/remove-orphan-files.ts';
import type { RewriteDataFilesOptions } from './maintenance/rewrite-data-files/options.ts';
import type { RewriteDataFilesReport } from './maintenance/rewrite-data-files/report.ts';
import { maintainTable } from './maintenance/maintain/maintain.ts';
import type { MaintenancePolicy } from './maintenance/maintain/policy.ts';
import type { MaintenanceReport } from './maintenance/maintain/report.ts';
import { rewriteDataFiles } from './maintenance/rewrite-data-files/rewrite-data-files.ts';
import { rewriteTablePath } from './maintenance/rewrite-table-path/rewrite-table-path.ts';
import type {
  RewriteTablePathOptions,
  RewriteTablePathReport,
} from './maintenance/rewrite-table-path/rewrite-table-path.ts';
import type { OperatedTable } from './maintenance/run-operation.ts';
import { rewriteManifests } from './maintenance/rewrite-manifests/rewrite-manifests.ts';
import type {
  RewriteManifestsOptions,
  RewriteManifestsReport,
} from './maintenance/rewrite-manifests/rewrite-manifests.ts';
import { rewritePositionDeletes } from './maintenance/rewrite-position-deletes/rewrite-position-deletes.ts';
import type {
  RewritePositionDeletesOptions,
  RewritePositionDeletesReport,
} from './maintenance/rewrite-position-deletes/rewrite-position-deletes.ts';
import { migrateTable } from './migrate-table.ts';
import type { MigrateOptions } from './migrate-table.ts';
import type { Reporter } from './reporter.ts';
import { systemRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { SortFieldInput } from './spec/inputs.ts';
import {
  ancestorsOf,
  currentSchema,
  currentSnapshot,
  currentSortOrder,
  currentSpec,
} from './spec/metadata-accessors.ts';
import type { PartitionSpec } from './spec/partition-spec.ts';
import type { Schema } from './spec/schema.ts';
import type { Snapshot, SnapshotRef } from './spec/snapshot.ts';
import type { SortOrder } from './spec/sort-order.ts';
import type { FormatVersion, TableMetadata } from './spec/table-metadata.ts';
import { TableScan } from './table-scan.ts';
import type { ScanOptions, ScanSource } from './table-scan.ts';
import type { SelectedRow } from './table-scan/selected-row.ts';
import type { AddFilesOptions } from './transaction/add-files/add-files.ts';
import type { FileSelection } from './transaction/add-files/select-files.ts';
import { replacedTable } from './transaction/commit-loop.ts';
import type { Commit } from './transaction/commit.ts';
import type { SchemaChange } from './transaction/evolve-schema.ts';
import type { SpecChange } from './transaction/evolve-spec.ts';
import type { Assignments } from './transaction/operations/assignments.ts';
import type { MergeOptions, UpsertOptions } from './transaction/operations/merge-rows.ts';
import type { OverwritePartitionsOptions } from './transaction/operations/overwrite-partitions.ts';
import type { OverwriteOptions } from './transaction/operations/overwrite-rows.ts';
import type { RowDelta } from './transaction/operations/row-delta.ts';
import type { RowLevelOptions } from './transaction/operations/row-level-settings.ts';
import { runTransaction } from './transaction/run-transaction.ts';
import type { TransactionHost } from './transaction/transaction-state.ts';
import type { TimeInput } from './transaction/time-input.ts';
import type { Transaction } from './transaction/transaction.ts';
import type { BranchOptions, TagOptions } from './transaction/update-refs.ts';
import type {
  AppendOptions,
  CommitOptions,
  PublishOptions,
  TransactionOptions,
} from './transaction/transaction-options.ts';
import { coreWriter } from './write/data-file-writer.ts';
import type { DataFileWriter } from './write/data-file-writer.ts';
import type { AppendData } from './write/input.ts';

export interface TableOptions {
  readonly runtime?: Runtime | undefined;
  /** Receives a report of every scan and commit. */
  readonly reporter?: Reporter | undefined;
  /** Makes the data files of everything that is written; core itself if left out. */
  readonly writer?: DataFileWriter | undefined;
}

export interface LoadTableOptions extends TableOptions {
  readonly io: FileIO;
}

/** One change of the current snapshot. */
export interface HistoryEntry {
  readonly timestampMs: number;
  readonly snapshotId: bigint;
  readonly parentId: bigint | null;
  /** False for a snapshot that was rolled back or replaced since. */
  readonly isCurrentAncestor: boolean;
}

/**
 * A handle on one version of an Iceberg table. Its own commits move it forward; those of others come with `refresh`.
 * Get one from a catalog, or with `Table.load`. `Row` is the type of the rows that scans give.
 */
export class Table<Row = Record<string, unknown>> {
  readonly #operations: TableOperations;
  readonly #runtime: Runtime;
  readonly #reporter: Reporter | undefined;
  readonly #writer: DataFileWriter;
  /** Told when the handle moves to another version. */
  readonly #moveListeners = new Set<() => void>();
  #loaded: LoadedMetadata;

  /** For catalogs: users call `catalog.loadTable` or `Table.load`. */
  constructor(operations: TableOperations, loaded: LoadedMetadata, options: TableOptions = {}) {
    this.#operations = operations;
    this.#loaded = loaded;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#reporter = options.reporter;
    this.#writer = options.writer ?? coreWriter;
  }

  /**
   * Opens a table without a catalog: the root of one that a file-system catalog made, or a `*.metadata.json` file, which
   * is read-only. NOT_FOUND if there is none.
   */
  static async load(location: string, options: LoadTableOptions): Promise<Table> {
    const { io, ...rest } = options;
    const operations = isMetadataFile(location)
      ? staticTableOperations(location, io)
      : fileSystemTableOperations(location, io, rest);
    return tableFromOperations(operations, await operations.load(), rest);
  }

  /**
   * Makes a table of Parquet files that exist, without copying them: those of a directory, maybe in Hive's layout
   * (`country=KR/day=2024-01-01/…`). Its columns are those of all files by name, of types that hold the values of each,
   * then those of the directories, by which it is partitioned:
   * `Table.migrate({ catalog, name: 'web.events', source: '/data/events' })`, or `{ io, location, source }` without a
   * catalog. The files belong to the table from then on, as with `addFiles`; if that fails, the table is dropped again.
   * INVALID_ARGUMENT, naming file and column, for files that don't go together; UNSUPPORTED for other formats.
   */
  static migrate(options: MigrateOptions): Promise<Table> {
    const { runtime } = options;
    return migrateTable(options, (operations, loaded) => tableFromOperations(operations, loaded, { runtime }));
  }

  /** Another handle on the same version, whose data files the writer makes: that of an engine, like `lakehouse.writer`. */
  withWriter(writer: DataFileWriter): Table<Row> {
    return new Table<Row>(this.#operations, this.#loaded, {
      runtime: this.#runtime,
      reporter: this.#reporter,
      writer,
    });
  }

  /** A handle on a version that need not be committed, like that of a transaction under way: to be read only. */
  withMetadata(metadata: TableMetadata): Table<Row> {
    const loaded = { metadata, metadataLocation: this.metadataLocation };
    const readOnly = 'it is a version of it that is not committed; change it by the transaction that has made it';
    return new Table<Row>(fixedTableOperations(this.#operations, loaded, readOnly), loaded, {
      runtime: this.#runtime,
      reporter: this.#reporter,
      writer: this.#writer,
    });
  }

  /** The full name in its catalog, or the location it was loaded from. */
  get name(): string {
    return this.#operations.name;
  }

  get io(): FileIO {
    return this.#operations.io;
  }

  /** Why commits are refused; null if they aren't. */
  get readOnly(): string | null {
    return this.#operations.readOnly;
  }

  get metadata(): TableMetadata {
    return this.#loaded.metadata;
  }

  get metadataLocation(): string {
    return this.#loaded.metadataLocation;
  }

  get schema(): Schema<Row> {
    return currentSchema(this.metadata) as Schema<Row>;
  }

  get spec(): PartitionSpec {
    return currentSpec(this.metadata);
  }

  get sortOrder(): SortOrder {
    return currentSortOrder(this.metadata);
  }

  get properties(): Readonly<Record<string, string>> {
    return this.metadata.properties;
  }

  get location(): string {
    return this.metadata.location;
  }

  get formatVersion(): FormatVersion {
    return this.metadata.formatVersion;
  }

  get uuid(): string {
    return this.metadata.tableUuid;
  }

  /** Every snapshot that has not been expired, in the order of the metadata. */
  snapshots(): readonly Snapshot[] {
    return this.metadata.snapshots;
  }

  /** The head of main; null before the first commit. */
  currentSnapshot(): Snapshot | null {
    return currentSnapshot(this.metadata);
  }

  /** How the current snapshot changed, oldest first. */
  history(): readonly HistoryEntry[] {
    const { metadata } = this;
    const ancestors = new Set<bigint>();
    for (const snapshot of ancestorsOf(metadata, metadata.currentSnapshotId)) ancestors.add(snapshot.snapshotId);
    const parents = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot.parentSnapshotId]));
    return metadata.snapshotLog.map(({ timestampMs, snapshotId }) => ({
      timestampMs,
      snapshotId,
      parentId: parents.get(snapshotId) ?? null,
      isCurrentAncestor: ancestors.has(snapshotId),
    }));
  }

  /** Branches and tags by name. */
  refs(): Readonly<Record<string, SnapshotRef>> {
    return this.metadata.refs;
  }

  /**
   * What the table is, as data that prints neatly: columns, partitioning, snapshots, refs, counts, sizes, and what slows
   * reading down. Reads the manifest list; with `{ files: true }` the manifests, too.
   */
  describe(options: DescribeOptions = {}): Promise<TableDescription> {
    const { name, io, metadata, metadataLocation } = this;
    const table = { name, io, metadata, metadataLocation, runtime: this.#runtime };
    return describeTable(table, options);
  }

  /** Moves the handle to the newest version. NOT_FOUND if the table was dropped, or another one took its place. */
  async refresh(): Promise<this> {
    const loaded = await this.#operations.load();
    if (loaded.metadata.tableUuid !== this.uuid) throw replacedTable(this.name);
    this.#moveTo(loaded);
    return this;
  }

  #moveTo(loaded: LoadedMetadata): void {
    const isOther = loaded.metadataLocation !== this.metadataLocation;
    this.#loaded = loaded;
    if (!isOther) return;
    for (const listener of this.#moveListeners) listener();
  }

  /**
   * A scan of the current version of this handle, or of another state of the table (`snapshotId`, `ref`, `asOf`). It
   * stays on that version whatever is committed meanwhile. INVALID_ARGUMENT for unknown columns and bad filters.
   */
  scan<const Select extends readonly string[] = readonly never[]>(
    options: ScanOptions<Select> = {},
  ): TableScan<SelectedRow<Row, Select>> {
    return new TableScan(this.#scanSource(this.metadata), options);
  }

  #scanSource(metadata: TableMetadata): ScanSource {
    const { name, io } = this;
    return { name, io, metadata, runtime: this.#runtime, reporter: this.#reporter };
  }

  /**
   * A scan of the rows that the `append` commits after the snapshot `from` added, up to `to` and with it; from the oldest
   * snapshot that the table still knows if `from` is left out. As in Iceberg Java, rows come whether they have been
   * deleted since or not. INVALID_ARGUMENT if `from` is no ancestor of `to`, NOT_FOUND for expired snapshots.
   */
  incrementalAppendScan<const Select extends readonly string[] = readonly never[]>(
    options: IncrementalAppendScanOptions<Select> = {},
  ): TableScan<SelectedRow<Row, Select>> {
    const { from: _, to, ref, ...scan } = options;
    const { snapshots } = resolveAppendRange(this.metadata, options);
    const target = to === undefined ? { ref } : { snapshotId: to };
    return new TableScan(this.#scanSource(this.metadata), { ...scan, ...target }, appendPlanner(snapshots));
  }

  /**
   * The rows that were inserted and deleted after the snapshot `from`, up to `to` and with it: Arrow batches of the
   * table's columns, `_change_type` ('insert' or 'delete'), `_change_ordinal` and `_commit_snapshot_id`; or objects, by
   * `toRows()`. Snapshot by snapshot, of each the deleted rows first. Together they are the difference of the two states
   * as multisets, whatever kind of files and deletes it was made with. INVALID_ARGUMENT if `from` is no ancestor of `to`;
   * NOT_FOUND if snapshots in between have been expired.
   */
  changes<const Select extends readonly string[] = readonly never[]>(
    options: ChangesOptions<Select> = {},
  ): TableChanges<SelectedRow<Row, Select>> {
    const { from, to, ref, ...read } = options;
    const { snapshots, schema } = resolveChangeRange(this.metadata, { from, to, ref });
    const steps = snapshots.map((snapshot) => ({ snapshot, kind: 'made' as const }));
    return new TableChanges(this.#scanSource(this.metadata), steps, schema, read);
  }

  /**
   * Follows a branch: a step for every commit, as they come, with its changes and a position to save and resume from.
   * Commits that only replaced files are no steps; a rollback is one, with the inverse changes. It ends when `signal` is
   * aborted. NOT_FOUND, from the iteration, if what is between the position and the branch has been expired.
   */
  follow<const Select extends readonly string[] = readonly never[]>(
    options: FollowOptions<Select> = {},
  ): TableFollower<SelectedRow<Row, Select>> {
    const handle = (): TableMetadata => this.metadata;
    return new TableFollower(
      {
        runtime: this.#runtime,
        get metadata() {
          return handle();
        },
        load: async () => {
          const { metadata } = await this.#operations.load();
          if (metadata.tableUuid !== this.uuid) throw replacedTable(this.name);
          return metadata;
        },
        source: (metadata) => this.#scanSource(metadata),
        onMove: (listener) => {
          this.#moveListeners.add(listener);
          return () => this.#moveListeners.delete(listener);
        },
      },
      options,
    );
  }

  /**
   * A metadata table as an Arrow table, under Spark's names for it and for its columns: `await table.inspect('files')`.
   * INVALID_ARGUMENT for unknown tables and columns, bad filters, and a snapshot where rows are of all snapshots.
   */
  async inspect(name: MetadataTableName, options: InspectOptions = {}): Promise<ArrowTable> {
    return this.metadataTable(name, options).toArrow();
  }

  /** A metadata table to be read in batches or rows: of a million files, it holds a few thousand at a time. */
  metadataTable(name: MetadataTableName, options: InspectOptions = {}): MetadataTable {
    const { io, metadata, metadataLocation } = this;
    const inspected = { io, metadata, metadataLocation, runtime: this.#runtime };
    return new MetadataTable(inspected, name, options);
  }

  /**
   * Adds rows as one commit: objects, Arrow tables or record batches, or an iterable or async iterable of them. An
   * append of nothing changes nothing. INVALID_ARGUMENT for rows that don't fit the schema; the table is as it was then.
   */
  append(data: AppendData, options: AppendOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.append(data, { mergeSchema: options.mergeSchema }), options);
  }

  /**
   * Adds Parquet files that exist as one commit, without copying them: `table.addFiles(['/data/a.parquet'])`,
   * `table.addFiles({ directory: '/data', pattern: '*.parquet' })`. Their footers are read and checked: types must be the
   * table's, or ones that may grow into them; required columns must have no nulls. Columns are found by field ids if the
   * files have the table's, else by name, for which the table gets a name mapping (`schema.name-mapping.default`).
   * The partition of a file is that of its directories (`country=KR`), of its columns' bounds, or given. Files without
   * rows are left out.
   *
   * The files belong to the table from now on: dropping it with `purge` deletes them, wherever they are; but
   * `removeOrphanFiles` never looks outside the table's location. INVALID_ARGUMENT, naming file and column, for files
   * that don't fit or are there already; INVALID_DATA for broken ones; UNSUPPORTED for encrypted ones and other formats.
   */
  addFiles(files: FileSelection, options: AddFilesOptions & TransactionOptions = {}): Promise<Commit> {
    return this.change((tx) => tx.addFiles(files, options), options);
  }

  /**
   * Replaces the rows for which `filter` is TRUE (SQL's logic; all rows if there is none) by others, as one commit.
   * Options and outcome as for `delete`.
   */
  overwrite(data: AppendData, options: OverwriteOptions & TransactionOptions = {}): Promise<Commit> {
    return this.change((tx) => tx.overwrite(data, options), options);
  }

  /**
   * Replaces all rows of the partitions that the new rows are in; an unpartitioned table is one. What others have added
   * to these partitions meanwhile is replaced, too, unless an isolation level is asked for.
   */
  overwritePartitions(
    data: AppendData,
    options: OverwritePartitionsOptions & TransactionOptions = {},
  ): Promise<Commit> {
    return this.change((tx) => tx.overwritePartitions(data, options), options);
  }

  /**
   * Deletes the rows for which a filter is TRUE: `table.delete("ts < '2024-01-01'")`. Files that it surely covers are
   * dropped unread; others are rewritten, or with `mode: 'merge-on-read'` get delete files. Nothing is written if no row
   * matches (`commit.changed`). If other writers get in the way, it is done anew on their version of the table, as often
   * as `commit.retry.*` allows; COMMIT_CONFLICT if that was not enough. UNSUPPORTED for what can't be read or written.
   */
  delete(filter: FilterInput, options: RowLevelOptions & TransactionOptions = {}): Promise<Commit> {
    return this.change((tx) => tx.delete(filter, options), options);
  }

  /**
   * Changes columns of the rows for which a filter is TRUE, to values or to what functions make of a row:
   * `table.update('id = 1', { city: 'Busan', visits: (row) => row.visits + 1n })`. As `delete` otherwise; a function may
   * be called several times for a row.
   */
  update(
    filter: FilterInput,
    assignments: Assignments<readonly [Row], keyof Row>,
    options: RowLevelOptions & TransactionOptions = {},
  ): Promise<Commit> {
    return this.change((tx) => tx.update(filter, assignments as Assignments, options), options);
  }

  /**
   * Replaces rows by those with the same key, and adds the rest: `table.upsert(rows, { on: ['id'] })`. Rows that are the
   * same already stay where they are. The new rows are held in memory. INVALID_ARGUMENT if two of them have the same key;
   * a null in a key matches nothing. As `delete` otherwise, with `write.merge.*`.
   */
  upsert(data: AppendData, options: UpsertOptions & TransactionOptions = {}): Promise<Commit> {
    return this.change((tx) => tx.upsert(data, options), options);
  }

  /**
   * Updates, deletes and adds rows as a source of rows, which is held in memory, tells by key. It may have columns that
   * the table lacks, for conditions and values:
   * `table.merge(changes, { on: 'id', whenMatched: [{ if: (_, s) => s.gone, delete: true }, 'update'], whenNotMatched: 'insert' })`.
   * As `upsert` otherwise.
   */
  merge<Source extends object = Record<string, unknown>>(
    source: AppendData,
    options: MergeOptions<Row, Source> & TransactionOptions,
  ): Promise<Commit> {
    return this.change((tx) => tx.merge(source, options as MergeOptions), options);
  }

  /**
   * Adds rows and deletes others, by key or by position, without reading the table: what streams do. UNSUPPORTED for
   * deletes in tables of format version 1.
   */
  rowDelta(delta: RowDelta, options: TransactionOptions = {}): Promise<Commit> {
    return this.change((tx) => tx.rowDelta(delta), options);
  }

  /**
   * Makes several changes as one commit. The function gets a transaction to make them on; if it throws, nothing changes.
   * COMMIT_CONFLICT if other writers won all the time, or what they did doesn't go together with the changes;
   * COMMIT_STATE_UNKNOWN if the answer of the catalog was lost: the commit may have happened.
   */
  transaction(body: (transaction: Transaction) => unknown, options: TransactionOptions = {}): Promise<Commit> {
    return this.#commit(body, options, false);
  }

  /**
   * A transaction of one change, like a statement of SQL: on the newest version, and worked out anew if it meets a conflict
   * all the same.
   */
  async change(body: (transaction: Transaction) => unknown, options: TransactionOptions = {}): Promise<Commit> {
    if (this.readOnly === null) await this.refresh();
    return this.#commit(body, options, true);
  }

  async #commit(
    body: (transaction: Transaction) => unknown,
    options: TransactionOptions,
    single: boolean,
  ): Promise<Commit> {
    const { commit, loaded } = await runTransaction(this.#host(options.writer), this.#loaded, body, {
      ...options,
      single,
    });
    this.#moveForward(loaded);
    return commit;
  }

  #host(writer: DataFileWriter = this.#writer): TransactionHost {
    return {
      operations: this.#operations,
      runtime: this.#runtime,
      reporter: this.#reporter,
      writer,
    };
  }

  /** Commits of one handle may end in another order than they were made in. */
  #moveForward(loaded: LoadedMetadata): void {
    if (loaded.metadata.lastUpdatedMs >= this.metadata.lastUpdatedMs) this.#moveTo(loaded);
  }

  /** Evolves the schema: `table.updateSchema(s => s.addColumn('country', t.string()))`. Calls apply in sequence. */
  updateSchema(change: SchemaChange, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.updateSchema(change), options);
  }

  /** Evolves the partitioning: `table.updateSpec(p => p.add(partitionBy.hour('ts')))`. Files that are there keep theirs. */
  updateSpec(change: SpecChange, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.updateSpec(change), options);
  }

  /** Sets the order that writers sort by; an empty list for none. */
  updateSortOrder(sortBy: readonly SortFieldInput[], options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.updateSortOrder(sortBy), options);
  }

  setProperties(properties: Readonly<Record<string, string>>, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.setProperties(properties), options);
  }

  removeProperties(keys: readonly string[], options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.removeProperties(keys), options);
  }

  /** Raises the format version; there is no way back. */
  upgradeFormatVersion(version: FormatVersion, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.upgradeFormatVersion(version), options);
  }

  /** Makes a branch at a snapshot, main's current one if none is given. */
  createBranch(name: string, options: BranchOptions & CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.createBranch(name, options), options);
  }

  createTag(name: string, options: TagOptions & CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.createTag(name, options), options);
  }

  dropBranch(name: string, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.dropBranch(name), options);
  }

  dropTag(name: string, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.dropTag(name), options);
  }

  /** Removes a branch or tag. Its snapshots stay until they are expired. */
  removeRef(name: string, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.removeRef(name), options);
  }

  /** Moves `branch` forward to where `to`, a branch or tag built on it, is. */
  fastForward(branch: string, to: string, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.fastForward(branch, to), options);
  }

  /**
   * Makes the change of a snapshot that is not in the history of main (or `branch`) a part of it. A snapshot that
   * follows the head becomes the head; an append is made again on top of it, and so is an overwrite of partitions that
   * have not changed since. INVALID_ARGUMENT for others, ALREADY_EXISTS if the change is there already.
   */
  cherrypick(snapshotId: bigint, options: PublishOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.cherrypick(snapshotId), options);
  }

  /**
   * Publishes what was staged by a write with this `wapId`, as `cherrypick` does. NOT_FOUND if nothing was;
   * INVALID_ARGUMENT if several snapshots were.
   */
  publishChanges(wapId: string, options: PublishOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.publishChanges(wapId), options);
  }

  /** Takes main back to a snapshot of its history. */
  rollbackTo(snapshotId: bigint, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.rollbackTo(snapshotId), options);
  }

  /** Takes main back to the newest snapshot of its history that was there at that time. */
  rollbackToTimestamp(time: TimeInput, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.rollbackToTimestamp(time), options);
  }

  /** Makes any snapshot of the table main's current one. */
  setCurrentSnapshot(snapshotId: bigint, options: CommitOptions = {}): Promise<Commit> {
    return this.transaction((tx) => tx.setCurrentSnapshot(snapshotId), options);
  }

  /**
   * Writes data files anew where that makes reading faster, with Spark's names and defaults: many small files become few
   * (`binpack`), rows are sorted (`sort`) or brought together by several columns (`zorder`); deletes are applied, and files
   * of older schemas and specs become current ones. Rows, and their lineage, stay as they are. It is made of groups of
   * files, which are committed as one snapshot, or with `partialProgress` as several.
   *
   * Others may go on writing. Where they delete rows of a file by position, rewrite or remove it meanwhile, its group is
   * worked out again, a few times; if that was in vain it counts as failed, and the others are committed. COMMIT_CONFLICT
   * if none was. Whatever else fails is an error, and nothing has changed then; with `partialProgress` it is a failed
   * group of the report. RESOURCE_EXHAUSTED for groups that are too large to be sorted without DuckDB (`lake.table(name)`).
   */
  rewriteDataFiles(options: RewriteDataFilesOptions = {}): Promise<RewriteDataFilesReport> {
    const onCommit = (loaded: LoadedMetadata): void => this.#moveForward(loaded);
    return rewriteDataFiles({ host: this.#host(), tableUuid: this.uuid, onCommit }, options);
  }

  /**
   * Removes snapshots that are too old, and the files that only they reached. Which stay follows from `olderThan` and
   * `retainLast`, the table's `history.expire.*` and what branches and tags say of their own (spec: "Snapshot Retention
   * Policy"); a branch's head and what a tag is at always do. Who reads an old snapshot meanwhile fails.
   * INVALID_ARGUMENT for an id that a branch or tag is at; UNSUPPORTED if the table's `gc.enabled` is false.
   */
  async expireSnapshots(options: ExpireSnapshotsOptions = {}): Promise<ExpireSnapshotsReport> {
    const { report, outcome } = await expireSnapshots(this.#maintained(), options);
    if (outcome) this.#moveForward(outcome.loaded);
    return report;
  }

  #maintained(): OperatedTable {
    return { ...this.#host(), tableUuid: this.uuid };
  }

  /**
   * Makes few manifests of many, sorted by partition, so that planning opens few of them. Files and rows stay as they
   * are; a snapshot of the operation `replace` is made if there is something to do.
   */
  async rewriteManifests(options: RewriteManifestsOptions = {}): Promise<RewriteManifestsReport> {
    const { report, outcome } = await rewriteManifests(this.#maintained(), options);
    if (outcome) this.#moveForward(outcome.loaded);
    return report;
  }

  /**
   * Combines position delete files that are many and small, and leaves out of them what is about data files that are gone.
   * In a table that was upgraded to version 3 it makes deletion vectors of all that are left from version 2.
   */
  async rewritePositionDeletes(options: RewritePositionDeletesOptions = {}): Promise<RewritePositionDeletesReport> {
    const { report, outcome } = await rewritePositionDeletes(this.#maintained(), options);
    this.#moveForward(outcome.loaded);
    return report;
  }

  /**
   * Writes down by position what equality deletes delete, as deletion vectors or position delete files, and removes them:
   * for tables that streams write and others read. Data files stay; of those that they may apply to keys are read.
   */
  async convertEqualityDeletes(options: ConvertEqualityDeletesOptions = {}): Promise<ConvertEqualityDeletesReport> {
    const { report, outcome } = await convertEqualityDeletes(this.#maintained(), options);
    this.#moveForward(outcome.loaded);
    return report;
  }

  /** Removes delete files and deletion vectors that apply to no data file any more; only metadata is read. */
  async removeDanglingDeletes(options: RemoveDanglingDeletesOptions = {}): Promise<RemoveDanglingDeletesReport> {
    const { report, outcome } = await removeDanglingDeletes(this.#maintained(), options);
    if (outcome) this.#moveForward(outcome.loaded);
    return report;
  }

  /**
   * Deletes files in the table's location that no snapshot reaches: what failed and killed writes left, and versions of
   * the metadata that have left its log. Only those last written over three days ago, unless `olderThan` is given, which
   * is obeyed; `dryRun` only names them. UNSUPPORTED, with nothing deleted, if another table lives there.
   */
  removeOrphanFiles(options: RemoveOrphanFilesOptions = {}): Promise<OrphanFilesReport> {
    return removeOrphanFiles(this.#maintained(), options);
  }

  /**
   * Does what is worth doing for the table now, decided from its metadata: small files and deletes, manifests, snapshots,
   * orphan files; within a budget, safely beside writers and beside others that call it.
   * `console.log(String(await table.maintain({ dryRun: true })))` prints what it would do.
   */
  maintain(policy: MaintenancePolicy = {}): Promise<MaintenanceReport> {
    return maintainTable(this, policy, this.#runtime);
  }

  /**
   * Counts distinct values of columns, and files and records of partitions, over a snapshot's live rows, and adds them to
   * the table's metadata for the planners of other engines: `(await table.computeStats({ columns: ['city'] })).columns`.
   * Makes no snapshot. INVALID_ARGUMENT for unknown columns and nested types.
   */
  async computeStats(options: ComputeStatsOptions = {}): Promise<ComputeStatsReport> {
    const { report, outcome } = await computeStats(this.#maintained(), options);
    if (outcome) this.#moveForward(outcome.loaded);
    return report;
  }

  /**
   * Prepares a copy of the table at another place, for backups and moves: what names other files is written to a staging
   * directory with new paths, and a list tells what to copy where: `report.fileListLocation`. The table stays as it is.
   */
  rewriteTablePath(options: RewriteTablePathOptions): Promise<RewriteTablePathReport> {
    return rewriteTablePath(this.#maintained(), options);
  }
}

/** For catalogs: a handle on a table that they have loaded or made. */
export function tableFromOperations<Row = Record<string, unknown>>(
  operations: TableOperations,
  loaded: LoadedMetadata,
  options: TableOptions = {},
): Table<Row> {
  return new Table<Row>(operations, loaded, options);
}
