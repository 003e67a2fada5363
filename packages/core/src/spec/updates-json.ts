import type { JsonObject, JsonValue } from './json.ts';
import { partitionFieldsToJson } from './partition-spec-json.ts';
import { schemaToJson } from './schema-json.ts';
import { snapshotRefToJson, snapshotToJson } from './snapshot-json.ts';
import { sortFieldsToJson } from './sort-order-json.ts';
import { encryptedKeyToJson, partitionStatisticsToJson, statisticsToJson } from './statistics-json.ts';
import type { TableRequirement, TableUpdate } from './updates.ts';

/** A change as REST catalogs take it (REST specification: "TableUpdate"). */
export function tableUpdateToJson(update: TableUpdate): JsonObject {
  const fields = UPDATES[update.action] as (update: TableUpdate) => JsonObject;
  return { action: update.action, ...fields(update) };
}

/** An assumption as REST catalogs take it (REST specification: "TableRequirement"). */
export function tableRequirementToJson(requirement: TableRequirement): JsonObject {
  const fields = REQUIREMENTS[requirement.type] as (requirement: TableRequirement) => JsonObject;
  return { type: requirement.type, ...fields(requirement) };
}

type Updates = { readonly [A in TableUpdate['action']]: (update: Extract<TableUpdate, { action: A }>) => JsonObject };

const UPDATES: Updates = {
  'assign-uuid': ({ uuid }) => ({ uuid }),
  'upgrade-format-version': ({ formatVersion }) => ({ 'format-version': formatVersion }),
  'add-schema': ({ schema }) => ({ schema: schemaToJson(schema) }),
  'set-current-schema': ({ schemaId }) => ({ 'schema-id': schemaId }),
  'remove-schemas': ({ schemaIds }) => ({ 'schema-ids': schemaIds }),
  'add-spec': ({ spec }) => ({ spec: { 'spec-id': 0, fields: partitionFieldsToJson(spec.fields) } }),
  'set-default-spec': ({ specId }) => ({ 'spec-id': specId }),
  'remove-partition-specs': ({ specIds }) => ({ 'spec-ids': specIds }),
  // The catalog numbers orders; only that of no fields has an id of its own (spec: "Sorting").
  'add-sort-order': ({ fields }) => ({
    'sort-order': { 'order-id': fields.length === 0 ? 0 : 1, fields: sortFieldsToJson(fields) },
  }),
  'set-default-sort-order': ({ sortOrderId }) => ({ 'sort-order-id': sortOrderId }),
  'add-snapshot': ({ snapshot }) => ({ snapshot: snapshotToJson(snapshot) }),
  'set-snapshot-ref': ({ refName, ref }) => ({ 'ref-name': refName, ...snapshotRefToJson(ref) }),
  'remove-snapshots': ({ snapshotIds }) => ({ 'snapshot-ids': snapshotIds }),
  'remove-snapshot-ref': ({ refName }) => ({ 'ref-name': refName }),
  'set-location': ({ location }) => ({ location }),
  'set-properties': ({ updates }) => ({ updates }),
  'remove-properties': ({ removals }) => ({ removals }),
  // The id beside the file is deprecated, and required by older servers.
  'set-statistics': ({ statistics }) => ({
    'snapshot-id': statistics.snapshotId,
    statistics: statisticsToJson(statistics),
  }),
  'remove-statistics': ({ snapshotId }) => ({ 'snapshot-id': snapshotId }),
  'set-partition-statistics': ({ statistics }) => ({ 'partition-statistics': partitionStatisticsToJson(statistics) }),
  'remove-partition-statistics': ({ snapshotId }) => ({ 'snapshot-id': snapshotId }),
  'add-encryption-key': ({ key }) => ({ 'encryption-key': encryptedKeyToJson(key) }),
  'remove-encryption-key': ({ keyId }) => ({ 'key-id': keyId }),
};

type Requirements = {
  readonly [T in TableRequirement['type']]: (requirement: Extract<TableRequirement, { type: T }>) => JsonObject;
};

const REQUIREMENTS: Requirements = {
  'assert-create': () => ({}),
  'assert-table-uuid': ({ uuid }) => ({ uuid }),
  'assert-ref-snapshot-id': ({ ref, snapshotId }): Record<string, JsonValue> => ({ ref, 'snapshot-id': snapshotId }),
  'assert-last-assigned-field-id': ({ lastAssignedFieldId }) => ({ 'last-assigned-field-id': lastAssignedFieldId }),
  'assert-current-schema-id': ({ currentSchemaId }) => ({ 'current-schema-id': currentSchemaId }),
  'assert-last-assigned-partition-id': ({ lastAssignedPartitionId }) => ({
    'last-assigned-partition-id': lastAssignedPartitionId,
  }),
  'assert-default-spec-id': ({ defaultSpecId }) => ({ 'default-spec-id': defaultSpecId }),
  'assert-default-sort-order-id': ({ defaultSortOrderId }) => ({ 'default-sort-order-id': defaultSortOrderId }),
};
