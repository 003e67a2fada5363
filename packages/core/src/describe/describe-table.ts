import { termToText } from '../expr/to-text.ts';
import type { FileIO } from '../io/file-io.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import type { Runtime } from '../runtime.ts';
import { stringifyJson } from '../spec/json.ts';
import { currentSortOrder, currentSpec } from '../spec/metadata-accessors.ts';
import { fieldPath } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import { valueToJson } from '../spec/single-value-json.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { typeToText } from '../spec/type-text.ts';
import type { NestedField } from '../spec/types.ts';
import { resolveScanTarget } from '../table-scan/scan-target.ts';
import type { ScanTargetOptions } from '../table-scan/scan-target.ts';
import { countContents, countFiles } from './count-files.ts';
import { tableHealth, targetFileBytes } from './health.ts';
import { tableDescription } from './table-description.ts';
import type { ColumnDescription, TableContents, TableDescription } from './table-description.ts';

/** Which snapshot is described, and how closely. */
export interface DescribeOptions extends ScanTargetOptions {
  /** Reads the manifests, for what they tell of single files: how many are small, how large they are. */
  readonly files?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DescribedTable {
  readonly name: string;
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  readonly runtime: Runtime;
}

/** Reads the manifest list and nothing else, unless files are asked for. */
export async function describeTable(table: DescribedTable, options: DescribeOptions): Promise<TableDescription> {
  const { metadata, io, metadataLocation } = table;
  const { snapshot, schema } = resolveScanTarget(metadata, options);
  const target = targetFileBytes(metadata.properties);
  const ioOptions = options.signal ? { signal: options.signal } : {};
  const [contents, stat] = await Promise.all([
    readContents(table, snapshot, options, target),
    // A catalog may hand out metadata whose file is gone, or is for its own eyes only.
    io.stat(metadataLocation, ioOptions).catch(() => null),
  ]);
  const metadataBytes = stat?.size ?? null;
  const snapshots = metadata.snapshots.length;
  return tableDescription({
    name: table.name,
    location: metadata.location,
    metadataLocation,
    uuid: metadata.tableUuid,
    formatVersion: metadata.formatVersion,
    lastUpdatedMs: metadata.lastUpdatedMs,
    columns: describeColumns(schema),
    partitionedBy: partitioning(metadata, schema),
    sortedBy: ordering(metadata, schema),
    properties: metadata.properties,
    refs: metadata.refs,
    snapshots,
    metadataBytes,
    snapshot,
    contents,
    health: tableHealth({ contents, targetFileBytes: target, snapshots, metadataBytes }),
  });
}

const NOTHING: TableContents = {
  dataFiles: 0,
  rows: 0,
  bytes: 0,
  deleteFiles: 0,
  deletes: 0,
  dataManifests: 0,
  deleteManifests: 0,
  manifestBytes: 0,
  files: null,
};

async function readContents(
  table: DescribedTable,
  snapshot: Snapshot | null,
  { signal, files }: DescribeOptions,
  targetBytes: number,
): Promise<TableContents> {
  const { io, metadata } = table;
  if (snapshot === null) return NOTHING;
  const manifests = await readManifestList(io, snapshot, metadata, signal ? { signal } : {});
  const counts = files ? await countFiles({ ...table, signal }, manifests, targetBytes) : null;
  return countContents(manifests, snapshot, counts);
}

/** The columns of a schema, as a description has them. */
export function describeColumns({ fields, identifierFieldIds }: Schema): readonly ColumnDescription[] {
  return fields.map((field) => ({
    name: field.name,
    type: typeToText(field.type),
    required: field.required,
    isKey: identifierFieldIds.includes(field.id),
    writeDefault: defaultText(field),
    doc: field.doc ?? null,
  }));
}

function defaultText({ type, writeDefault = null }: NestedField): string | null {
  return writeDefault === null ? null : stringifyJson(valueToJson(type, writeDefault));
}

function partitioning(metadata: TableMetadata, schema: Schema): readonly string[] {
  return currentSpec(metadata)
    .fields.filter(({ transform }) => transform.kind !== 'void')
    .map(({ transform, sourceIds, name }) => termToText(columnName(schema, sourceIds) ?? name, transform));
}

function ordering(metadata: TableMetadata, schema: Schema): readonly string[] {
  return currentSortOrder(metadata).fields.map(({ transform, sourceIds, direction, nullOrder }) => {
    const term = termToText(columnName(schema, sourceIds) ?? `field ${sourceIds.join(', ')}`, transform);
    return `${term} ${direction} ${nullOrder.replace('-', ' ')}`;
  });
}

/** Null if the schema has no such column: that of an old snapshot may lack it. */
function columnName(schema: Schema, sourceIds: readonly number[]): string | null {
  const names = sourceIds.map((id) => fieldPath(schema, id)?.join('.'));
  return names.includes(undefined) ? null : names.join(', ');
}
