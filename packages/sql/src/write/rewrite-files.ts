import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFile, FileScanTask } from '@lh/core';
import { deleteLoader } from '@lh/core/engine';
import type { DataFileOptions, DataFileRewrite, DeleteLoader } from '@lh/core/engine';
import type { QueryRows } from '../feed/query-rows.ts';
import type { FileSchemas } from '../relation/file-schema.ts';
import { hiddenPrefix, scanRelation } from '../relation/scan-relation.ts';
import { FileCache } from '../remote/file-cache.ts';
import { ScanFiles } from '../remote/scan-files.ts';
import { copyRows } from './copy-rows.ts';
import type { CopySource, PartitionKeys } from './copy-rows.ts';
import { rewriteSlices } from './rewrite-slices.ts';
import type { ScratchDisk } from './scratch-disk.ts';
import { sqlPartitions } from './sql-partitions.ts';
import { zOrderedQuery } from './z-order-sql.ts';

export interface RewriteEngine {
  readonly connection: DuckDBConnection;
  readonly rows: QueryRows;
  readonly files: FileSchemas;
  readonly scratch: ScratchDisk;
}

/**
 * Writes the live rows of data files anew, without a row becoming JavaScript's: DuckDB reads the files, leaves out what is
 * deleted, sorts on disk what doesn't fit into memory, and writes. Files of stores are brought to the local disk for it.
 * Null where core has to read: files in memory, partitions and orders that DuckDB can't make.
 */
export async function rewriteFiles(
  rewrite: DataFileRewrite,
  options: DataFileOptions,
  engine: RewriteEngine,
): Promise<readonly DataFile[] | null> {
  const { io, signal } = options;
  const partition = partitionKeys(rewrite, options);
  if (io.capabilities.inMemory || partition === undefined) return null;
  const deletes = deleteLoader(io);
  const rewriteSome = (
    tasks: readonly FileScanTask[],
    someOptions: DataFileOptions,
    cache: FileCache,
  ): Promise<readonly DataFile[] | null> =>
    rewriteTasks({ ...rewrite, tasks }, someOptions, { ...engine, cache, deletes, partition });
  if (rewrite.tasks.every(({ file }) => isLocal(options, file))) {
    return rewriteSome(rewrite.tasks, options, new FileCache());
  }
  const written: DataFile[] = [];
  try {
    for (const slice of rewriteSlices(rewrite, options)) {
      const files = await engine.scratch.use(slice.bytes, signal, (cache) =>
        rewriteSome(slice.tasks, slice.options, cache),
      );
      if (files === null) return null;
      written.push(...files);
    }
  } catch (error) {
    // Nothing refers to these files: one that can't be deleted is an orphan, which is no reason for another error.
    if (written.length > 0) await io.delete(written.map(({ path }) => path)).catch(() => undefined);
    throw error;
  }
  return written;
}

interface TaskEngine extends RewriteEngine {
  /** Of files that are not on the local disk. */
  readonly cache: FileCache;
  readonly deletes: DeleteLoader;
  readonly partition: PartitionKeys | null;
}

async function rewriteTasks(
  rewrite: DataFileRewrite,
  options: DataFileOptions,
  { connection, rows, files, cache, deletes, partition }: TaskEngine,
): Promise<readonly DataFile[] | null> {
  const { io, signal } = options;
  const { tasks, schema, lineage, nameMapping, tableUuid, zOrder } = rewrite;
  const run = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const prefix = hiddenPrefix(schema);
  const remote = new ScanFiles({ io, table: tableUuid, cache, url: () => null, signal });
  try {
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
        positions: deletes,
        guarded: new Set(),
        hiddenPrefix: prefix,
        rows,
        remote,
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
      rowBytes: rowBytesOf(tasks),
      run,
      ...(rewrite.partition && { tuple: rewrite.partition }),
      ...(ordered && { order: [ordered.key] }),
    };
    return await copyRows(source, options);
  } finally {
    remote.release();
    rows.dispose();
  }
}

function rowBytesOf(tasks: readonly FileScanTask[]): number {
  const sum = (of: (file: DataFile) => number): number => tasks.reduce((total, { file }) => total + of(file), 0);
  return (
    sum((file) => file.fileSizeInBytes) /
    Math.max(
      1,
      sum((file) => file.recordCount),
    )
  );
}

function isLocal({ io: { capabilities } }: DataFileOptions, { path }: DataFile): boolean {
  return (capabilities.localPath?.(path) ?? null) !== null;
}

/** Null if all rows are in one partition, undefined if DuckDB can't tell them apart. */
function partitionKeys({ partition }: DataFileRewrite, options: DataFileOptions): PartitionKeys | null | undefined {
  return partition === null ? sqlPartitions(options) : null;
}
