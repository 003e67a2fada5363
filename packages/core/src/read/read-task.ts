import type { RecordBatch } from 'apache-arrow';

import { arrowSchema } from '../columns/arrow-schema.ts';
import { castFields } from '../columns/cast.ts';
import type { CastRules, FieldPath } from '../columns/cast.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { constantColumn } from '../columns/constant.ts';
import { takeBatch } from '../columns/take.ts';
import { toRecordBatch } from '../columns/to-arrow.ts';
import { invalidData, unsupported } from '../errors.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import { readParquetFooter } from '../formats/parquet/footer.ts';
import type { ParquetFooter } from '../formats/parquet/footer.ts';
import { readColumns } from '../formats/parquet/read-columns.ts';
import type { DecodedBatch } from '../formats/parquet/read-columns.ts';
import type { FileIO } from '../io/file-io.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import { mergeFields, selectFields } from '../spec/select-fields.ts';
import type { StructType } from '../spec/types.ts';
import { absentLeaves, absentValue, partitionConstants } from './absent-values.ts';
import type { PartitionConstants } from './absent-values.ts';
import { fileFields, leavesFor, refuseShreddedVariants } from './file-fields.ts';
import type { FileFields } from './file-fields.ts';
import { batchFilter } from './filter-batch.ts';
import { METADATA_COLUMNS } from './metadata-columns.ts';
import type { MetadataColumn } from './metadata-columns.ts';
import { metadataReader } from './metadata-values.ts';
import { matchingRowGroups } from './row-groups.ts';
import { narrowBatch } from './narrow-batch.ts';

export type { MetadataColumn } from './metadata-columns.ts';

export interface ReadTaskOptions {
  /** The columns to return, in their order: the task's schema, or parts of it. */
  readonly projection: StructType;
  /** Returned after the columns of the projection. */
  readonly metadataColumns?: readonly MetadataColumn[];
  /** The most rows of one batch; wide rows come in smaller ones. */
  readonly batchSize?: number;
  /** For files without field ids. */
  readonly nameMapping?: NameMapping;
  readonly signal?: AbortSignal;
}

const DEFAULT_BATCH_SIZE = 64 * 1024;

/** The schema of what `readTask` returns: the projection, then the metadata columns. */
export function taskSchema(options: Pick<ReadTaskOptions, 'projection' | 'metadataColumns'>): StructType {
  const metadata = (options.metadataColumns ?? []).map((name) => METADATA_COLUMNS[name]);
  return { kind: 'struct', fields: [...options.projection.fields, ...metadata] };
}

/**
 * Reads the rows of one file that match the task's residual, as Arrow batches of `arrowSchema(taskSchema(options))`.
 * Nothing is read ahead of the consumer but the next row group's bytes. INVALID_DATA for a broken file; UNSUPPORTED for
 * formats and features that can't be read yet.
 */
export async function* readTask(io: FileIO, task: FileScanTask, options: ReadTaskOptions): AsyncGenerator<RecordBatch> {
  const schema = arrowSchema(taskSchema(options));
  for await (const batch of readTaskColumns(io, task, options)) yield toRecordBatch(schema, batch);
}

/** As `readTask`, in the library's own columnar form. */
export async function* readTaskColumns(
  io: FileIO,
  task: FileScanTask,
  options: ReadTaskOptions,
): AsyncGenerator<ColumnBatch> {
  refuseUnsupported(task);
  const { projection, metadataColumns = [], signal } = options;
  const { path, fileSizeInBytes } = task.file;
  const footer = await readParquetFooter(io, path, fileSizeInBytes, signal ? { signal } : {});
  const fields = fileFields(footer, options.nameMapping ?? null, path);
  const constants = partitionConstants(task);
  const metadata = metadataReader(task, metadataColumns, fields);
  // Columns of the filter and stored metadata are read with the projection, and dropped before the batch is handed out.
  const filterFields = selectFields(task.schema, referencedFieldIds(task.residual));
  const wanted = mergeFields(mergeFields(projection, filterFields), metadata.stored);
  refuseShreddedVariants(wanted, fields, path);
  const absent = absentLeaves(task.schema, fields, constants);
  const source: FileSource = {
    io,
    task,
    footer,
    rowGroups: matchingRowGroups(footer, fields, task.schema, task.residual, absent),
    leaves: leavesFor(wanted, fields),
  };
  const filter = batchFilter(task.residual, wanted);
  const rules = fileRules(path, fields, constants);
  for await (const decoded of decode(source, options)) {
    const batch = {
      length: decoded.length,
      columns: castFields(wanted, decoded.fields, decoded.columns, decoded.length, rules),
    };
    const rows = filter(batch);
    if (rows?.length === 0) continue;
    const projected = narrowBatch(batch, wanted, projection).columns;
    const all = { length: batch.length, columns: [...projected, ...metadata.columns(batch, wanted, decoded.firstRow)] };
    yield rows === null ? all : takeBatch(all, rows);
  }
}

interface FileSource {
  readonly io: FileIO;
  readonly task: FileScanTask;
  readonly footer: ParquetFooter;
  readonly rowGroups: readonly number[];
  readonly leaves: readonly number[];
}

async function* decode(
  source: FileSource,
  { batchSize = DEFAULT_BATCH_SIZE, signal }: ReadTaskOptions,
): AsyncGenerator<DecodedBatch> {
  const { io, task, footer, rowGroups, leaves } = source;
  if (leaves.length > 0) {
    yield* readColumns(io, task.file.path, footer, { rowGroups, leaves, batchSize, ...(signal && { signal }) });
    return;
  }
  // No wanted column is in the file: its rows are known by their number alone.
  for (const i of rowGroups) {
    const { rowCount, firstRow } = footer.rowGroups[i]!;
    for (let start = 0; start < rowCount; start += batchSize) {
      yield { length: Math.min(batchSize, rowCount - start), firstRow: firstRow + start, fields: [], columns: [] };
    }
  }
}

function refuseUnsupported({ file, deletes }: FileScanTask): void {
  const context = { path: file.path };
  if (file.keyMetadata !== null)
    throw unsupported(`The data file ${file.path} is encrypted, and encrypted files can't be read.`, context);
  if (file.format !== 'parquet') {
    throw unsupported(
      `The data file ${file.path} is in the format ${file.format}; only Parquet data files can be read.`,
      context,
    );
  }
  if (deletes.length > 0) {
    throw unsupported(
      `Rows of the data file ${file.path} are deleted by delete files, which can't be applied yet.`,
      context,
    );
  }
}

/** Fields of a file find their columns by field id; what a file lacks is filled in. */
function fileRules(location: string, fields: FileFields, constants: PartitionConstants): CastRules {
  const fail = (path: FieldPath, _: number | null, problem: string): never => {
    throw invalidData(`The column '${path.join('.')}' of the data file ${location} ${problem}.`, { path: location });
  };
  return {
    mode: 'file',
    // Decoded fields carry the index of their element as id.
    find: (target, source) => {
      const index = fields.get(target.id)?.index;
      return index === undefined ? -1 : source.findIndex((field) => field.id === index);
    },
    missing: (target, length, path) => {
      const value = absentValue(target, constants);
      if (value === null && target.required) return fail(path, null, 'is required, but missing, and has no default');
      return constantColumn(target.type, value, length);
    },
    checkRequired: false,
    fail,
  };
}
