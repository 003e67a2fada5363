export { FileSystemCatalog, type FileSystemCatalogOptions } from './catalog/file-system-catalog.ts';
export { MemoryCatalog, type MemoryCatalogOptions } from './catalog/memory-catalog.ts';
export {
  catalogProperties,
  openCatalog,
  type CatalogProperties,
  type OpenCatalogOptions,
} from './catalog/open-catalog.ts';
export { RestCatalog, type TableChange } from './catalog/rest/rest-catalog.ts';
export type { RestCatalogOptions, RestOAuth2Options } from './catalog/rest/options.ts';
export type { OutgoingRequest, RestAuth } from './catalog/rest/auth/auth.ts';
export type { TokenExchange } from './catalog/rest/auth/oauth2.ts';
export type { AwsIdentity, SigV4Options } from './catalog/rest/auth/sigv4.ts';
export type { Fetch, RestRetryOptions } from './catalog/rest/http-client.ts';
export type { RestViews, View, ViewOptions } from './catalog/rest/rest-views.ts';
export type { Catalog, CreateTableOptions, Identifier, LoadedMetadata, TableOperations } from './catalog/catalog.ts';

export { Table, tableFromOperations } from './table.ts';
export type { MigrateOptions, MigrationTarget } from './migrate-table.ts';
export type { HistoryEntry, LoadTableOptions, TableOptions } from './table.ts';
export type { DescribeOptions } from './describe/describe-table.ts';
export type {
  ColumnDescription,
  DescriptionLine,
  FileCounts,
  TableContents,
  TableDescription,
  TableHealth,
} from './describe/table-description.ts';
export type {
  ComputeStatsOptions,
  ComputeStatsProgress,
  ComputeStatsReport,
} from './maintenance/compute-stats/compute-stats.ts';
export type {
  CompactionPolicy,
  MaintenanceBudget,
  MaintenancePolicy,
  MaintenanceProgress,
  MaintenanceTask,
  OrphanPolicy,
} from './maintenance/maintain/policy.ts';
export type { MaintenanceOutcome, MaintenanceReport, MaintenanceStep } from './maintenance/maintain/report.ts';
export { exportTable } from './maintenance/backup/export-table.ts';
export type { ExportReport, ExportTableOptions, ExportedTable } from './maintenance/backup/export-table.ts';
export { importTable } from './maintenance/backup/import-table.ts';
export type { ImportReport, ImportTableOptions } from './maintenance/backup/import-table.ts';
export type { CopyProgress } from './maintenance/backup/copied-files.ts';
export type {
  RewriteTablePathOptions,
  RewriteTablePathReport,
} from './maintenance/rewrite-table-path/rewrite-table-path.ts';
export type { ColumnStatistics } from './maintenance/compute-stats/column-statistics.ts';
export type {
  PartialProgress,
  RewriteDataFilesOptions,
  RewriteJobOrder,
  RewriteProgress,
  RewriteStrategy,
} from './maintenance/rewrite-data-files/options.ts';
export type { RewriteDataFilesReport, RewriteGroupReport } from './maintenance/rewrite-data-files/report.ts';
export type {
  ConvertEqualityDeletesOptions,
  ConvertEqualityDeletesProgress,
  ConvertEqualityDeletesReport,
} from './maintenance/convert-equality-deletes.ts';
export type {
  RemoveDanglingDeletesOptions,
  RemoveDanglingDeletesProgress,
  RemoveDanglingDeletesReport,
} from './maintenance/remove-dangling-deletes.ts';
export type {
  RewritePositionDeletesOptions,
  RewritePositionDeletesProgress,
  RewritePositionDeletesReport,
} from './maintenance/rewrite-position-deletes/rewrite-position-deletes.ts';
export type {
  ExpireProgress,
  ExpireSnapshotsOptions,
  ExpireSnapshotsReport,
} from './maintenance/expire-snapshots/expire-snapshots.ts';
export type {
  RewriteManifestsOptions,
  RewriteManifestsProgress,
  RewriteManifestsReport,
} from './maintenance/rewrite-manifests/rewrite-manifests.ts';
export type {
  OrphanFilesReport,
  OrphanProgress,
  RemoveOrphanFilesOptions,
} from './maintenance/remove-orphan-files/remove-orphan-files.ts';
export type { AddFilesOptions } from './transaction/add-files/add-files.ts';
export type { PartitionInput } from './transaction/add-files/file-partition.ts';
export type { MigrationSource } from './transaction/add-files/plan-migration.ts';
export type {
  DirectorySelection,
  FileSelection,
  SelectedFile,
  SelectedFiles,
} from './transaction/add-files/select-files.ts';
export type { Commit } from './transaction/commit.ts';
export type { Transaction } from './transaction/transaction.ts';
export type { TableReplacement } from './transaction/replace-table.ts';
export type {
  AppendOptions,
  CommitOptions,
  PublishOptions,
  StageOptions,
  TransactionOptions,
} from './transaction/transaction-options.ts';
export type { Assignments } from './transaction/operations/assignments.ts';
export type { WhenMatched, WhenNotMatched } from './transaction/operations/merge-clauses.ts';
export type { MergeOptions, UpsertOptions } from './transaction/operations/merge-rows.ts';
export type { OverwritePartitionsOptions } from './transaction/operations/overwrite-partitions.ts';
export type { OverwriteOptions } from './transaction/operations/overwrite-rows.ts';
export type { EqualityDeleteInput, PositionDelete, RowDelta } from './transaction/operations/row-delta.ts';
export type { RowLevelMode, RowLevelOptions } from './transaction/operations/row-level-settings.ts';
export type { SchemaChange } from './transaction/evolve-schema.ts';
export type { SpecChange } from './transaction/evolve-spec.ts';
export type { SchemaUpdate } from './transaction/update-schema.ts';
export type { SpecUpdate } from './transaction/update-spec.ts';
export type { BranchOptions, TagOptions } from './transaction/update-refs.ts';
export type { TimeInput } from './transaction/time-input.ts';
export type { DataFileWriter } from './write/data-file-writer.ts';
export type { AppendData } from './write/input.ts';

