import { batchBytes } from '../../columns/column.ts';
import type { ColumnBatch } from '../../columns/column.ts';
import { concatBatches } from '../../columns/concat.ts';
import { takeBatch } from '../../columns/take.ts';
import { deleteLoader, readTaskColumns } from '../../read/read-task.ts';
import type { DeleteLoader } from '../../deletes/row-deletes.ts';
import { LakehouseError, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { currentSchema } from '../../spec/metadata-accessors.ts';
import { tableNameMapping } from '../../spec/name-mapping.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { checkWriteProperties } from '../../spec/table-properties.ts';
import { lineageColumns, schemaWithLineage } from '../../transaction/operations/row-lineage.ts';
import type { TransactionHost } from '../../transaction/transaction-state.ts';
import type { DataFileRewrite } from '../../write/data-file-writer.ts';
import type { WriteOptions } from '../../write/data-writer.ts';
import { dataLocations } from '../../write/locations.ts';
import { sorter } from '../../write/sort-rows.ts';
import type { Arrangement } from './arrangement.ts';
import type { FileGroup } from './plan-groups.ts';
import { zOrder } from './z-order.ts';

export interface RewriteContext {
  readonly host: TransactionHost;
  /** The version of the table that the groups were planned on. */
  readonly metadata: TableMetadata;
  readonly outputSpec: PartitionSpec;
  readonly arrangement: Arrangement;
  readonly onWarning: (warning: string) => void;
}

/**
 * Writes the live rows of a group as files of the current schema and the output spec: by the table's writer if it can
 * read them, else by core's reader. If it fails or is aborted, what was written is deleted.
 */
export async function rewriteGroup(
  { tasks, partition, fileSizeBytes }: FileGroup,
  { host, metadata, outputSpec, arrangement, onWarning }: RewriteContext,
  signal: AbortSignal,
): Promise<readonly DataFile[]> {
  throwIfAborted(signal);
  const schema = currentSchema(metadata);
  const lineage = lineageColumns(metadata);
  const { io } = host.operations;
  checkWriteProperties(metadata.properties);
  const options: WriteOptions = {
    io,
    schema: schemaWithLineage(schema, lineage),
    spec: outputSpec,
    sortOrder: arrangement.sortOrder,
    properties: { ...metadata.properties, 'write.target-file-size-bytes': String(fileSizeBytes) },
    locationFor: dataLocations(metadata.location, metadata.properties),
    runtime: host.runtime,
    signal,
    onWarning,
  };
  const rewrite: DataFileRewrite = {
    tasks: tasks.map((task) => ({ ...task, residual: { op: 'true' } })),
    tableUuid: metadata.tableUuid,
    schema,
    lineage,
    nameMapping: tableNameMapping(metadata.properties),
    partition,
    zOrder: arrangement.zOrder,
  };
  const written = await host.writer.rewriteDataFiles?.(rewrite, options);
  if (written) return written;
  const rows = new GroupReader(io, rewrite, signal).batches(host.runtime.concurrency);
  return host.writer.writeDataFiles(arranged(rows, rewrite, options), options);
}

/** Files up to this size are read while others before them are. */
const SMALL_FILE_BYTES = 1024 * 1024;

class GroupReader {
  readonly #io: FileIO;
  readonly #rewrite: DataFileRewrite;
  readonly #signal: AbortSignal;
  readonly #deletes: DeleteLoader;

  constructor(io: FileIO, rewrite: DataFileRewrite, signal: AbortSignal) {
    this.#io = io;
    this.#rewrite = rewrite;
    this.#signal = signal;
    this.#deletes = deleteLoader(io);
  }

  async *batches(concurrency: number): AsyncGenerator<ColumnBatch> {
    const read = lookAhead(this.#rewrite.tasks, concurrency, async (task) => {
      return task.file.fileSizeInBytes <= SMALL_FILE_BYTES ? await collected(this.#read(task)) : this.#read(task);
    });
    for await (const batches of read) yield* batches;
  }

  #read(task: FileScanTask): AsyncGenerator<ColumnBatch> {
    const { schema, lineage, nameMapping } = this.#rewrite;
    return readTaskColumns(this.#io, task, {
      projection: schema,
      metadataColumns: lineage,
      deletes: this.#deletes,
      ...(nameMapping && { nameMapping }),
      signal: this.#signal,
    });
  }
}

async function collected(batches: AsyncIterable<ColumnBatch>): Promise<readonly ColumnBatch[]> {
  const all: ColumnBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** Rows, as core has them in memory, that can be put in order at once. */
const MAX_SORTED_BYTES = 256 * 1024 * 1024;

/** The rows in the order that is wanted, for which core holds all of them. */
function arranged(
  batches: AsyncIterable<ColumnBatch>,
  rewrite: DataFileRewrite,
  options: WriteOptions,
): AsyncIterable<ColumnBatch> {
  const isSorted = options.sortOrder.fields.length > 0;
  return isSorted || rewrite.zOrder.length > 0 ? inOrder(batches, rewrite, options) : batches;
}

async function* inOrder(
  batches: AsyncIterable<ColumnBatch>,
  rewrite: DataFileRewrite,
  { sortOrder, schema }: WriteOptions,
): AsyncGenerator<ColumnBatch> {
  const all: ColumnBatch[] = [];
  let bytes = 0;
  for await (const batch of batches) {
    bytes += batchBytes(batch);
    if (bytes > MAX_SORTED_BYTES) throw tooLarge();
    all.push(batch);
  }
  if (all.length === 0) return;
  const joined = concatBatches(all);
  const order =
    rewrite.zOrder.length > 0
      ? zOrder(joined, rewrite.schema, rewrite.zOrder)
      : (sorter(sortOrder, schema)?.order(joined) ?? null);
  yield order === null ? joined : takeBatch(joined, order);
}

function tooLarge(): LakehouseError {
  return new LakehouseError(
    'RESOURCE_EXHAUSTED',
    `A group to be sorted has more than ${MAX_SORTED_BYTES / 2 ** 20} MB of rows, which core holds in memory. Let DuckDB do it, which puts on disk what doesn't fit: take the table from a Lakehouse of @lh/sql, with lake.table(name); or set a smaller maxFileGroupSizeBytes.`,
  );
}
