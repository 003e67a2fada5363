import { unsupported } from '../errors.ts';
import type { PositionBitmap } from '../formats/puffin/position-bitmap.ts';
import type { FileIO } from '../io/file-io.ts';
import type { Runtime } from '../runtime.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { tableProperty } from '../spec/table-properties.ts';
import type { Properties } from '../spec/table-properties.ts';
import type { DataLocations } from './locations.ts';

/** Rows of one data file that are deleted, as a whole: also those that were deleted before, if the file replaces others. */
export interface DeletedPositions {
  readonly dataFile: Pick<DataFile, 'path' | 'specId' | 'partition'>;
  /** Not empty. */
  readonly positions: PositionBitmap;
}

/** How delete files are written; of one table, for data files of any of its specs. */
export interface DeleteFileOptions {
  readonly io: FileIO;
  readonly specs: readonly PartitionSpec[];
  /** The table's, for the names of partitions. */
  readonly schema: Schema;
  readonly properties: Properties;
  readonly locationFor: DataLocations;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal;
}

/** The table's properties, as the writer of data files is to see them when it writes delete files. */
export function deleteFileProperties(properties: Properties): Properties {
  const format =
    tableProperty(properties, 'write.delete.format.default') ?? tableProperty(properties, 'write.format.default');
  if (format !== 'parquet') {
    throw unsupported(
      `The table wants delete files in the format ${format}, and only Parquet can be written; set 'write.delete.format.default' to parquet.`,
    );
  }
  return {
    ...properties,
    'write.format.default': format,
    'write.target-file-size-bytes': String(tableProperty(properties, 'write.delete.target-file-size-bytes')),
  };
}

/** `<file>-deletes.<extension>`: delete files lie beside data files, and are told from them by name. */
export function deleteFileName(fileName: string, extension: string): string {
  return `${fileName.replace(/\.[a-z]+$/, '')}-deletes.${extension}`;
}
