import type { ColumnBatch } from '../columns/column.ts';
import { takeBatch } from '../columns/take.ts';
import { DeleteLoader, NOTHING_DELETED } from '../deletes/row-deletes.ts';
import type { PositionsByFile } from '../deletes/row-deletes.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DeleteFile, FileScanTask } from '../scan/file-scan-task.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import { mergeFields, selectFields } from '../spec/select-fields.ts';
import type { StructType } from '../spec/types.ts';
import { absentLeaves, partitionConstants } from './absent-values.ts';
import { batchFilter } from './filter-batch.ts';
import { METADATA_COLUMNS } from './metadata-columns.ts';
import type { MetadataColumn } from './metadata-columns.ts';
import { metadataReader } from './metadata-values.ts';
import { narrowBatch } from './narrow-batch.ts';
import { openFile } from './read-file.ts';
import { rowGroupFilter } from './row-groups.ts';

export type { MetadataColumn } from './metadata-columns.ts';

export interface ReadTaskOptions {
  /** The columns to return, in their order: the task's schema, or parts of it. */
  readonly projection: StructType;
  /** Returned after the columns of the projection. */
  readonly metadataColumns?: readonly MetadataColumn[];
  /** The task's residual only tells which row groups can be left out: of the others, rows that don't match come too. */
  readonly wholeRowGroups?: boolean;
  /** Of the rows that the task's own deletes leave, only those that these would delete. */
  readonly deletedBy?: DeletedBy | undefined;
  /** The most rows of one batch; wide rows come in smaller ones. */
  readonly batchSize?: number;
  /** For files without field ids. */
  readonly nameMapping?: NameMapping;
  /** For the tasks of one scan: see `deleteLoader`. Without one, delete files are read for this task alone. */
  readonly deletes?: DeleteLoader;
  readonly signal?: AbortSignal;
}

/** Deletes that apply to a task's file. The loader must not be one that reads the task's own deletes: keys would mix. */
export interface DeletedBy {
  readonly files: readonly DeleteFile[];
  readonly loader: DeleteLoader;
}

/** The schema of what a task's rows are: the projection, then the metadata columns. */
export function taskSchema(options: Pick<ReadTaskOptions, 'projection' | 'metadataColumns'>): StructType {
  const metadata = (options.metadataColumns ?? []).map((name) => METADATA_COLUMNS[name]);
  return { kind: 'struct', fields: [...options.projection.fields, ...metadata] };
}

/**
 * Reads delete files for any number of tasks, once where they have them in common. `maxBytes`: of those that no task
 * needs at the moment, in memory. `others`: rows to be taken for deleted, too.
 */
export function deleteLoader(io: FileIO, maxBytes?: number, others?: PositionsByFile): DeleteLoader {
  return new DeleteLoader(io, readTaskColumns, maxBytes, others);
}

/**
 * Reads the rows of one file that match the task's residual and are not deleted, as batches of `taskSchema(options)`.
 * Little more is read ahead of the consumer than the next row group's bytes. INVALID_DATA for a broken file; UNSUPPORTED
 * for formats and features that can't be read yet.
 */
export async function* readTaskColumns(
  io: FileIO,
  task: FileScanTask,
  options: ReadTaskOptions,
): AsyncGenerator<ColumnBatch> {
  yield* await openTask(io, task, options);
}

/** `readTaskColumns` up to the first rows, whose bytes are being fetched. Errors as there. */
export async function openTask(
  io: FileIO,
  task: FileScanTask,
  options: ReadTaskOptions,
): Promise<AsyncGenerator<ColumnBatch>> {
  const { projection, metadataColumns = [], wholeRowGroups, batchSize, deletes: loader = deleteLoader(io) } = options;
  const { deletedBy } = options;
  const [file, deletes, others] = await Promise.all([
    openFile(io, task.file, { ...options, columns: task.schema.fields.length }),
    loader.load(task, options),
    deletedBy ? deletedBy.loader.load({ ...task, deletes: deletedBy.files }, options) : NOTHING_DELETED,
  ]);
  const { fields } = file;
  const constants = partitionConstants(task);
  const metadata = metadataReader(task, metadataColumns, fields);
  // What filter, deletes and metadata need is read with the projection, and dropped before the batch is handed out.
  const rowFilter: BoundExpression = wholeRowGroups ? { op: 'true' } : task.residual;
  const filterFields = selectFields(task.schema, referencedFieldIds(rowFilter));
  const wanted = [filterFields, deletes.fields, others.fields, metadata.stored].reduce(mergeFields, projection);
  const mayMatch = rowGroupFilter(task.residual, task.schema, fields, absentLeaves(task.schema, fields, constants));
  const filter = batchFilter(rowFilter, wanted);
  const liveRows = deletes.liveRows(wanted);
  const restRows = deletedBy ? others.liveRows(wanted) : null;
  const read = { constants, ...(batchSize && { batchSize }), ...(mayMatch && { mayMatch }) };
  // From here on bytes are fetched, before anyone asks for rows.
  const batches = file.read(wanted, read);
  return (async function* () {
    for await (const batch of batches) {
      const live = liveRows(batch, batch.firstRow, filter(batch));
      const rows = restRows ? withoutRows(batch.length, live, restRows(batch, batch.firstRow, live)) : live;
      if (rows?.length === 0) continue;
      const projected = narrowBatch(batch, wanted, projection).columns;
      const all = { length: batch.length, columns: [...projected, ...metadata.columns(batch, wanted, batch.firstRow)] };
      yield rows === null ? all : takeBatch(all, rows);
    }
  })();
}

/** Of some rows of a batch (null: all of them) those that are not among others of them, all in order. */
function withoutRows(length: number, rows: Int32Array | null, others: Int32Array | null): Int32Array {
  if (others === rows || others === null) return new Int32Array(0);
  const left = new Int32Array((rows?.length ?? length) - others.length);
  let count = 0;
  let next = 0;
  for (let i = 0; count < left.length; i++) {
    const row = rows === null ? i : rows[i]!;
    if (row === others[next]) next++;
    else left[count++] = row;
  }
  return left;
}
