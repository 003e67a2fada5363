import type { LoadedMetadata } from '../../catalog/catalog.ts';
import { invalidArgument, isLakehouseError, throwIfAborted, unsupported } from '../../errors.ts';
import type { LakehouseError } from '../../errors.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import { MAIN_BRANCH } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { tableProperty } from '../../spec/table-properties.ts';
import { replacedTable } from '../../transaction/commit-loop.ts';
import { parentOnBranch } from '../../transaction/refs.ts';
import { refuseEncrypted } from '../../transaction/stage-append.ts';
import type { TransactionHost } from '../../transaction/transaction-state.ts';
import { removeDanglingDeletes } from '../remove-dangling-deletes.ts';
import { arrangementFor } from './arrangement.ts';
import type { Arrangement } from './arrangement.ts';
import { commitGroups } from './commit-groups.ts';
import type { WrittenGroup } from './commit-groups.ts';
import { GroupTally } from './group-tally.ts';
import { inCompletionOrder } from './in-completion-order.ts';
import { rewriteSettings } from './options.ts';
import type { RewriteDataFilesOptions, RewriteSettings } from './options.ts';
import { planGroups, replanGroups } from './plan-groups.ts';
import type { FileGroup, GroupSource } from './plan-groups.ts';
import type { RewriteDataFilesReport } from './report.ts';
import { rewriteGroup } from './rewrite-group.ts';

export interface RewriteTarget {
  readonly host: TransactionHost;
  readonly tableUuid: string;
  /** Told of every version that a commit made. */
  readonly onCommit: (loaded: LoadedMetadata) => void;
}

/** Writes data files anew where that makes reading faster: see `Table.rewriteDataFiles`. */
export async function rewriteDataFiles(
  target: RewriteTarget,
  options: RewriteDataFilesOptions = {},
): Promise<RewriteDataFilesReport> {
  const { host } = target;
  const { operations } = host;
  throwIfAborted(options.signal);
  const { metadata } = await loadSame(target);
  const defaultTarget = tableProperty(metadata.properties, 'write.target-file-size-bytes');
  const settings = rewriteSettings(options, defaultTarget);
  const { dryRun = false } = options;
  if (operations.readOnly !== null && !dryRun) {
    throw unsupported(`Table ${operations.name} can't be changed: ${operations.readOnly}.`, { table: operations.name });
  }
  refuseEncrypted(metadata, operations.name);
  const version = new RewriteVersion(target, metadata, options, {
    outputSpec: outputSpecOf(settings.outputSpecId ?? metadata.defaultSpecId, metadata),
    arrangement: arrangementFor(settings, metadata),
  });
  const groups = await planGroups(version.source, settings);
  const tally = new GroupTally(groups, version, options.onProgress);
  if (dryRun) return tally.report({ dryRun });
  await new Rewrite(target, settings, options, tally).run(version, groups);
  return tally.report({ dryRun });
}

async function loadSame({ host, tableUuid }: RewriteTarget): Promise<LoadedMetadata> {
  const loaded = await host.operations.load();
  if (loaded.metadata.tableUuid !== tableUuid) throw replacedTable(host.operations.name);
  return loaded;
}

/** A version of the table, and how its files are rewritten. */
class RewriteVersion {
  readonly metadata: TableMetadata;
  readonly branch: string;
  readonly outputSpec: PartitionSpec;
  readonly arrangement: Arrangement;
  readonly source: GroupSource;

  constructor(
    { host }: RewriteTarget,
    metadata: TableMetadata,
    { branch = MAIN_BRANCH, signal }: RewriteDataFilesOptions,
    { outputSpec, arrangement }: Pick<RewriteVersion, 'outputSpec' | 'arrangement'>,
  ) {
    this.metadata = metadata;
    this.branch = branch;
    this.outputSpec = outputSpec;
    this.arrangement = arrangement;
    this.source = {
      io: host.operations.io,
      runtime: host.runtime,
      metadata,
      snapshot: parentOnBranch(metadata, branch),
      outputSpec,
      signal,
    };
  }
}

function outputSpecOf(outputSpecId: number, metadata: TableMetadata): PartitionSpec {
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === outputSpecId);
  if (spec) return spec;
  const known = metadata.partitionSpecs.map(({ specId }) => specId).join(', ');
  throw invalidArgument(`The table has no partition spec ${outputSpecId}; it has ${known}.`);
}

/** How often groups that met a conflict are planned again. */
const MAX_REPLANS = 3;

type Result = WrittenGroup | { readonly group: FileGroup; readonly error: LakehouseError };

class Rewrite {
  readonly #target: RewriteTarget;
  readonly #settings: RewriteSettings;
  readonly #options: RewriteDataFilesOptions;
  readonly #tally: GroupTally;
  /** Stops what is under way when the rest has failed. */
  readonly #stop = new AbortController();
  #failedCommits = 0;

  constructor(target: RewriteTarget, settings: RewriteSettings, options: RewriteDataFilesOptions, tally: GroupTally) {
    this.#target = target;
    this.#settings = settings;
    this.#options = options;
    this.#tally = tally;
  }

