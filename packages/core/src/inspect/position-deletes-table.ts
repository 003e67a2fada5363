import type { Column, ColumnBatch } from '../columns/column.ts';
import { constantColumn } from '../columns/constant.ts';
import { takeBatch } from '../columns/take.ts';
import { readVector } from '../deletes/position-deletes.ts';
import { POSITION_DELETES } from '../deletes/position-delete-file.ts';
import { throwIfAborted } from '../errors.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import { UNKNOWN_STATISTICS } from '../expr/column-statistics.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import { mayMatch } from '../expr/statistics-evaluator.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import { liveFilesCount } from '../manifest/manifest-file.ts';
import { decodeManifest } from '../manifest/read-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import { batchFilter } from '../read/filter-batch.ts';
import { METADATA_COLUMNS } from '../read/metadata-columns.ts';
import { narrowBatch } from '../read/narrow-batch.ts';
import { openFile } from '../read/read-file.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import { currentSchema, specById } from '../spec/metadata-accessors.ts';
import { nameMappingOf } from '../spec/name-mapping.ts';
import { FILE_PATH, POS } from '../spec/position-delete-fields.ts';
import { indexById } from '../spec/schema-fields.ts';
import { mergeFields, selectFields } from '../spec/select-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { InspectedTable, MetadataTableDefinition, MetadataTableRead } from './metadata-table-definition.ts';
import { unifiedPartitionType } from './partition-union.ts';
import { ONLY_NULLS, between, manifestPruner, partitionStatistics } from './prune-manifests.ts';
import type { ManifestStatistics } from './prune-manifests.ts';
import { manifestFiles, snapshotManifests } from './read-entries.ts';
import { LONG, optional, required, struct } from './field-builders.ts';

/** Reserved ids (spec: "Reserved Field IDs"), or, of the last two, what Iceberg Java has for what only this table shows. */
const ROW_ID = 2147483544;
const PARTITION_ID = 2147483642;
const SPEC_ID = METADATA_COLUMNS._spec_id.id;
const DELETE_FILE_PATH_ID = METADATA_COLUMNS._file.id;
const CONTENT_OFFSET_ID = 2147483641;
const CONTENT_SIZE_ID = 2147483640;

interface PositionDeletesSchema {
  readonly schema: StructType;
  /** The partitions of all specs: its ids are those of the specs, which `schema` can't have beside the table's own. */
  readonly partition: StructType;
  /** Ids of partition fields in the specs by those in `schema`. */
  readonly partitionIds: ReadonlyMap<number, number>;
}

function positionDeletesSchema(metadata: TableMetadata): PositionDeletesSchema {
  const partition = unifiedPartitionType(metadata);
  const shown = withFreeIds(partition, metadata);
  const partitionIds = new Map(shown.fields.map(({ id }, i) => [id, partition.fields[i]!.id]));
  const row = struct(currentSchema(metadata).fields);
  const fields = [
    FILE_PATH,
    POS,
    optional(ROW_ID, 'row', row, 'The deleted row, if the writer kept it'),
    ...(partition.fields.length === 0 ? [] : [required(PARTITION_ID, 'partition', shown)]),
    required(SPEC_ID, 'spec_id', { kind: 'int' }, 'Partition spec of the delete file'),
    required(DELETE_FILE_PATH_ID, 'delete_file_path', { kind: 'string' }, 'Path of the delete file'),
    ...(metadata.formatVersion < 3
      ? []
      : [
          optional(CONTENT_OFFSET_ID, 'content_offset', LONG, 'Where the deletion vector starts in its file'),
          optional(CONTENT_SIZE_ID, 'content_size_in_bytes', LONG, 'Bytes of the deletion vector'),
        ]),
  ];
  return { schema: struct(fields), partition, partitionIds };
}

function withFreeIds(partition: StructType, { schemas }: TableMetadata): StructType {
  const used = new Set([
    ...schemas.flatMap((schema) => [...indexById(schema).keys()]),
    ...partition.fields.map(({ id }) => id),
  ]);
  let next = 1;
  const fields = partition.fields.map((field) => {
    while (used.has(next)) next++;
    return { ...field, id: next++ };
  });
  return struct(fields);
}

/** The rows of position delete files and the positions of deletion vectors, as they are stored: one by one. */
export const positionDeletesTable: MetadataTableDefinition = {
  snapshot: 'read',
  open: (table) => {
    const definition = positionDeletesSchema(table.metadata);
    return { schema: definition.schema, read: (read) => readPositionDeletes(table, definition, read) };
  },
};

async function* readPositionDeletes(
  table: InspectedTable,
  definition: PositionDeletesSchema,
  read: MetadataTableRead,
): AsyncGenerator<ColumnBatch> {
  const { projection, filter, snapshot, signal } = read;
  const filterFields = selectFields(definition.schema, referencedFieldIds(filter));
  const wanted = mergeFields(projection, filterFields);
  const matching = batchFilter(filter, wanted);
  const manifests = (await snapshotManifests(table, snapshot, signal)).filter(
    deleteManifests(table, definition, filter),
  );
  for await (const entry of deleteFiles(table, manifests, signal)) {
    const constants = constantsOf(entry.file, table.metadata, definition);
    if (!mayHaveRows(filter, constants)) continue;
    for await (const batch of fileBatches(table, entry, wanted, constants, signal)) {
      throwIfAborted(signal);
      const rows = matching(batch);
      const projected = narrowBatch(batch, wanted, projection);
      yield rows ? takeBatch(projected, rows) : projected;
    }
  }
}

