import { liveFilesCount } from '../../manifest/manifest-file.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import type { PartitionTuple } from '../../spec/partition-spec.ts';
import type { ConflictChecks } from '../conflict-checks.ts';
import type { SnapshotChange } from '../snapshot-change.ts';
import type { StagedData } from '../staged-data.ts';
import type { RowScope } from '../row-scope.ts';
import { commitSummary } from '../transaction-options.ts';
import { stageDeletion } from './delete-rows.ts';
import { partitionFilter } from './partition-filter.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelOptions } from './row-level-settings.ts';
import type { RowOperation } from './row-operation.ts';
import type { TableView } from './table-view.ts';

export interface OverwritePartitionsOptions extends RowLevelOptions {
  /** Adds columns that the data has and the table lacks, by name, in the same commit. */
  readonly mergeSchema?: boolean | undefined;
}

/**
 * Puts rows, which are written already, in the place of everything in the partitions that they are in: of an
 * unpartitioned table all rows. Files of the spec are replaced as they are when the change is committed, without being
 * read. Where files of older specs hold rows of these partitions, those rows are deleted from them.
 */
export function overwritePartitions(added: StagedData, options: RowLevelOptions): RowOperation {
  const tuples = distinctPartitions(added);
  const scope: RowScope = { partitions: tuples.map((tuple) => ({ specId: added.spec.specId, tuple })) };
  return {
    async plan(view): Promise<SnapshotChange> {
      const change = {
        baseSnapshotId: view.baseSnapshotId,
        branch: view.state.branch,
        operation: 'overwrite',
        summary: { ...commitSummary(view.state.options), 'replace-partitions': 'true' },
      } as const;
      if (!(await hasOtherSpecs(added, view))) {
        const checks = { ...partitionChecks(scope, view), noNewDataOfOtherSpecs: added.spec.specId };
        return { ...change, addedData: [added], addedDeletes: [], removed: [], removeAll: scope, checks };
      }
      const filter = partitionFilter(tuples, added.spec, view.schema);
      const deletion = await stageDeletion(filter, rowLevelSettings('delete', options, view), view);
      const addedData = [added, ...deletion.addedData.filter(({ files }) => files.length > 0)];
      return { ...change, ...deletion, addedData, checks: { ...deletion.checks, schema: view.schema } };
    },
  };
}

/** As Iceberg's writer for Spark has it: the partitions are replaced whatever came meanwhile, unless a level is asked for. */
function partitionChecks(scope: RowScope, { state }: TableView): ConflictChecks {
  const { isolation } = state.options;
  if (isolation === undefined) return {};
  return {
    noNewDeletes: scope,
    noRemovedData: scope,
    ...(isolation === 'serializable' && { noNewData: scope }),
  };
}

function distinctPartitions({ files }: StagedData): readonly PartitionTuple[] {
  return [...new Map(files.map(({ specId, partition }) => [partitionKey(specId, partition), partition])).values()];
}

/** Whether the branch has data files of another spec than the new ones. */
async function hasOtherSpecs({ spec }: StagedData, { snapshot, metadata, state }: TableView): Promise<boolean> {
  if (snapshot === null) return false;
  const { signal } = state.options;
  const manifests = await readManifestList(state.host.operations.io, snapshot, metadata, signal ? { signal } : {});
  return manifests.some(
    (manifest) =>
      manifest.content === 'data' && manifest.partitionSpecId !== spec.specId && liveFilesCount(manifest) !== 0,
  );
}
