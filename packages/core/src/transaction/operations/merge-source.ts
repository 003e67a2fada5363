import type { ColumnBatch } from '../../columns/column.ts';
import { concatBatches } from '../../columns/concat.ts';
import { nullColumn } from '../../columns/constant.ts';
import type { Schema } from '../../spec/schema.ts';
import type { NestedField, StructType } from '../../spec/types.ts';
import { inferSchema } from '../../write/infer-columns.ts';
import { inputBatches } from '../../write/input.ts';
import type { AppendData } from '../../write/input.ts';

/** The rows of a source, all of them in memory: they are looked up by key, and again if the commit meets a conflict. */
export interface MergeSource {
  readonly rows: ColumnBatch;
  /** The table's columns, then those that only the source has. */
  readonly schema: StructType;
}

/** Rows that fit the table, as appended ones do. */
export async function readUpserts(
  data: AppendData,
  schema: Schema,
  signal: AbortSignal | undefined,
): Promise<MergeSource> {
  return { rows: await readAll(data, schema, signal), schema };
}

/** Rows of any columns: those that the table lacks are there for conditions and functions, and none is required. */
export async function readSource(
  data: AppendData,
  schema: Schema,
  signal: AbortSignal | undefined,
): Promise<MergeSource> {
  // Nothing of it is stored, so any version's types will do.
  const { newColumns, data: input } = await inferSchema(data, schema, { formatVersion: 3, unknownTypes: true });
  const names = new Set(schema.fields.map((field) => field.name));
  const more = (newColumns?.fields ?? []).filter((field) => !names.has(field.name));
  const fields = [...schema.fields.map((field): NestedField => ({ ...field, required: false })), ...more];
  const source: StructType = { kind: 'struct', fields };
  return { rows: await readAll(input, source, signal), schema: source };
}

async function readAll(data: AppendData, schema: StructType, signal: AbortSignal | undefined): Promise<ColumnBatch> {
  const batches: ColumnBatch[] = [];
  for await (const batch of inputBatches(data, schema, signal ? { signal } : {})) batches.push(batch);
  if (batches.length > 0) return concatBatches(batches);
  return { length: 0, columns: schema.fields.map((field) => nullColumn(field.type, 0)) };
}
