import type { LakehouseError } from '../../errors.ts';
import { currentSchema } from '../../spec/metadata-accessors.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { CommitOutcome } from '../../transaction/commit.ts';
import { partitionPath } from '../../transforms/partition-path.ts';
import type { WrittenGroup } from './commit-groups.ts';
import type { RewriteDataFilesOptions } from './options.ts';
import type { FileGroup } from './plan-groups.ts';
import type { RewriteDataFilesReport, RewriteGroupReport } from './report.ts';

interface Tallied {
  group: FileGroup;
  outcome: { readonly files: WrittenGroup['files'] } | { readonly error: LakehouseError } | null;
}

/** Keeps count of what becomes of each group. */
export class GroupTally {
  readonly #metadata: TableMetadata;
  readonly #outputSpec: PartitionSpec;
  readonly #onProgress: RewriteDataFilesOptions['onProgress'];
  /** By the group's index. */
  readonly #groups = new Map<number, Tallied>();
  readonly #snapshotIds: bigint[] = [];
  readonly #warnings = new Set<string>();
  #removedDeleteFiles = 0;
  #done: Counts = NOTHING;
  #total: Counts;

  constructor(
    groups: readonly FileGroup[],
    { metadata, outputSpec }: { readonly metadata: TableMetadata; readonly outputSpec: PartitionSpec },
    onProgress: RewriteDataFilesOptions['onProgress'],
  ) {
    this.#metadata = metadata;
    this.#outputSpec = outputSpec;
    this.#onProgress = onProgress;
    for (const group of groups.toSorted((a, b) => a.index - b.index)) {
      this.#groups.set(group.index, { group, outcome: null });
    }
    this.#total = groups.reduce(plus, NOTHING);
  }

  get nothingDone(): boolean {
    return this.#snapshotIds.length === 0;
  }

  warn(warning: string): void {
    this.#warnings.add(warning);
  }

  /** What is left of groups; of those that nothing is left of, others have done what was to be done. */
  replanned(before: readonly FileGroup[], after: readonly FileGroup[]): void {
    for (const { index } of before) {
      const group = after.find((one) => one.index === index);
      if (group) this.#groups.get(index)!.group = group;
      else this.#groups.delete(index);
    }
    this.#total = [...this.#groups.values()].reduce((counts, { group }) => plus(counts, group), NOTHING);
    this.#tell();
  }

  failed(group: FileGroup, error: LakehouseError): void {
    this.#settle(group, { error });
    this.#tell();
  }

  committed(groups: readonly WrittenGroup[], { snapshots }: CommitOutcome): void {
    for (const { group, files } of groups) this.#settle(group, { files });
    for (const { snapshotId, summary } of snapshots) {
      this.#snapshotIds.push(snapshotId);
      this.#removedDeleteFiles += Number(summary['removed-delete-files'] ?? 0);
    }
    this.#tell();
  }

  report({ dryRun }: { readonly dryRun: boolean }): RewriteDataFilesReport {
    const groups = [...this.#groups.values()].map((one) => this.#groupReport(one));
    const rewritten = groups.filter(({ status }) => status === 'rewritten');
    const failed = groups.filter(({ status }) => status === 'failed');
    return {
      rewrittenDataFilesCount: sum(rewritten, ({ inputFiles }) => inputFiles),
      addedDataFilesCount: sum(rewritten, ({ outputFiles }) => outputFiles),
      rewrittenBytesCount: sum(rewritten, ({ inputBytes }) => inputBytes),
      failedDataFilesCount: sum(failed, ({ inputFiles }) => inputFiles),
      removedDeleteFilesCount: this.#removedDeleteFiles,
      groups,
      snapshotIds: this.#snapshotIds,
      dryRun,
      warnings: [...this.#warnings],
    };
  }

  #groupReport({ group, outcome }: Tallied): RewriteGroupReport {
    const { index, partitionIndex, partition, tasks, bytes } = group;
    const files = outcome !== null && 'files' in outcome ? outcome.files : [];
    const error = outcome !== null && 'error' in outcome ? outcome.error : null;
    const schema = currentSchema(this.#metadata);
    return {
      index,
      partitionIndex,
      partition: partition === null ? null : partitionPath(this.#outputSpec, schema, partition),
      status: outcome === null ? 'planned' : error === null ? 'rewritten' : 'failed',
      inputFiles: tasks.length,
      inputBytes: bytes,
      deleteFiles: new Set(tasks.flatMap(({ deletes }) => deletes.map(({ file }) => file))).size,
      outputFiles: files.length,
      outputBytes: sum(files, ({ fileSizeInBytes }) => fileSizeInBytes),
      error,
    };
  }

  #settle(group: FileGroup, outcome: Tallied['outcome']): void {
    this.#groups.get(group.index)!.outcome = outcome;
    this.#done = plus(this.#done, group);
  }

  #tell(): void {
    const [done, total] = [this.#done, this.#total];
    this.#onProgress?.({
      groupsDone: done.groups,
      groupsTotal: total.groups,
      filesDone: done.files,
      filesTotal: total.files,
      bytesDone: done.bytes,
      bytesTotal: total.bytes,
    });
  }
}

interface Counts {
  readonly groups: number;
  readonly files: number;
  readonly bytes: number;
}

const NOTHING: Counts = { groups: 0, files: 0, bytes: 0 };

function plus({ groups, files, bytes }: Counts, group: FileGroup): Counts {
  return { groups: groups + 1, files: files + group.tasks.length, bytes: bytes + group.bytes };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