function deleteManifests(
  { metadata }: InspectedTable,
  { partitionIds }: PositionDeletesSchema,
  filter: BoundExpression,
): (manifest: ManifestFile) => boolean {
  const ofPartition = partitionStatistics(metadata);
  const statistics: ManifestStatistics = (manifest, term) => {
    const id = partitionIds.get(term.field.id);
    return id === undefined ? UNKNOWN_STATISTICS : ofPartition(manifest, { ...term, field: { ...term.field, id } });
  };
  const mayMatchManifest = manifestPruner(filter, statistics);
  return (manifest) => manifest.content === 'deletes' && liveFilesCount(manifest) !== 0 && mayMatchManifest(manifest);
}

async function* deleteFiles(
  table: InspectedTable,
  manifests: readonly ManifestFile[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ManifestEntry> {
  const options = { ...tableDefinitions(table.metadata), liveOnly: true, columns: { stats: 'none' } } as const;
  for await (const [manifest, bytes] of manifestFiles(table, manifests, signal)) {
    for (const entries of decodeManifest(bytes, manifest, options)) {
      for (const entry of entries) if (entry.file.content === 'position-deletes') yield entry;
    }
  }
}

/** What all rows of a delete file have in common, by the id of its column. */
type Constants = ReadonlyMap<number, Value>;

function constantsOf(
  file: DataFile,
  metadata: TableMetadata,
  { partition, partitionIds }: PositionDeletesSchema,
): Constants {
  const { fields } = specById(metadata, file.specId);
  const tuple = partition.fields.map(
    ({ id }) => file.partition[fields.findIndex(({ fieldId }) => fieldId === id)] ?? null,
  );
  return new Map<number, Value>([
    [PARTITION_ID, tuple],
    ...Array.from(partitionIds.keys(), (id, i) => [id, tuple[i]!] as const),
    [SPEC_ID, file.specId],
    [DELETE_FILE_PATH_ID, file.path],
    [CONTENT_OFFSET_ID, file.contentOffset === null ? null : BigInt(file.contentOffset)],
    [CONTENT_SIZE_ID, file.contentSizeInBytes === null ? null : BigInt(file.contentSizeInBytes)],
    ...(file.referencedDataFile === null ? [] : [[FILE_PATH.id, file.referencedDataFile] as const]),
  ]);
}

function mayHaveRows(filter: BoundExpression, constants: Constants): boolean {
  return mayMatch(filter)((term) => {
    const value = constants.get(term.field.id);
    if (value === undefined) return UNKNOWN_STATISTICS;
    return value === null ? ONLY_NULLS : between(term, value, value);
  });
}

async function* fileBatches(
  { io, metadata }: InspectedTable,
  { file, sequenceNumber }: ManifestEntry,
  wanted: StructType,
  constants: Constants,
  signal: AbortSignal | undefined,
): AsyncGenerator<ColumnBatch> {
  const options = signal ? { signal } : {};
  if (isDeletionVector(file)) {
    for (const positions of chunks(await readVector(io, { file, sequenceNumber }, options))) {
      const { length } = positions;
      const column = { layout: 'numbers', length, validity: null, values: positions } as const;
      yield columnsOf(wanted, length, constants, ({ id, type }) =>
        id === POS.id ? column : constantColumn(type, id === FILE_PATH.id ? file.referencedDataFile : null, length),
      );
    }
    return;
  }
  const stored = struct(wanted.fields.filter(({ id }) => STORED.has(id)));
  const nameMapping = [...nameMappingOf(POSITION_DELETES), ...rowMapping(metadata)];
  const { read } = await openFile(io, file, { nameMapping, ...options });
  for await (const { length, columns } of read(stored)) {
    const byId = new Map(stored.fields.map(({ id }, i) => [id, columns[i]!]));
    yield columnsOf(wanted, length, constants, ({ id }) => byId.get(id)!);
  }
}

const STORED: ReadonlySet<number> = new Set([FILE_PATH.id, POS.id, ROW_ID]);

/** For files without field ids. */
function rowMapping(metadata: TableMetadata): ReturnType<typeof nameMappingOf> {
  return nameMappingOf(struct([optional(ROW_ID, 'row', struct(currentSchema(metadata).fields))]));
}

/** Columns of a batch: what the file stores, and what is the same in all of its rows. */
function columnsOf(
  wanted: StructType,
  length: number,
  constants: Constants,
  stored: (field: NestedField) => Column,
): ColumnBatch {
  const columnOf = (field: NestedField): Column =>
    STORED.has(field.id) ? stored(field) : constant(field, constants, length);
  return { length, columns: wanted.fields.map(columnOf) };
}

function constant({ id, type }: NestedField, constants: Constants, length: number): Column {
  if (id !== PARTITION_ID) return constantColumn(type, constants.get(id)!, length);
  const children = (type as StructType).fields.map((field) =>
    constantColumn(field.type, constants.get(field.id)!, length),
  );
  return { layout: 'struct', length, validity: null, children };
}

const CHUNK_ROWS = 64 * 1024;

function* chunks(positions: Iterable<number>): Generator<BigInt64Array> {
  let chunk = new BigInt64Array(CHUNK_ROWS);
  let length = 0;
  for (const position of positions) {
    chunk[length++] = BigInt(position);
    if (length < CHUNK_ROWS) continue;
    yield chunk;
    chunk = new BigInt64Array(CHUNK_ROWS);
    length = 0;
  }
  if (length > 0) yield chunk.subarray(0, length);
}
