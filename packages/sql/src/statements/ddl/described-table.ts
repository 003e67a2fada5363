import type { CreateTableOptions, PartitionField, Schema, SortField, Table } from '@lh/core';
import { defaultPartitionName, indexById } from '@lh/core/engine';
import { PLACE_PROPERTIES } from './check-places.ts';
import type { Properties } from './properties.ts';

/** Properties that are about one table's files, or its field ids. */
const OWN_PROPERTIES: ReadonlySet<string> = new Set([...PLACE_PROPERTIES, 'schema.name-mapping.default']);

/** What would make a table like this one: schema, partitioning, order, version and properties. */
export function describedTable({ schema, spec, sortOrder, formatVersion, properties }: Table): CreateTableOptions & {
  readonly properties: Properties;
} {
  const own = Object.entries(properties).filter(([key]) => !OWN_PROPERTIES.has(key));
  return {
    schema,
    formatVersion,
    partitionBy: spec.fields.flatMap((field) => partitionInput(schema, field) ?? []),
    sortBy: sortOrder.fields.map((field) => sortInput(schema, field)),
    properties: Object.fromEntries(own),
  };
}

/** Null for a field that is left of a column which was dropped. */
function partitionInput(schema: Schema, { name, transform, sourceIds }: PartitionField) {
  const column = pathOf(schema, sourceIds[0]!);
  if (column === null) return null;
  return name === defaultPartitionName(column, transform) ? { column, transform } : { column, transform, name };
}

function sortInput(schema: Schema, { sourceIds, transform, direction, nullOrder }: SortField) {
  const nulls = nullOrder === 'nulls-first' ? ('first' as const) : ('last' as const);
  return { field: pathOf(schema, sourceIds[0]!) ?? '', transform, direction, nulls };
}

function pathOf(schema: Schema, id: number): string | null {
  return indexById(schema).get(id)?.path.join('.') ?? null;
}