export type { ScanOptions, TableScan } from './table-scan.ts';
export type { ChangeColumns, ChangeReadOptions, TableChanges } from './changes/table-changes.ts';
export type { ChangeRangeOptions, ChangesOptions, IncrementalAppendScanOptions } from './changes/change-range.ts';
export type { ChangeType } from './changes/change-columns.ts';
export type { FollowOptions, FollowStep, TableFollower } from './changes/follow.ts';
export type { FollowAfter, FollowPosition } from './changes/follow-position.ts';
export type { ScanTargetOptions } from './table-scan/scan-target.ts';
export type { SelectedRow } from './table-scan/selected-row.ts';
export type { InspectOptions, MetadataTable } from './inspect/metadata-table.ts';
export type { MetadataTableName } from './inspect/metadata-table-name.ts';
export type { RowOptions } from './read/batch-rows.ts';
export type { DeleteFile, FileScanTask, ScanMetrics, ScanPlan } from './scan/file-scan-task.ts';

export { schema, t } from './spec/schema-builder.ts';
export type { Columns, ColumnType, ColumnValue, RowOf, SchemaOptions, TypeBuilder } from './spec/schema-builder.ts';
export type { InferRow, Schema } from './spec/schema.ts';
export type { ManifestContent, ManifestFile, PartitionFieldSummary } from './spec/manifest.ts';
export { partitionBy, type PartitionBy, type PartitionFieldOptions } from './spec/partition-by.ts';
export type { PartitionFieldInput, SortFieldInput } from './spec/inputs.ts';
export { Variant } from './spec/variant.ts';

export { expr, type ExprBuilder, type TermInput } from './expr/expr.ts';
export { parseExpression } from './expr/parse.ts';
export type { FilterInput } from './expr/filter-input.ts';
export type { Expression, Literal, PredicateOp, Term, TypedLiteral } from './expr/expression.ts';
export type { BoundExpression, BoundPredicate, BoundTerm } from './expr/bound-expression.ts';

export { isPrimitive } from './spec/types.ts';
export type {
  DecimalType,
  FixedType,
  GeographyType,
  GeometryType,
  IcebergType,
  ListType,
  MapType,
  NestedField,
  NestedType,
  PrimitiveKind,
  PrimitiveType,
  SimpleKind,
  StructType,
  TypeKind,
} from './spec/types.ts';
export type { Value } from './spec/values.ts';
export type { Transform, TransformKind } from './spec/transform.ts';
export type { PartitionField, PartitionSpec, PartitionTuple } from './spec/partition-spec.ts';
export type { SortField, SortOrder } from './spec/sort-order.ts';
export type { DataFile, FileContent, FileFormat } from './spec/data-file.ts';
export type { Operation, Snapshot, SnapshotRef } from './spec/snapshot.ts';
export type {
  FormatVersion,
  MetadataLogEntry,
  PartitionStatisticsFile,
  SnapshotLogEntry,
  StatisticsFile,
  TableMetadata,
} from './spec/table-metadata.ts';
export type { ViewHistoryEntry, ViewMetadata, ViewRepresentation, ViewVersion } from './spec/view-metadata.ts';
export type { TableRequirement, TableUpdate, UnboundPartitionSpec } from './spec/updates.ts';

export type {
  DeleteResult,
  FileData,
  FileIO,
  FileIOCapabilities,
  FileStat,
  IOOptions,
  ReadOptions,
  S3Access,
  S3Credentials,
  S3Object,
  WriteOptions,
} from './io/file-io.ts';
export type { FileIOFactory, FileIOSettings } from './io/file-io-factory.ts';
export { checkByteRange, resolveByteRange, type ByteRange } from './io/byte-range.ts';
export { CachingFileIO, type CachingFileIOOptions } from './io/caching-file-io.ts';
export { MappedFileIO } from './io/mapped-file-io.ts';
export { MemoryFileIO } from './io/memory-file-io.ts';

export { LakehouseError, isLakehouseError, throwIfAborted, type ErrorCode, type ErrorContext } from './errors.ts';
export { reportToJson } from './reporter.ts';
export type { CommitReport, Metric, Metrics, MetricsReport, Reporter, ReportMetadata, ScanReport } from './reporter.ts';
export { systemRuntime, type Runtime } from './runtime.ts';
