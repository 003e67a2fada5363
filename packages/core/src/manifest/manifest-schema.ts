import type { FormatVersion } from '../spec/table-metadata.ts';
import type { IcebergType, ListType, MapType, NestedField, StructType } from '../spec/types.ts';

/** Field ids of manifest entries and data files (spec: "Manifest Entry Fields", "Data File Fields"). */
export const ENTRY_FIELD = {
  status: 0,
  snapshotId: 1,
  dataFile: 2,
  sequenceNumber: 3,
  fileSequenceNumber: 4,
} as const;

export const FILE_FIELD = {
  content: 134,
  filePath: 100,
  fileFormat: 101,
  partition: 102,
  recordCount: 103,
  fileSizeInBytes: 104,
  blockSizeInBytes: 105,
  columnSizes: 108,
  valueCounts: 109,
  nullValueCounts: 110,
  nanValueCounts: 137,
  lowerBounds: 125,
  upperBounds: 128,
  keyMetadata: 131,
  splitOffsets: 132,
  equalityIds: 135,
  sortOrderId: 140,
  firstRowId: 142,
  referencedDataFile: 143,
  contentOffset: 144,
  contentSizeInBytes: 145,
} as const;

/** Field ids of manifest lists (spec: "Manifest Lists"). */
export const LIST_FIELD = {
  manifestPath: 500,
  manifestLength: 501,
  partitionSpecId: 502,
  content: 517,
  sequenceNumber: 515,
  minSequenceNumber: 516,
  addedSnapshotId: 503,
  addedFilesCount: 504,
  existingFilesCount: 505,
  deletedFilesCount: 506,
  addedRowsCount: 512,
  existingRowsCount: 513,
  deletedRowsCount: 514,
  partitions: 507,
  keyMetadata: 519,
  firstRowId: 520,
} as const;

const INT: IcebergType = { kind: 'int' };
const LONG: IcebergType = { kind: 'long' };
const STRING: IcebergType = { kind: 'string' };
const BINARY: IcebergType = { kind: 'binary' };
const BOOLEAN: IcebergType = { kind: 'boolean' };

function required(id: number, name: string, type: IcebergType, doc?: string): NestedField {
  return { id, name, required: true, type, ...(doc !== undefined && { doc }) };
}

function optional(id: number, name: string, type: IcebergType, doc?: string): NestedField {
  return { id, name, required: false, type, ...(doc !== undefined && { doc }) };
}

function struct(fields: readonly NestedField[]): StructType {
  return { kind: 'struct', fields };
}

function list(elementId: number, element: IcebergType): ListType {
  return { kind: 'list', elementId, elementRequired: true, element };
}

function statistics(keyId: number, valueId: number, value: IcebergType): MapType {
  return { kind: 'map', keyId, key: INT, valueId, valueRequired: true, value };
}

/** One entry as a manifest of the version stores it. */
export function manifestEntryType(version: FormatVersion, partition: StructType): StructType {
  const file = required(ENTRY_FIELD.dataFile, 'data_file', dataFileType(version, partition));
  const status = required(ENTRY_FIELD.status, 'status', INT, '0: existing, 1: added, 2: deleted');
  if (version === 1) return struct([status, required(ENTRY_FIELD.snapshotId, 'snapshot_id', LONG), file]);
  return struct([
    status,
    optional(ENTRY_FIELD.snapshotId, 'snapshot_id', LONG),
    optional(ENTRY_FIELD.sequenceNumber, 'sequence_number', LONG),
    optional(ENTRY_FIELD.fileSequenceNumber, 'file_sequence_number', LONG),
    file,
  ]);
}

