import { stringifyJson } from '../spec/json.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import { NAME_MAPPING_PROPERTY, nameMappingToJson, tableNameMapping, updateNameMapping } from '../spec/name-mapping.ts';
import { fieldPath, findFieldByName } from '../spec/schema-fields.ts';
import { schemaToJson } from '../spec/schema-json.ts';
import type { Schema } from '../spec/schema.ts';
import type { Properties } from '../spec/table-properties.ts';
import type { MetadataAction, Updates } from './action.ts';
import { SchemaUpdate } from './update-schema.ts';

/**
 * Describes a change of the schema on the builder. Called again for each attempt to commit, so that it applies to
 * what other writers have made of the schema.
 */
export type SchemaChange = (schema: SchemaUpdate) => unknown;

/** Makes the changed schema the current one; an equal older schema is used again. Properties that name columns follow. */
export function evolveSchemaAction(change: SchemaChange): MetadataAction {
  return {
    build(metadata) {
      const before = currentSchema(metadata);
      const update = new SchemaUpdate(metadata);
      change(update);
      const { schema } = update.apply();
      if (sameSchema(schema, before)) return [];
      return [
        { action: 'add-schema', schema },
        { action: 'set-current-schema', schemaId: -1 },
        ...renameInProperties(metadata.properties, before, schema),
      ];
    },
  };
}

function sameSchema(a: Schema, b: Schema): boolean {
  const textOf = (schema: Schema): string => stringifyJson(schemaToJson({ ...schema, schemaId: 0 }));
  return textOf(a) === textOf(b);
}

const COLUMN_METRICS = 'write.metadata.metrics.column.';

/** The name mapping learns new names; settings of a column's metrics move to its new name, or go with the column. */
function renameInProperties(properties: Properties, before: Schema, after: Schema): Updates {
  const updates: Record<string, string> = {};
  const removals: string[] = [];
  const mapping = tableNameMapping(properties);
  if (mapping !== null) {
    updates[NAME_MAPPING_PROPERTY] = nameMappingToJson(updateNameMapping(mapping, before, after));
  }
  for (const [key, value] of Object.entries(properties)) {
    if (!key.startsWith(COLUMN_METRICS)) continue;
    const name = key.slice(COLUMN_METRICS.length);
    const id = findFieldByName(before, name)?.field.id;
    const newName = id === undefined ? name : fieldPath(after, id)?.join('.');
    if (newName === name) continue;
    removals.push(key);
    if (newName !== undefined) updates[COLUMN_METRICS + newName] = value;
  }
  return [
    ...(removals.length > 0 ? [{ action: 'remove-properties', removals } as const] : []),
    ...(Object.keys(updates).length > 0 ? [{ action: 'set-properties', updates } as const] : []),
  ];
}
