import { invalidArgument } from '../errors.ts';
import { assignIds, freshIds } from './assign-ids.ts';
import { bindSortOrder } from './bind-sort-order.ts';
import { checkTableMetadata } from './check-metadata.ts';
import { checkNewSchema } from './check-schema.ts';
import type { PartitionFieldInput, SortFieldInput } from './inputs.ts';
import { bindPartitionSpec } from './partition-by.ts';
import { FIRST_PARTITION_FIELD_ID } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import type { FormatVersion, TableMetadata } from './table-metadata.ts';
import { checkTableProperties } from './table-properties.ts';

export interface NewTable {
  readonly schema: Schema;
  readonly partitionBy?: readonly PartitionFieldInput[];
  readonly sortBy?: readonly SortFieldInput[];
  /** 2 if left out. */
  readonly formatVersion?: FormatVersion;
  readonly location: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly uuid: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export const DEFAULT_FORMAT_VERSION: FormatVersion = 2;

/** What other engines give as a property when they mean the format version. */
const FORMAT_VERSION_PROPERTY = 'format-version';

/**
 * The first metadata of a table. The schema's field ids are given anew, breadth first; schema, spec and snapshotless
 * history get the ids that the reference implementation gives. INVALID_ARGUMENT for what can't be a table.
 */
export function newTableMetadata(table: NewTable): TableMetadata {
  const formatVersion = formatVersionOf(table);
  const { [FORMAT_VERSION_PROPERTY]: _, ...properties } = table.properties ?? {};
  checkTableProperties(properties);
  const { schema, lastColumnId } = withFreshIds(table.schema);
  checkNewSchema(schema, formatVersion);
  const spec = bindPartitionSpec(schema, table.partitionBy ?? [], {
    specId: 0,
    lastPartitionId: FIRST_PARTITION_FIELD_ID - 1,
  });
  const sortOrder = bindSortOrder(schema, table.sortBy ?? [], 1);
  const metadata: TableMetadata = {
    formatVersion,
    tableUuid: table.uuid,
    location: checkedLocation(table.location),
    lastSequenceNumber: 0n,
    lastUpdatedMs: table.nowMs,
    lastColumnId,
    schemas: [schema],
    currentSchemaId: schema.schemaId,
    partitionSpecs: [spec],
    defaultSpecId: spec.specId,
    lastPartitionId: FIRST_PARTITION_FIELD_ID - 1 + spec.fields.length,
    sortOrders: [sortOrder],
    defaultSortOrderId: sortOrder.orderId,
    properties,
    currentSnapshotId: null,
    snapshots: [],
    snapshotLog: [],
    metadataLog: [],
    refs: {},
    statistics: [],
    partitionStatistics: [],
    nextRowId: 0n,
    encryptionKeys: [],
    unknownFields: {},
  };
  checkTableMetadata(metadata);
  return metadata;
}

function formatVersionOf({ formatVersion, properties }: NewTable): FormatVersion {
  const property = properties?.[FORMAT_VERSION_PROPERTY];
  const version = formatVersion ?? (property === undefined ? DEFAULT_FORMAT_VERSION : Number(property));
  if (version !== 1 && version !== 2 && version !== 3) {
    throw invalidArgument(`A table's format version is 1, 2 or 3, not ${String(property ?? formatVersion)}.`);
  }
  if (property !== undefined && Number(property) !== version) {
    throw invalidArgument(`The format version is given twice: ${version} and, as a property, ${property}.`);
  }
  return version;
}

function withFreshIds(given: Schema): { readonly schema: Schema; readonly lastColumnId: number } {
  const newIds = new Map<number, number>();
  const ids = freshIds(1);
  const struct = assignIds(given, (oldId) => {
    const id = ids.newId(oldId);
    newIds.set(oldId, id);
    return id;
  });
  const identifierFieldIds = given.identifierFieldIds.map((id) => newIds.get(id) ?? id);
  return { schema: { ...given, ...struct, schemaId: 0, identifierFieldIds }, lastColumnId: ids.last() };
}

function checkedLocation(location: string): string {
  if (location === '') throw invalidArgument('A table needs a location that is not empty.');
  return location.replace(/(?<=[^/:])\/+$/, '');
}
