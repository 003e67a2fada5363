import type { ParquetFooter, ParquetRowGroup } from '../formats/parquet/footer.ts';
import { readParquetFooter } from '../formats/parquet/footer.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { StructType } from '../spec/types.ts';
import type { MetricsModes } from './metrics-config.ts';
import { fileMetrics } from './metrics.ts';
import type { ValueMetrics } from './value-metrics.ts';

/** What is known of a Parquet file's rows besides what it says itself. */
export interface FileDescription {
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  readonly schema: StructType;
  readonly specId: number;
  readonly partition: PartitionTuple;
  readonly sortOrderId: number;
  readonly modes: MetricsModes;
  /** By field id, what was found by looking at the values. */
  readonly values: ReadonlyMap<number, ValueMetrics>;
}

/** A file that was just written, as a manifest describes it. */
export function parquetDataFile(
  { location, size, schema, specId, partition, sortOrderId, modes, values }: FileDescription,
  footer: Pick<ParquetFooter, 'root' | 'leaves'>,
  rowGroups: readonly ParquetRowGroup[],
): DataFile {
  return {
    content: 'data',
    path: location,
    format: 'parquet',
    specId,
    partition,
    recordCount: rowGroups.reduce((sum, group) => sum + group.rowCount, 0),
    fileSizeInBytes: size,
    ...fileMetrics(schema, footer, rowGroups, modes, values),
    keyMetadata: null,
    splitOffsets: rowGroups.map((group) => Math.min(...group.columns.map((chunk) => chunk.offset))),
    equalityIds: null,
    sortOrderId,
    firstRowId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null,
  };
}

/** The same of a file that another writer made, by its footer, which is read. Its columns have the schema's field ids. */
export async function describeParquetFile(
  io: Pick<FileIO, 'read'>,
  file: FileDescription,
  options: { readonly signal?: AbortSignal } = {},
): Promise<DataFile> {
  const footer = await readParquetFooter(io, file.location, file.size, options);
  return parquetDataFile(
    file,
    footer,
    footer.rowGroups.filter(({ rowCount }) => rowCount > 0),
  );
}
