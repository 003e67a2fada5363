import type { RewriteDataFilesOptions, SortFieldInput, Table } from '@lh/core';
import { invalidArgument, unsupported } from '@lh/core/engine';
import { optional, procedure, required } from './procedure.ts';
import type { Procedure, ProcedureContext } from './procedure.ts';
import { dataFileOptions, positionDeleteOptions } from './rewrite-options.ts';
import { sortOrderText } from './sort-order-text.ts';

/** What keeps tables fast and small. Arguments that only tune how Spark works are taken, and change nothing. */
export const MAINTENANCE_PROCEDURES: Readonly<Record<string, Procedure>> = {
  rewrite_data_files: procedure(
    {
      table: required('text'),
      strategy: optional('text'),
      sort_order: optional('text'),
      options: optional('map'),
      where: optional('text'),
      branch: optional('text'),
    },
    {
      rewritten_data_files_count: 'INTEGER',
      added_data_files_count: 'INTEGER',
      rewritten_bytes_count: 'BIGINT',
      failed_data_files_count: 'INTEGER',
      removed_delete_files_count: 'INTEGER',
    },
    async (context, args) => {
      const table = await context.table(args.table);
      const report = await table.rewriteDataFiles({
        ...dataFileOptions(args.options ?? {}),
        ...arrangement(args.strategy, args.sort_order),
        ...(args.where !== undefined && { where: args.where }),
        ...(args.branch !== undefined && { branch: args.branch }),
        signal: context.signal,
      });
      return [
        [
          report.rewrittenDataFilesCount,
          report.addedDataFilesCount,
          report.rewrittenBytesCount,
          report.failedDataFilesCount,
          report.removedDeleteFilesCount,
        ],
      ];
    },
  ),

  rewrite_manifests: procedure(
    {
      table: required('text'),
      use_caching: optional('boolean'),
      spec_id: optional('int'),
      sort_by: optional('texts'),
    },
    { rewritten_manifests_count: 'INTEGER', added_manifests_count: 'INTEGER' },
    async (context, args) => {
      const table = await context.table(args.table);
      const report = await table.rewriteManifests({
        specId: args.spec_id,
        sortBy: args.sort_by,
        signal: context.signal,
      });
      return [[report.rewrittenManifestsCount, report.addedManifestsCount]];
    },
  ),

  rewrite_position_delete_files: procedure(
    { table: required('text'), options: optional('map'), where: optional('text') },
    {
      rewritten_delete_files_count: 'INTEGER',
      added_delete_files_count: 'INTEGER',
      rewritten_bytes_count: 'BIGINT',
      added_bytes_count: 'BIGINT',
    },
    async (context, args) => {
      const table = await context.table(args.table);
      const report = await table.rewritePositionDeletes({
        ...positionDeleteOptions(args.options ?? {}),
        ...(args.where !== undefined && { where: args.where }),
        signal: context.signal,
      });
      return [
        [
          report.rewrittenDeleteFilesCount,
          report.addedDeleteFilesCount,
          report.rewrittenBytesCount,
          report.addedBytesCount,
        ],
      ];
    },
  ),

  expire_snapshots: procedure(
    {
      table: required('text'),
      older_than: optional('timestamp'),
      retain_last: optional('int'),
      max_concurrent_deletes: optional('int'),
      stream_results: optional('boolean'),
      snapshot_ids: optional('longs'),
      clean_expired_metadata: optional('boolean'),
    },
    {
      deleted_data_files_count: 'BIGINT',
      deleted_position_delete_files_count: 'BIGINT',
      deleted_equality_delete_files_count: 'BIGINT',
      deleted_manifest_files_count: 'BIGINT',
      deleted_manifest_lists_count: 'BIGINT',
      deleted_statistics_files_count: 'BIGINT',
    },
    async (context, args) => {
      const table = await context.table(args.table);
      const report = await table.expireSnapshots({
        olderThan: args.older_than,
        retainLast: args.retain_last,
        snapshotIds: args.snapshot_ids,
        cleanExpiredMetadata: args.clean_expired_metadata,
        signal: context.signal,
      });
      return [
        [
          report.deletedDataFilesCount,
          report.deletedPositionDeleteFilesCount,
          report.deletedEqualityDeleteFilesCount,
          report.deletedManifestFilesCount,
          report.deletedManifestListsCount,
          report.deletedStatisticsFilesCount,
        ],
      ];
    },
  ),

  remove_orphan_files: procedure(
    {
      table: required('text'),
      older_than: optional('timestamp'),
      location: optional('text'),
      dry_run: optional('boolean'),
      max_concurrent_deletes: optional('int'),
      file_list_view: optional('text'),
      equal_schemes: optional('map'),
      equal_authorities: optional('map'),
      prefix_mismatch_mode: optional('text'),
      prefix_listing: optional('boolean'),
      stream_results: optional('boolean'),
    },
    { orphan_file_location: 'VARCHAR' },
    async (context, args) => {
      refuseOrphanMatching(args);
      const table = await context.table(args.table);
      if (args.location !== undefined) await checkPlaceOf(context, table, args.location);
      const report = await table.removeOrphanFiles({
        olderThan: args.older_than,
        location: args.location,
        dryRun: args.dry_run,
        signal: context.signal,
      });
      return report.orphanFiles.map((location) => [location]);
    },
  ),

  compute_table_stats: procedure(
    { table: required('text'), snapshot_id: optional('long'), columns: optional('texts') },
    { statistics_file: 'VARCHAR' },
    async (context, args) => {
      const table = await context.table(args.table);
      const { statisticsFile } = await table.computeStats({
        snapshotId: args.snapshot_id,
        columns: args.columns,
        partitions: false,
        signal: context.signal,
      });
      return statisticsFile === null ? [] : [[statisticsFile]];
    },
  ),

  compute_partition_stats: procedure(
    { table: required('text'), snapshot_id: optional('long') },
    { partition_statistics_file: 'VARCHAR' },
    async (context, args) => {
      const table = await context.table(args.table);
      const { partitionStatisticsFile } = await table.computeStats({
        snapshotId: args.snapshot_id,
        columns: [],
        signal: context.signal,
      });
      return partitionStatisticsFile === null ? [] : [[partitionStatisticsFile]];
    },
  ),

  rewrite_table_path: procedure(
    {
      table: required('text'),
      source_prefix: required('text'),
      target_prefix: required('text'),
      start_version: optional('text'),
      end_version: optional('text'),
      staging_location: optional('text'),
      create_file_list: optional('boolean'),
    },
    {
      latest_version: 'VARCHAR',
      file_list_location: 'VARCHAR',
      rewritten_manifest_file_paths_count: 'INTEGER',
      rewritten_delete_file_paths_count: 'INTEGER',
    },
    async (context, args) => {
      const table = await context.table(args.table);
      if (args.staging_location !== undefined) await checkPlaceOf(context, table, args.staging_location);
      const report = await table.rewriteTablePath({
        sourcePrefix: args.source_prefix,
        targetPrefix: args.target_prefix,
        startVersion: args.start_version,
        endVersion: args.end_version,
        stagingLocation: args.staging_location,
        createFileList: args.create_file_list,
        signal: context.signal,
      });
      return [
        [
          report.latestVersion,
          report.fileListLocation ?? 'N/A',
          report.rewrittenManifestFilePathsCount,
          report.rewrittenDeleteFilePathsCount,
        ],
      ];
    },
  ),
};

