import { unsupported } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile, FileFormat } from '../spec/data-file.ts';
import { openAvroFile } from './avro/data-file-reader.ts';
import type { DataFileReader, OpenFileOptions } from './data-file.ts';
import { openOrcFile } from './orc/data-file-reader.ts';
import { openParquetFile } from './parquet/data-file-reader.ts';

type Opener = (io: FileIO, location: string, size: number, options?: OpenFileOptions) => Promise<DataFileReader>;

const OPENERS: Readonly<Record<FileFormat, Opener | null>> = {
  parquet: openParquetFile,
  avro: openAvroFile,
  orc: openOrcFile,
  // Puffin files hold blobs, not rows.
  puffin: null,
};

export interface OpenDataFileOptions {
  /** About how many columns the file has. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

/** Writers that make small row groups make them of about so many rows. */
const ROWS_PER_GROUP = 100_000;

/** An estimate where the manifest doesn't tell. */
function rowGroupsOf({ splitOffsets, recordCount }: DataFile): number {
  return splitOffsets?.length || Math.ceil(recordCount / ROWS_PER_GROUP) || 1;
}

/** Opens a file of rows, be it data or deletes. UNSUPPORTED for formats that can't be read, and for encrypted files. */
export async function openDataFile(
  io: FileIO,
  file: DataFile,
  { columns, signal }: OpenDataFileOptions = {},
): Promise<DataFileReader> {
  const { path, format, fileSizeInBytes, keyMetadata } = file;
  if (keyMetadata !== null) {
    throw unsupported(`The data file ${path} is encrypted, and encrypted files can't be read.`, { path });
  }
  const open = OPENERS[format];
  if (open === null) {
    throw unsupported(`The data file ${path} is in the format ${format}, which can't be read.`, { path });
  }
  const expected = columns !== undefined && { expected: { columns, rowGroups: rowGroupsOf(file) } };
  return open(io, path, fileSizeInBytes, { ...expected, ...(signal && { signal }) });
}
