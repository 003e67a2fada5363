import { invalidArgument } from '../errors.ts';
import type { FilterInput } from '../expr/filter-input.ts';
import { applyUpdates } from '../spec/apply-updates.ts';
import type { SortFieldInput } from '../spec/inputs.ts';
import { currentSchema, currentSpec } from '../spec/metadata-accessors.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts';
import type { AppendData } from '../write/input.ts';
import type { Action, MetadataAction } from './action.ts';
import { addFilesAction } from './add-files/add-files.ts';
import type { AddFilesOptions } from './add-files/add-files.ts';
import type { FileSelection } from './add-files/select-files.ts';
import { cherrypickAction, publishChangesAction } from './cherrypick.ts';
import { evolveSchemaAction } from './evolve-schema.ts';
import type { SchemaChange } from './evolve-schema.ts';
import { evolveSpecAction } from './evolve-spec.ts';
import type { SpecChange } from './evolve-spec.ts';
import { findRef, parentOnBranch } from './refs.ts';
import { replaceTableAction } from './replace-table.ts';
import type { TableReplacement } from './replace-table.ts';
import type { Assignments } from './operations/assignments.ts';
import { deleteRows } from './operations/delete-rows.ts';
import { mergeRows, upsertRows } from './operations/merge-rows.ts';
import type { MergeOptions, UpsertOptions } from './operations/merge-rows.ts';
import { overwritePartitions } from './operations/overwrite-partitions.ts';
import type { OverwritePartitionsOptions } from './operations/overwrite-partitions.ts';
import { overwriteRows } from './operations/overwrite-rows.ts';
import type { OverwriteOptions } from './operations/overwrite-rows.ts';
import { rowDeltaOperation } from './operations/row-delta.ts';
import type { RowDelta } from './operations/row-delta.ts';
import type { RowLevelOptions } from './operations/row-level-settings.ts';
import { rowOperationAction } from './operations/row-operation.ts';
import type { RowOperation } from './operations/row-operation.ts';
import { transactionView } from './operations/table-view.ts';
import { updateRows } from './operations/update-rows.ts';
import { rollbackToAction, rollbackToTimestampAction, setCurrentSnapshotAction } from './set-current-snapshot.ts';
import { snapshotChangeAction } from './snapshot-change-action.ts';
import { stageAppend } from './stage-append.ts';
import type { StagedData } from './staged-data.ts';
import { toEpochMs } from './time-input.ts';
import type { TimeInput } from './time-input.ts';
import { removePropertiesAction, setPropertiesAction } from './update-properties.ts';
import {
  createBranchAction,
  createTagAction,
  fastForwardAction,
  removeRefAction,
  replaceBranchAction,
  replaceTagAction,
} from './update-refs.ts';
import type { BranchOptions, TagOptions } from './update-refs.ts';
import { updateSortOrderAction } from './update-sort-order.ts';
import { upgradeFormatVersionAction } from './upgrade-format-version.ts';
import { commitSummary } from './transaction-options.ts';
import type { StageOptions } from './transaction-options.ts';
import type { TransactionState } from './transaction-state.ts';

/**
 * Changes of one table that become visible together, as one commit. What is appended is written at once; everything
 * else happens when the function given to `table.transaction` is done.
 */
export class Transaction {
  readonly #state: TransactionState;

  constructor(state: TransactionState) {
    this.#state = state;
  }

  /** The table's schema, spec and properties with the changes so far. */
  get schema(): Schema {
    return currentSchema(this.#state.metadata);
  }

  get spec(): PartitionSpec {
    return currentSpec(this.#state.metadata);
  }

  get properties(): Readonly<Record<string, string>> {
    return this.#state.metadata.properties;
  }

  /** The table with all changes so far, snapshots included: `table.withMetadata(await tx.preview())` reads it. */
  preview(): Promise<TableMetadata> {
    return this.#run(async (state) => (await transactionView(state)).metadata);
  }

  /**
   * Writes data files to be added as one snapshot. Rows, Arrow tables and record batches, or an iterable or async
   * iterable of them. INVALID_ARGUMENT for rows that don't fit the schema. Await it before the next call.
   */
  append(data: AppendData, options: StageOptions = {}): Promise<void> {
    return this.#run(async (state) => {
      const staged = await this.#stage(state, data, options);
      if (staged === null) return;
      const { branch } = state;
      state.actions.push(
        snapshotChangeAction({
          baseSnapshotId: findRef(state.metadata, branch)?.snapshotId ?? null,
          branch,
          operation: 'append',
          addedData: [staged],
          addedDeletes: [],
          removed: [],
          checks: {},
          summary: commitSummary(state.options),
        }),
      );
    });
  }