function dataFileType(version: FormatVersion, partition: StructType): StructType {
  const id = FILE_FIELD;
  const content = required(id.content, 'content', INT, '0: data, 1: position deletes, 2: equality deletes');
  const identity = [
    required(id.filePath, 'file_path', STRING, 'Full URI of the file'),
    required(id.fileFormat, 'file_format', STRING, 'avro, orc, parquet or puffin'),
    required(id.partition, 'partition', partition, 'Partition tuple'),
    required(id.recordCount, 'record_count', LONG),
    required(id.fileSizeInBytes, 'file_size_in_bytes', LONG),
  ];
  const metrics = [
    optional(id.columnSizes, 'column_sizes', statistics(117, 118, LONG), 'Column id to its size in bytes'),
    optional(
      id.valueCounts,
      'value_counts',
      statistics(119, 120, LONG),
      'Column id to its number of values, nulls included',
    ),
    optional(id.nullValueCounts, 'null_value_counts', statistics(121, 122, LONG), 'Column id to its number of nulls'),
    optional(id.nanValueCounts, 'nan_value_counts', statistics(138, 139, LONG), 'Column id to its number of NaNs'),
    optional(id.lowerBounds, 'lower_bounds', statistics(126, 127, BINARY), 'Column id to its lower bound'),
    optional(id.upperBounds, 'upper_bounds', statistics(129, 130, BINARY), 'Column id to its upper bound'),
    optional(id.keyMetadata, 'key_metadata', BINARY),
    optional(id.splitOffsets, 'split_offsets', list(133, LONG)),
  ];
  const sortOrder = optional(id.sortOrderId, 'sort_order_id', INT);
  if (version === 1) {
    // Deprecated, but v1 readers require it (spec: "Data File Fields").
    const blockSize = required(id.blockSizeInBytes, 'block_size_in_bytes', LONG);
    return struct([...identity, blockSize, ...metrics, sortOrder]);
  }
  const equalityIds = optional(id.equalityIds, 'equality_ids', list(136, INT));
  const referenced = optional(id.referencedDataFile, 'referenced_data_file', STRING);
  const common = [content, ...identity, ...metrics, equalityIds, sortOrder];
  if (version === 2) return struct([...common, referenced]);
  return struct([
    ...common,
    optional(id.firstRowId, 'first_row_id', LONG, "Row id of the file's first row"),
    referenced,
    optional(id.contentOffset, 'content_offset', LONG, 'Where the deletion vector starts in the file'),
    optional(id.contentSizeInBytes, 'content_size_in_bytes', LONG, 'Bytes of the deletion vector'),
  ]);
}

const FIELD_SUMMARY: StructType = struct([
  required(509, 'contains_null', BOOLEAN),
  optional(518, 'contains_nan', BOOLEAN),
  optional(510, 'lower_bound', BINARY),
  optional(511, 'upper_bound', BINARY),
]);

/** One line of a manifest list as a list of the version stores it. */
export function manifestFileType(version: FormatVersion): StructType {
  const id = LIST_FIELD;
  const count = version === 1 ? optional : required;
  const path = [
    required(id.manifestPath, 'manifest_path', STRING, 'Full URI of the manifest'),
    required(id.manifestLength, 'manifest_length', LONG),
    required(id.partitionSpecId, 'partition_spec_id', INT),
  ];
  const sequence = [
    required(id.content, 'content', INT, '0: data, 1: deletes'),
    required(id.sequenceNumber, 'sequence_number', LONG),
    required(id.minSequenceNumber, 'min_sequence_number', LONG),
  ];
  const counts = [
    required(id.addedSnapshotId, 'added_snapshot_id', LONG),
    count(id.addedFilesCount, 'added_files_count', INT),
    count(id.existingFilesCount, 'existing_files_count', INT),
    count(id.deletedFilesCount, 'deleted_files_count', INT),
    count(id.addedRowsCount, 'added_rows_count', LONG),
    count(id.existingRowsCount, 'existing_rows_count', LONG),
    count(id.deletedRowsCount, 'deleted_rows_count', LONG),
  ];
  const rest = [
    optional(id.partitions, 'partitions', list(508, FIELD_SUMMARY), 'Summary of each partition field'),
    optional(id.keyMetadata, 'key_metadata', BINARY),
  ];
  const rowId = optional(id.firstRowId, 'first_row_id', LONG, 'First row id for data files without one');
  if (version === 1) return struct([...path, ...counts, ...rest]);
  return struct([...path, ...sequence, ...counts, ...rest, ...(version === 3 ? [rowId] : [])]);
}
