/**
 * Building blocks for an engine that runs queries itself and needs Iceberg's exact types, values and expressions:
 * `@lh/sql` is made of these. Applications use `@lh/core`.
 */
export { KeyFields } from './deletes/equality-delete-files.ts';
export type { DeleteLoader } from './deletes/row-deletes.ts';
export { describeColumns } from './describe/describe-table.ts';
export { invalidArgument, invalidData, unsupported } from './errors.ts';
export { bindExpression } from './expr/bind.ts';
export { expressionToText } from './expr/to-text.ts';
export { daysFromCivil, formatDate, formatTime, formatTimestamp } from './spec/datetime-text.ts';
export { formatDecimal } from './spec/decimal-text.ts';
export { JsonNumber, parseJson } from './spec/json.ts';
export type { JsonObject, JsonValue } from './spec/json.ts';
export { tableNameMapping } from './spec/name-mapping.ts';
export type { NameMapping } from './spec/name-mapping.ts';
export { findFieldByName } from './spec/schema-fields.ts';
export { typeToText } from './spec/type-text.ts';
export { sourceColumn, sourceField } from './columns/from-arrow.ts';
export type { ArrowDataLike, ArrowFieldLike } from './columns/from-arrow.ts';
export { batchBytes } from './columns/column.ts';
export type { Column, ColumnBatch } from './columns/column.ts';
export type { SourceField, SourceType } from './columns/source-type.ts';
export { absentValue, partitionConstants } from './read/absent-values.ts';
export { METADATA_COLUMNS, isMetadataColumn } from './read/metadata-columns.ts';
export type { MetadataColumn } from './read/metadata-columns.ts';
export { deleteLoader, readTaskColumns } from './read/read-task.ts';
export { lookAhead } from './scan/look-ahead.ts';
export { partitionKey } from './scan/partition-key.ts';
export type { PositionBitmap } from './formats/puffin/position-bitmap.ts';
export { METADATA_TABLE_NAMES, isMetadataTableName } from './inspect/metadata-table-name.ts';
export type { MetadataTableName } from './inspect/metadata-table-name.ts';
export type { InspectedTable } from './inspect/metadata-table-definition.ts';
export { openMetadataTable } from './inspect/open-metadata-table.ts';
export type { MetadataTableColumns, ReadColumnsOptions } from './inspect/open-metadata-table.ts';