/** What is written or removed lies in the table itself, or where the session may write anyway. */
async function checkPlaceOf(context: ProcedureContext, table: Table, location: string): Promise<void> {
  const root = table.location.replace(/\/+$/, '');
  const isOwn = location === root || (location.startsWith(`${root}/`) && !location.split('/').includes('..'));
  if (!isOwn) await context.checkPath(location, 'write');
}

interface OrphanMatching {
  readonly file_list_view?: string | undefined;
  readonly equal_schemes?: Readonly<Record<string, string>> | undefined;
  readonly equal_authorities?: Readonly<Record<string, string>> | undefined;
  readonly prefix_mismatch_mode?: string | undefined;
}

/** Spark lets the caller say which locations are the same file; here all are that can be told, and others are an error. */
function refuseOrphanMatching(args: OrphanMatching): void {
  const { prefix_mismatch_mode: mode, file_list_view: view, equal_schemes: schemes, equal_authorities: hosts } = args;
  if (view !== undefined) throw unsupported('remove_orphan_files lists the files itself: leave file_list_view out.');
  if (schemes !== undefined || hosts !== undefined || (mode ?? 'error').toLowerCase() !== 'error') {
    throw unsupported(
      "remove_orphan_files deletes nothing where the same file may go by two locations (prefix_mismatch_mode 'ERROR'), and takes no equal_schemes or equal_authorities.",
    );
  }
}

/** Spark names the order of z-ordering as a function: `sort_order => 'zorder(a, b)'`. */
function arrangement(strategy: string | undefined, text: string | undefined): RewriteDataFilesOptions {
  const named = strategy?.toLowerCase();
  if (named !== undefined && named !== 'sort' && named !== 'binpack') {
    throw invalidArgument(`strategy must be 'binpack' or 'sort', not '${strategy}'.`);
  }
  if (text === undefined) return named === undefined ? {} : { strategy: named };
  if (named === 'binpack') throw invalidArgument("sort_order goes with the strategy 'sort'.");
  const order = sortOrderText(text);
  if ('zOrderBy' in order) return { strategy: 'zorder', zOrderBy: order.zOrderBy };
  return { strategy: 'sort', sortBy: order.sortBy satisfies readonly SortFieldInput[] };
}
