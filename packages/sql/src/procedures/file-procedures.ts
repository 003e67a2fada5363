import { LakehouseError, Table } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { tokenize, isSymbol } from '../text/tokens.ts';
import { optional, procedure, required } from './procedure.ts';
import type { Procedure } from './procedure.ts';

/** Tables made of files that are there already. */
export const FILE_PROCEDURES: Readonly<Record<string, Procedure>> = {
  add_files: procedure(
    {
      table: required('text'),
      source_table: required('text'),
      partition_filter: optional('map'),
      check_duplicate_files: optional('boolean'),
      parallelism: optional('int'),
    },
    { added_files_count: 'BIGINT', changed_partition_count: 'BIGINT' },
    async (context, args) => {
      const table = await context.table(args.table);
      const source = filesOf(args.source_table);
      await context.checkPath(source, 'read');
      const { partition_filter: partition } = args;
      const commit = await table.addFiles(partition === undefined ? source : { directory: source, partition }, {
        checkDuplicates: args.check_duplicate_files,
        signal: context.signal,
      });
      const count = (key: string): bigint => BigInt(commit.summary[key] ?? 0);
      return [commit.changed ? [count('added-data-files'), count('changed-partition-count')] : [0n, 0n]];
    },
  ),

  migrate: procedure(
    { table: required('text'), source_table: required('text'), properties: optional('map') },
    { migrated_files_count: 'BIGINT' },
    async (context, args) => {
      const { catalog, path } = context.place(args.table);
      const source = filesOf(args.source_table);
      await context.checkPath(source, 'read');
      const table = await Table.migrate({
        catalog,
        name: path,
        source,
        properties: args.properties ?? {},
        signal: context.signal,
      });
      return [[BigInt(table.currentSnapshot()?.summary['added-data-files'] ?? 0)]];
    },
  ),

  register_table: procedure(
    { table: required('text'), metadata_file: required('text') },
    { current_snapshot_id: 'BIGINT', total_records_count: 'BIGINT', total_data_files_count: 'BIGINT' },
    async (context, args) => {
      if (context.isFenced) {
        throw new LakehouseError(
          'UNAUTHORIZED',
          'register_table is not allowed in a session with allowedPaths: a metadata file may name files anywhere.',
        );
      }
      const { catalog, path } = context.place(args.table);
      const snapshot = (await catalog.registerTable(path, args.metadata_file)).currentSnapshot();
      const total = (key: string): bigint | null => {
        const text = snapshot?.summary[key];
        return text === undefined ? null : BigInt(text);
      };
      return [[snapshot?.snapshotId ?? null, total('total-records'), total('total-data-files')]];
    },
  ),
};

/** Spark names files as a table: `parquet`.`/data/files`. */
function filesOf(source: string): string {
  const [format, dot, path, ...rest] = tokenize(source.replaceAll('`', '"'));
  if (format?.value.toLowerCase() === 'parquet' && isSymbol(dot, '.') && path?.kind === 'quoted' && rest.length === 0) {
    return path.value;
  }
  throw invalidArgument(
    `source_table must name a directory or file, as in '\`parquet\`.\`/data/files\`', not '${source}'.`,
  );
}
