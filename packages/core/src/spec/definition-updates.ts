import { invalidArgument } from '../errors.ts';
import { checkNewSchema } from './check-schema.ts';
import { stringifyJson } from './json.ts';
import { currentSchema } from './metadata-accessors.ts';
import type { MetadataDraft } from './metadata-draft.ts';
import { change } from './metadata-draft.ts';
import { checkPartitionFields } from './partition-by.ts';
import { FIRST_PARTITION_FIELD_ID, partitionFieldsEqual } from './partition-spec.ts';
import type { PartitionField, PartitionSpec } from './partition-spec.ts';
import { findField, highestFieldId } from './schema-fields.ts';
import { schemaToJson } from './schema-json.ts';
import type { Schema } from './schema.ts';
import { sortFieldsEqual, UNSORTED } from './sort-order.ts';
import type { SortField } from './sort-order.ts';
import type { TableMetadata } from './table-metadata.ts';
import { transformAccepts } from './transform-sources.ts';
import { transformsEqual, transformToText } from './transform-text.ts';
import type { Transform } from './transform.ts';
import { typeToText } from './type-text.ts';
import type { UnboundPartitionSpec } from './updates.ts';

/** Changes of what a table is like: schemas, partition specs, sort orders. Equal ones are not added twice. */

const LAST_ADDED = -1;

export function addSchema(draft: MetadataDraft, schema: Schema): void {
  const { schemas, formatVersion, lastColumnId } = draft.metadata;
  checkNewSchema(schema, formatVersion);
  const text = schemaText(schema);
  const same = schemas.find((candidate) => schemaText(candidate) === text);
  const schemaId =
    same?.schemaId ??
    nextId(
      schemas.map((candidate) => candidate.schemaId),
      0,
    );
  if (!same) {
    change(draft, {
      schemas: [...schemas, { ...schema, schemaId }],
      lastColumnId: Math.max(lastColumnId, highestFieldId(schema)),
    });
  }
  draft.lastAddedSchemaId = schemaId;
}

export function setCurrentSchema(draft: MetadataDraft, schemaId: number): void {
  const id = resolveId(schemaId, draft.lastAddedSchemaId, 'schema');
  if (!draft.metadata.schemas.some((schema) => schema.schemaId === id)) throw unknownId('schema', id);
  change(draft, { currentSchemaId: id });
}

export function removeSchemas(draft: MetadataDraft, schemaIds: readonly number[]): void {
  const { schemas, currentSchemaId } = draft.metadata;
  if (schemaIds.includes(currentSchemaId))
    throw invalidArgument(`The schema ${currentSchemaId} is current and can't be removed.`);
  if (schemas.some((schema) => schemaIds.includes(schema.schemaId))) {
    change(draft, { schemas: schemas.filter((schema) => !schemaIds.includes(schema.schemaId)) });
  }
}

export function addSpec(draft: MetadataDraft, spec: UnboundPartitionSpec): void {
  const { partitionSpecs, lastPartitionId } = draft.metadata;
  const schema = currentSchema(draft.metadata);
  checkPartitionFields(schema, spec.fields, { severalTimeUnits: true });
  const same = partitionSpecs.find((candidate) => partitionFieldsEqual(candidate.fields, spec.fields));
  const specId =
    same?.specId ??
    nextId(
      partitionSpecs.map((candidate) => candidate.specId),
      0,
    );
  if (!same) {
    const fields = withFieldIds(draft.metadata, spec.fields);
    checkSources(fields, schema, 'partition');
    change(draft, {
      partitionSpecs: [...partitionSpecs, { ...spec, specId, fields }],
      lastPartitionId: fields.reduce((last, field) => Math.max(last, field.fieldId), lastPartitionId),
    });
  }
  draft.lastAddedSpecId = specId;
}

/**
 * Fields keep the id they come with, or get that of an equal field of any spec, or a new one (spec: "Partition
 * Evolution"). In v1 ids are positions: nothing else would be read back, since they are not written there.
 */
function withFieldIds(metadata: TableMetadata, fields: UnboundPartitionSpec['fields']): readonly PartitionField[] {
  const taken = new Set(fields.map((field) => field.fieldId));
  let lastId = metadata.lastPartitionId;
  const earlier = metadata.partitionSpecs.flatMap((spec) => spec.fields);
  const result = fields.map((field, i): PartitionField => {
    if (metadata.formatVersion === 1) {
      const fieldId = FIRST_PARTITION_FIELD_ID + i;
      if ((field.fieldId ?? fieldId) === fieldId) return { ...field, fieldId };
      throw invalidArgument(`In format version 1 the partition field '${field.name}' must have the id ${fieldId}.`);
    }
    const equal = earlier.find((candidate) => !taken.has(candidate.fieldId) && isSameField(candidate, field));
    const fieldId = field.fieldId ?? equal?.fieldId ?? ++lastId;
    taken.add(fieldId);
    lastId = Math.max(lastId, fieldId);
    return { ...field, fieldId };
  });
  const twice = result.find((field, i) => result.findIndex((other) => other.fieldId === field.fieldId) !== i);
  if (twice) throw invalidArgument(`Two partition fields have the id ${twice.fieldId}.`);
  return result;
}

