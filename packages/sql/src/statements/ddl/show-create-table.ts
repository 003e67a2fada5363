import type { PartitionFieldInput, SortFieldInput, Table } from '@lh/core';
import { indexById, invalidArgument } from '@lh/core/engine';
import type { TablePlace } from '../../query/table-resolver.ts';
import { describedTable } from './described-table.ts';
import { columnDefinition, columnText, nameText, stringText, transformText } from './definition-text.ts';

/** A statement that makes a table like this one, where it is missing. INVALID_ARGUMENT for transforms without a name. */
export function createStatement(name: readonly string[], table: Table, place: TablePlace | null): string {
  const { schema, partitionBy = [], sortBy = [], formatVersion } = describedTable(table);
  const { comment, ...properties } = table.properties;
  const index = indexById(schema);
  const keys = schema.identifierFieldIds.map((id) => columnText(index.get(id)!.path.join('.')));
  const lines = [
    ...schema.fields.map(columnDefinition),
    ...(keys.length > 0 ? [`PRIMARY KEY (${keys.join(', ')})`] : []),
  ];
  const settings = Object.entries({ 'format-version': String(formatVersion), ...properties });
  const settingTexts = settings.map(([key, value]) => `${stringText(key)} = ${stringText(value)}`);
  return [
    `CREATE TABLE ${name.map(nameText).join('.')} (\n  ${lines.join(',\n  ')}\n)`,
    'USING iceberg',
    ...(partitionBy.length > 0 ? [`PARTITIONED BY (${partitionBy.map(partitionText).join(', ')})`] : []),
    ...(sortBy.length > 0 ? [`ORDERED BY (${sortBy.map(sortText).join(', ')})`] : []),
    ...(isUsualLocation(table, place) ? [] : [`LOCATION ${stringText(table.location)}`]),
    ...(comment === undefined ? [] : [`COMMENT ${stringText(comment)}`]),
    `TBLPROPERTIES (\n  ${settingTexts.join(',\n  ')}\n)`,
  ].join('\n');
}

/** Whether the catalog would put a table of this name there by itself. */
function isUsualLocation({ location }: Table, place: TablePlace | null): boolean {
  if (place === null) return false;
  const { warehouse } = place.catalog as { readonly warehouse?: unknown };
  return typeof warehouse === 'string' && [warehouse, ...place.path].join('/') === location;
}

function partitionText({ column, transform, name }: PartitionFieldInput): string {
  return `${transformText(column, transform)}${name === undefined ? '' : ` AS ${nameText(name)}`}`;
}

function sortText(input: SortFieldInput): string {
  if (typeof input === 'string') return columnText(input);
  const { field, transform = { kind: 'identity' }, direction = 'asc', nulls } = input;
  if (nulls === undefined) throw invalidArgument(`The order of nulls in '${field}' is unknown.`);
  return `${transformText(field, transform)} ${direction.toUpperCase()} NULLS ${nulls.toUpperCase()}`;
}