  /** Adds Parquet files that exist, where they are. Their footers are read at once. */
  addFiles(files: FileSelection, options: AddFilesOptions = {}): Promise<void> {
    return this.#run(async (state) => {
      const action = await addFilesAction(files, options, state);
      if (action !== null) state.actions.push(action);
    });
  }

  /**
   * Replaces the rows for which `filter` is TRUE, all rows if there is none, by others. As for the following calls: what
   * the transaction has done before is seen, and the call must be awaited.
   */
  overwrite(data: AppendData, options: OverwriteOptions = {}): Promise<void> {
    return this.#run(async (state) => {
      const staged = await this.#stage(state, data, options);
      await this.#operate(state, overwriteRows(staged, options));
    });
  }

  /** Replaces all rows of the partitions that the new rows are in. */
  overwritePartitions(data: AppendData, options: OverwritePartitionsOptions = {}): Promise<void> {
    return this.#run(async (state) => {
      const staged = await this.#stage(state, data, options);
      if (staged !== null) await this.#operate(state, overwritePartitions(staged, options));
    });
  }

  /** Deletes the rows for which the filter is TRUE. */
  delete(filter: FilterInput, options: RowLevelOptions = {}): Promise<void> {
    return this.#run((state) => this.#operate(state, deleteRows(filter, options)));
  }

  /** Assigns values, or what functions make of a row, to columns of the rows for which the filter is TRUE. */
  update(filter: FilterInput, assignments: Assignments, options: RowLevelOptions = {}): Promise<void> {
    return this.#run((state) => this.#operate(state, updateRows(filter, assignments, options)));
  }

  /** Replaces rows by those with the same key, and adds the rest. */
  upsert(data: AppendData, options: UpsertOptions = {}): Promise<void> {
    return this.#run((state) => this.#operate(state, upsertRows(data, options)));
  }

  /** Updates, deletes and adds rows as those of a source with the same key tell. */
  merge(source: AppendData, options: MergeOptions): Promise<void> {
    return this.#run((state) => this.#operate(state, mergeRows(source, options)));
  }

  /** Adds rows, and delete files that say which rows are gone, without reading the table. */
  rowDelta(delta: RowDelta): Promise<void> {
    return this.#run(async (state) => {
      const data = delta.rows === undefined ? null : await this.#stage(state, delta.rows, {});
      await this.#operate(state, await rowDeltaOperation(data, delta, state));
    });
  }

  /** Makes a change of rows or files that has no call of its own: what maintenance does. */
  operate(operation: RowOperation): Promise<void> {
    return this.#run((state) => this.#operate(state, operation));
  }

  /** One call after the other: each builds on what the ones before did. */
  async #run<T>(call: (state: TransactionState) => Promise<T>): Promise<T> {
    const state = this.#open();
    if (state.actions.length === 0) parentOnBranch(state.metadata, state.branch);
    const running = call(state);
    state.running = running;
    try {
      return await running;
    } finally {
      state.running = null;
    }
  }

  async #stage(state: TransactionState, data: AppendData, options: StageOptions): Promise<StagedData | null> {
    const staged = await stageAppend(data, options, state);
    if (staged?.schemaChange) this.#apply(state, evolveSchemaAction(staged.schemaChange));
    return staged === null ? null : staged.data;
  }

  async #operate(state: TransactionState, operation: RowOperation): Promise<void> {
    const change = await operation.plan(await transactionView(state));
    if (change !== null) state.actions.push(rowOperationAction(operation, change, state));
  }

  /** Evolves the schema; calls of the builder apply in sequence. It may be called again if another writer commits first. */
  updateSchema(change: SchemaChange): void {
    this.#change(evolveSchemaAction(change));
  }

  /** Evolves the partitioning. Files that are there keep theirs. */
  updateSpec(change: SpecChange): void {
    this.#change(evolveSpecAction(change));
  }

  /** Sets the order that writers sort by; an empty list for none. */
  updateSortOrder(sortBy: readonly SortFieldInput[]): void {
    this.#change(updateSortOrderAction(sortBy));
  }

  setProperties(properties: Readonly<Record<string, string>>): void {
    this.#change(setPropertiesAction(properties));
  }

  removeProperties(keys: readonly string[]): void {
    this.#change(removePropertiesAction(keys));
  }

  upgradeFormatVersion(version: FormatVersion): void {
    this.#change(upgradeFormatVersionAction(version));
  }

  /** Makes the table another one under its name: main is empty, its history stays. */
  replaceTable(replacement: TableReplacement): void {
    this.#change(replaceTableAction(replacement));
  }

  /** Makes a branch at a snapshot, main's current one if none is given. */
  createBranch(name: string, options: BranchOptions = {}): void {
    this.#later(createBranchAction(name, options));
  }

  createTag(name: string, options: TagOptions = {}): void {
    this.#later(createTagAction(name, options));
  }

  /** Moves a branch to any snapshot, main's current one if none is given. */
  replaceBranch(name: string, options: BranchOptions = {}): void {
    this.#later(replaceBranchAction(name, options));
  }

  replaceTag(name: string, options: TagOptions = {}): void {
    this.#later(replaceTagAction(name, options));
  }

  dropBranch(name: string): void {
    this.#later(removeRefAction(name, 'branch'));
  }

  dropTag(name: string): void {
    this.#later(removeRefAction(name, 'tag'));
  }

  /** Removes a branch or tag. */
  removeRef(name: string): void {
    this.#later(removeRefAction(name));
  }

  /** Moves `branch` forward to where `to`, a branch or tag built on it, is. */
  fastForward(branch: string, to: string): void {
    this.#later(fastForwardAction(branch, to));
  }

  /** Makes the change of a snapshot that is not in the branch's history on top of its head. */
  cherrypick(snapshotId: bigint): void {
    this.#later(cherrypickAction(snapshotId, this.#state.branch));
  }

  /** Cherry-picks what was staged with a `wapId`. */
  publishChanges(wapId: string): void {
    this.#later(publishChangesAction(wapId, this.#state.branch));
  }

  /** Takes main back to a snapshot of its history. */
  rollbackTo(snapshotId: bigint): void {
    this.#later(rollbackToAction(snapshotId));
  }

  /** Takes main back to the newest snapshot of its history that was there at that time. */
  rollbackToTimestamp(time: TimeInput): void {
    this.#later(rollbackToTimestampAction(toEpochMs(time, 'The time to roll back to')));
  }

  /** Makes any snapshot of the table main's current one. */
  setCurrentSnapshot(snapshotId: bigint): void {
    this.#later(setCurrentSnapshotAction(snapshotId));
  }

  /** Makes a change that doesn't depend on snapshots, now and in the commit. */
  #change(action: MetadataAction): void {
    this.#apply(this.#open(), action);
  }

  #apply(state: TransactionState, action: MetadataAction): void {
    const updates = action.build(state.metadata);
    if (updates.length > 0) {
      state.metadata = applyUpdates(state.metadata, updates, {
        nowMs: state.host.runtime.now(),
        baseMetadataLocation: null,
      });
    }
    state.actions.push(action);
    state.applied++;
  }

  #later(action: Action): void {
    this.#open().actions.push(action);
  }

  #open(): TransactionState {
    if (this.#state.finished) throw invalidArgument('The transaction is over; start another one.');
    if (this.#state.running) throw invalidArgument('Await each call of the transaction before the next one.');
    return this.#state;
  }
}