  async run(version: RewriteVersion, groups: readonly FileGroup[]): Promise<void> {
    let conflicts = await this.#pass(version, groups);
    for (let replans = 0; conflicts.length > 0 && replans < MAX_REPLANS; replans++) {
      conflicts = await this.#passAgain(version, conflicts);
    }
    for (const { group, error } of conflicts) this.#tally.failed(group, error);
    if (conflicts.length > 0 && this.#tally.nothingDone) throw conflicts[0]!.error;
    if (this.#settings.removeDanglingDeletes) await this.#removeDanglingDeletes(version.branch);
  }

  /** Plans groups that met a conflict on the newest version, and does them there. Gives those that it didn't work for. */
  async #passAgain(version: RewriteVersion, conflicts: readonly Conflict[]): Promise<readonly Conflict[]> {
    let newest: RewriteVersion;
    let again: readonly FileGroup[];
    try {
      const { metadata } = await loadSame(this.#target);
      // The groups are those of the spec that they were planned for, whatever the current one is by now.
      newest = new RewriteVersion(this.#target, metadata, this.#options, {
        outputSpec: outputSpecOf(version.outputSpec.specId, metadata),
        arrangement: version.arrangement,
      });
      const groupOf = new Map(conflicts.flatMap(({ group }) => group.tasks.map(({ file }) => [file.path, group])));
      again = await replanGroups(newest.source, this.#settings, groupOf);
    } catch (error) {
      if (this.#isAllOrNothing || !isDefiniteFailure(error)) throw error;
      return conflicts.map(({ group }) => ({ group, error }));
    }
    this.#tally.replanned(
      conflicts.map(({ group }) => group),
      again,
    );
    return this.#pass(newest, again);
  }

  async #removeDanglingDeletes(branch: string): Promise<void> {
    const { host, tableUuid, onCommit } = this.#target;
    try {
      const { outcome } = await removeDanglingDeletes({ ...host, tableUuid }, { branch, signal: this.#options.signal });
      if (outcome === null) return;
      onCommit(outcome.loaded);
      this.#tally.committed([], outcome);
    } catch (error) {
      if (this.#tally.nothingDone || !isDefiniteFailure(error)) throw error;
      this.#tally.warn(`Dangling deletes were not removed: ${error.message}`);
    }
  }

  /** Once something is committed, a failure must not hide it. */
  get #isAllOrNothing(): boolean {
    return this.#settings.maxCommits === null && this.#tally.nothingDone;
  }

  /** Writes groups and commits them. Gives those that met a conflict. */
  async #pass(version: RewriteVersion, groups: readonly FileGroup[]): Promise<readonly Conflict[]> {
    const { maxCommits, maxConcurrentFileGroupRewrites } = this.#settings;
    const perCommit = maxCommits === null ? groups.length : Math.ceil(groups.length / maxCommits);
    const conflicts: Conflict[] = [];
    let written: WrittenGroup[] = [];
    const results = inCompletionOrder<FileGroup, Result>(groups, {
      concurrency: maxConcurrentFileGroupRewrites,
      map: (group) => this.#write(version, group),
      stop: () => this.#stop.abort(),
      discard: (result) => this.#discard([result]),
    });
    try {
      for await (const result of results) {
        if ('error' in result) {
          if (this.#isAllOrNothing || isLakehouseError(result.error, 'ABORTED')) throw result.error;
          this.#tally.failed(result.group, result.error);
          continue;
        }
        written.push(result);
        if (written.length < perCommit) continue;
        const batch = written;
        written = [];
        conflicts.push(...(await this.#commit(version, batch)));
      }
    } catch (error) {
      await this.#discard(written);
      throw error;
    }
    if (written.length > 0) conflicts.push(...(await this.#commit(version, written)));
    return conflicts;
  }

  async #write(version: RewriteVersion, group: FileGroup): Promise<Result> {
    const { metadata, outputSpec, arrangement } = version;
    const onWarning = (warning: string): void => this.#tally.warn(warning);
    const { signal } = this.#options;
    const stop = this.#stop.signal;
    const either = signal ? AbortSignal.any([signal, stop]) : stop;
    try {
      const context = { host: this.#target.host, metadata, outputSpec, arrangement, onWarning };
      return { group, files: await rewriteGroup(group, context, either) };
    } catch (error) {
      if (!isLakehouseError(error)) throw error;
      return { group, error };
    }
  }

  /** With partial progress, commits may fail, unless it isn't known whether they did. */
  async #commit(version: RewriteVersion, groups: readonly WrittenGroup[]): Promise<readonly Conflict[]> {
    const { useStartingSequenceNumber, maxFailedCommits } = this.#settings;
    const { metadata, branch, outputSpec } = version;
    const { host, onCommit } = this.#target;
    const { signal } = this.#options;
    try {
      const source = { host, metadata, branch, outputSpec, useStartingSequenceNumber, signal };
      const { committed, conflicts, outcome } = await commitGroups(groups, source);
      onCommit(outcome.loaded);
      this.#tally.committed(committed, outcome);
      return conflicts;
    } catch (error) {
      if (this.#isAllOrNothing || !isDefiniteFailure(error) || ++this.#failedCommits > maxFailedCommits) throw error;
      for (const { group } of groups) this.#tally.failed(group, error);
      return [];
    }
  }

  /** Best effort: nothing refers to these files, and one left behind is an orphan. */
  async #discard(results: readonly Result[]): Promise<void> {
    const paths = results.flatMap((result) => ('files' in result ? result.files.map(({ path }) => path) : []));
    if (paths.length > 0) await this.#target.host.operations.io.delete(paths).catch(() => undefined);
  }
}

/** Nothing has changed, and what is left to do is worth going on with. */
function isDefiniteFailure(error: unknown): error is LakehouseError {
  return isLakehouseError(error) && error.code !== 'COMMIT_STATE_UNKNOWN' && error.code !== 'ABORTED';
}

interface Conflict {
  readonly group: FileGroup;
  readonly error: LakehouseError;
}
