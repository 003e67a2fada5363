import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFile, FileIO } from '@lh/core';
import { deleteLoader } from '@lh/core/engine';
import type { DataFileOptions, DataFileRewrite } from '@lh/core/engine';
import type { QueryRows } from '../feed/query-rows.ts';
import type { FileSchemas } from '../relation/file-schema.ts';
import { hiddenPrefix, scanRelation } from '../relation/scan-relation.ts';
import type { FileCache } from '../remote/file-cache.ts';
import { ScanFiles } from '../remote/scan-files.ts';
import { copyRows } from './copy-rows.ts';
import type { CopySource, PartitionKeys } from './copy-rows.ts';
import { sqlPartitions } from './sql-partitions.ts';
import { zOrderedQuery } from './z-order-sql.ts';

export interface RewriteEngine {
  readonly connection: DuckDBConnection;
  readonly rows: QueryRows;
  readonly files: FileSchemas;
  readonly cache: FileCache;
}

/**
 * Writes the live rows of data files anew, without a row becoming JavaScript's: DuckDB reads the files, leaves out what is
 * deleted, sorts on disk what doesn't fit into memory, and writes. Null where core has to read: files that are not on the
 * local disk, partitions and orders that DuckDB can't make.
 */
export async function rewriteFiles(
  rewrite: DataFileRewrite,
  options: DataFileOptions,
  { connection, rows, files, cache }: RewriteEngine,
): Promise<readonly DataFile[] | null> {
  const { io, signal } = options;
  const { tasks, schema, lineage, nameMapping, zOrder } = rewrite;
  if (!tasks.every(({ file }) => isLocal(io, file))) return null;
  const partition = partitionKeys(rewrite, options);
  if (partition === undefined) return null;
  const run = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const prefix = hiddenPrefix(schema);
  const relation = await scanRelation(
    {
      connection,
      io,
      schema,
      metadataColumns: lineage,
      columns: null,
      maxRows: null,
      variantBytes: false,
      nameMapping,
      files,
      positions: deleteLoader(io),
      guarded: new Set(),
      hiddenPrefix: prefix,
      rows,
      remote: new ScanFiles({ io, table: '', cache, url: () => null, signal }),
      signal,
    },
    tasks,
  );
  const ordered = zOrder.length === 0 ? null : await zOrderedQuery(relation, schema, zOrder, prefix, run);
  if (zOrder.length > 0 && ordered === null) return null;
  const source: CopySource = {
    query: ordered?.query ?? relation,
    checks: [],
    partition,
    run,
    ...(rewrite.partition && { tuple: rewrite.partition }),
    ...(ordered && { order: [ordered.key] }),
  };
  return copyRows(source, options);
}

function isLocal({ capabilities }: FileIO, { path }: DataFile): boolean {
  return (capabilities.localPath?.(path) ?? null) !== null;
}

/** Null if all rows are in one partition, undefined if DuckDB can't tell them apart. */
function partitionKeys({ partition }: DataFileRewrite, options: DataFileOptions): PartitionKeys | null | undefined {
  return partition === null ? sqlPartitions(options) : null;
}
