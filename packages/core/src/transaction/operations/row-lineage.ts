import type { Column, ColumnBatch, NumbersColumn } from '../../columns/column.ts';
import { constantColumn } from '../../columns/constant.ts';
import { takeRows } from '../../columns/take.ts';
import { METADATA_COLUMNS } from '../../read/metadata-columns.ts';
import type { MetadataColumn } from '../../read/metadata-columns.ts';
import type { Schema } from '../../spec/schema.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';

/** What rows take along when they are written anew (spec: "Row Lineage"): none before format version 3. */
const LINEAGE: readonly MetadataColumn[] = ['_row_id', '_last_updated_sequence_number'];
const ROW_ID = 0;

export function lineageColumns({ formatVersion }: TableMetadata): readonly MetadataColumn[] {
  return formatVersion >= 3 ? LINEAGE : [];
}

/** The table's columns, and the lineage behind them. */
export function schemaWithLineage(schema: Schema, columns: readonly MetadataColumn[]): Schema {
  if (columns.length === 0) return schema;
  return { ...schema, fields: [...schema.fields, ...columns.map((name) => METADATA_COLUMNS[name])] };
}

/** A row that was changed keeps its id; when it was changed is inherited from the file. */
export function changedLineage(lineage: readonly Column[], length: number): readonly Column[] {
  return lineage.map((column, i) => (i === ROW_ID ? column : unknownLongs(length)));
}

/** New rows inherit both. */
export function newLineage(columns: readonly MetadataColumn[], length: number): readonly Column[] {
  return columns.map(() => unknownLongs(length));
}

/**
 * Of rows as a transaction sees them, the lineage that will last. What its own changes were given is a preview: when
 * other writers commit first, the commit gives out other row ids and another sequence number, so these are left to be
 * inherited again.
 */
export function committedLineage(
  name: MetadataColumn,
  column: Column,
  { nextRowId, lastSequenceNumber }: Pick<TableMetadata, 'nextRowId' | 'lastSequenceNumber'>,
): Column {
  if (!LINEAGE.includes(name)) return column;
  const limit = committedLimit(name, { nextRowId, lastSequenceNumber });
  const values = (column as NumbersColumn).values as BigInt64Array;
  return takeRows(
    column,
    Int32Array.from(values, (value, row) => (value < limit ? row : -1)),
  );
}

/** The least value of a lineage column that is a preview. */
export function committedLimit(
  name: MetadataColumn,
  { nextRowId, lastSequenceNumber }: Pick<TableMetadata, 'nextRowId' | 'lastSequenceNumber'>,
): bigint {
  return name === '_row_id' ? nextRowId : lastSequenceNumber + 1n;
}

function unknownLongs(length: number): Column {
  return constantColumn({ kind: 'long' }, null, length);
}

/** Splits a batch into the first `count` columns, and the rest. */
export function splitColumns(
  { columns }: ColumnBatch,
  count: number,
): readonly [first: readonly Column[], rest: readonly Column[]] {
  return [columns.slice(0, count), columns.slice(count)];
}
