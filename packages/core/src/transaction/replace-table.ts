import { assignIds } from '../spec/assign-ids.ts';
import { bindSortOrder } from '../spec/bind-sort-order.ts';
import type { PartitionFieldInput, SortFieldInput } from '../spec/inputs.ts';
import { currentSchema, currentSpec } from '../spec/metadata-accessors.ts';
import { bindPartitionSpec, defaultPartitionName } from '../spec/partition-by.ts';
import { indexById } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts';
import type { UnboundPartitionSpec } from '../spec/updates.ts';
import type { MetadataAction, Updates } from './action.ts';
import { findRef } from './refs.ts';
import { setPropertiesAction } from './update-properties.ts';
import { SpecUpdate } from './update-spec.ts';
import { upgradeFormatVersionAction } from './upgrade-format-version.ts';

/** What a table is to be like from now on. */
export interface TableReplacement {
  readonly schema: Schema;
  readonly partitionBy?: readonly PartitionFieldInput[];
  readonly sortBy?: readonly SortFieldInput[];
  /** Left out: as it is. */
  readonly formatVersion?: FormatVersion;
  /** Added to those that it has. */
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * Makes the table another one under its name, as Iceberg Java does for CREATE OR REPLACE: main is empty, schema, spec and
 * order are the new ones. The uuid, the snapshots and what other branches and tags are at stay. Columns that have the
 * name of one before have its id.
 */
export function replaceTableAction(replacement: TableReplacement): MetadataAction {
  const { schema, partitionBy = [], sortBy = [], formatVersion, properties = {} } = replacement;
  const upgrade = formatVersion === undefined ? null : upgradeFormatVersionAction(formatVersion);
  const setProperties = setPropertiesAction(properties);
  return {
    build(metadata) {
      const newSchema = withKnownIds(schema, metadata);
      return [
        ...(upgrade?.build(metadata) ?? []),
        ...(findRef(metadata, MAIN_BRANCH) ? [{ action: 'remove-snapshot-ref', refName: MAIN_BRANCH } as const] : []),
        { action: 'add-schema', schema: newSchema },
        { action: 'set-current-schema', schemaId: -1 },
        ...newSpec(metadata, newSchema, partitionBy),
        { action: 'add-sort-order', fields: bindSortOrder(newSchema, sortBy, -1).fields },
        { action: 'set-default-sort-order', sortOrderId: -1 },
        ...setProperties.build(metadata),
      ];
    },
  };
}

/** No id is used for columns of two names (spec: "Schema Evolution"). */
function withKnownIds(schema: Schema, metadata: TableMetadata): Schema {
  const known = new Map([...indexById(currentSchema(metadata))].map(([id, { path }]) => [pathKey(path), id]));
  const newIds = new Map<number, number>();
  const index = indexById(schema);
  let { lastColumnId } = metadata;
  const struct = assignIds(schema, (givenId) => {
    const id = known.get(pathKey(index.get(givenId)!.path)) ?? ++lastColumnId;
    newIds.set(givenId, id);
    return id;
  });
  const identifierFieldIds = schema.identifierFieldIds.map((id) => newIds.get(id)!);
  return { ...schema, ...struct, schemaId: -1, identifierFieldIds };
}

function pathKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** Equal fields keep their ids, and in version 1 their places (spec: "Partition Evolution"). */
function newSpec(metadata: TableMetadata, schema: Schema, partitionBy: readonly PartitionFieldInput[]): Updates {
  const { formatVersion, lastPartitionId, partitionSpecs } = metadata;
  const spec =
    formatVersion === 1
      ? specInPlaces(metadata, schema, partitionBy)
      : bindPartitionSpec(schema, partitionBy, { specId: -1, lastPartitionId, existingSpecs: partitionSpecs });
  return [
    { action: 'add-spec', spec: { fields: spec.fields } },
    { action: 'set-default-spec', specId: -1 },
  ];
}

function specInPlaces(
  metadata: TableMetadata,
  schema: Schema,
  partitionBy: readonly PartitionFieldInput[],
): UnboundPartitionSpec {
  const schemaId = metadata.schemas.reduce((highest, other) => Math.max(highest, other.schemaId), 0) + 1;
  const update = new SpecUpdate({
    ...metadata,
    schemas: [...metadata.schemas, { ...schema, schemaId }],
    currentSchemaId: schemaId,
  });
  for (const { name, transform } of currentSpec(metadata).fields) if (transform.kind !== 'void') update.remove(name);
  for (const field of partitionBy) {
    update.add({ ...field, name: field.name ?? defaultPartitionName(field.column, field.transform) });
  }
  return update.apply();
}