function isSameField(a: PartitionField, b: Omit<PartitionField, 'fieldId'>): boolean {
  return a.sourceIds.join(',') === b.sourceIds.join(',') && transformsEqual(a.transform, b.transform);
}

export function setDefaultSpec(draft: MetadataDraft, specId: number): void {
  const id = resolveId(specId, draft.lastAddedSpecId, 'partition spec');
  if (!draft.metadata.partitionSpecs.some((spec) => spec.specId === id)) throw unknownId('partition spec', id);
  change(draft, { defaultSpecId: id });
}

export function removeSpecs(draft: MetadataDraft, specIds: readonly number[]): void {
  const { partitionSpecs, defaultSpecId } = draft.metadata;
  if (specIds.includes(defaultSpecId))
    throw invalidArgument(`The partition spec ${defaultSpecId} is the default and can't be removed.`);
  if (partitionSpecs.some((spec) => specIds.includes(spec.specId))) {
    change(draft, { partitionSpecs: partitionSpecs.filter((spec) => !specIds.includes(spec.specId)) });
  }
}

export function addSortOrder(draft: MetadataDraft, fields: readonly SortField[]): void {
  const { sortOrders } = draft.metadata;
  const same = sortOrders.find((order) => sortFieldsEqual(order.fields, fields));
  const newId =
    fields.length === 0
      ? UNSORTED.orderId
      : nextId(
          sortOrders.map((order) => order.orderId),
          1,
        );
  const orderId = same?.orderId ?? newId;
  if (!same) {
    checkSources(fields, currentSchema(draft.metadata), 'sort');
    change(draft, { sortOrders: [...sortOrders, { orderId, fields }] });
  }
  draft.lastAddedSortOrderId = orderId;
}

export function setDefaultSortOrder(draft: MetadataDraft, sortOrderId: number): void {
  const id = resolveId(sortOrderId, draft.lastAddedSortOrderId, 'sort order');
  if (!draft.metadata.sortOrders.some((order) => order.orderId === id)) throw unknownId('sort order', id);
  change(draft, { defaultSortOrderId: id });
}

/** The default spec and sort order must fit the current schema, whichever of them changed last. */
export function checkDefinitions(metadata: TableMetadata): void {
  const schema = currentSchema(metadata);
  const spec = metadata.partitionSpecs.find(
    (candidate) => candidate.specId === metadata.defaultSpecId,
  ) as PartitionSpec;
  const order = metadata.sortOrders.find((candidate) => candidate.orderId === metadata.defaultSortOrderId);
  checkSources(spec.fields, schema, 'partition');
  checkSources(order?.fields ?? [], schema, 'sort');
}

function checkSources(
  fields: readonly { readonly sourceIds: readonly number[]; readonly transform: Transform }[],
  schema: Schema,
  what: 'partition' | 'sort',
): void {
  for (const { sourceIds, transform } of fields) {
    // Void stands where a column was dropped; what an unknown transform takes is unknown too.
    if (transform.kind === 'void' || transform.kind === 'unknown') continue;
    for (const id of sourceIds) {
      const source = findField(schema, id);
      if (!source) {
        throw invalidArgument(
          `The table's ${what} field ${transformToText(transform)} is of the column ${id}, which the schema lacks.`,
        );
      }
      if (!transformAccepts(transform, source.type)) {
        throw invalidArgument(
          `The table's ${what} field ${transformToText(transform)} doesn't take '${source.name}' of type ${typeToText(source.type)}.`,
        );
      }
    }
  }
}

function schemaText(schema: Schema): string {
  return stringifyJson(schemaToJson({ ...schema, schemaId: 0 }));
}

function nextId(ids: readonly number[], first: number): number {
  return ids.reduce((next, id) => Math.max(next, id + 1), first);
}

function resolveId(id: number, lastAdded: number | null, what: string): number {
  if (id !== LAST_ADDED) return id;
  if (lastAdded === null) throw invalidArgument(`There is no last added ${what}: none was added before.`);
  return lastAdded;
}

function unknownId(what: string, id: number): Error {
  return invalidArgument(`The table has no ${what} ${id}.`);
}
