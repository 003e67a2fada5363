import { unsupported } from '../errors.ts';
import { applyUpdates } from '../spec/apply-updates.ts';
import { currentSchema, currentSpec } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { writeInput } from '../write/data-file-writer.ts';
import { inferSchema } from '../write/infer-columns.ts';
import type { AppendData } from '../write/input.ts';
import { evolveSchemaAction } from './evolve-schema.ts';
import type { SchemaChange } from './evolve-schema.ts';
import type { StagedData } from './staged-data.ts';
import { stagingOptions } from './staging-options.ts';
import type { StageOptions } from './transaction-options.ts';
import type { TransactionState } from './transaction-state.ts';

export interface StagedAppend {
  readonly data: StagedData;
  /** With `mergeSchema`: what makes the table's schema that of the data. */
  readonly schemaChange: SchemaChange | null;
}

/** Writes data files that fit the transaction's version of the table. Null if there are no rows. */
export async function stageAppend(
  data: AppendData,
  options: StageOptions,
  state: TransactionState,
): Promise<StagedAppend | null> {
  const { host, base } = state;
  const { metadata, input, schemaChange } = options.mergeSchema
    ? await mergeSchema(data, state)
    : { metadata: state.metadata, input: data, schemaChange: null };
  refuseEncrypted(metadata, host.operations.name);
  const schema = currentSchema(metadata);
  const spec = currentSpec(metadata);
  const files = await writeInput(input, host.writer, stagingOptions(metadata, state));
  if (files.length === 0) return null;
  return { data: { files, schema, spec, lastColumnId: base.metadata.lastColumnId }, schemaChange };
}

/** The version of the table that has the data's new columns, too. */
async function mergeSchema(
  data: AppendData,
  { metadata, host }: TransactionState,
): Promise<{
  readonly metadata: TableMetadata;
  readonly input: AppendData;
  readonly schemaChange: SchemaChange | null;
}> {
  const { formatVersion } = metadata;
  const { newColumns, data: input } = await inferSchema(data, currentSchema(metadata), { formatVersion });
  if (newColumns === null) return { metadata, input, schemaChange: null };
  const schemaChange: SchemaChange = (schema) => schema.unionByName(newColumns);
  const updates = evolveSchemaAction(schemaChange).build(metadata);
  const context = { nowMs: host.runtime.now(), baseMetadataLocation: null };
  return { metadata: applyUpdates(metadata, updates, context), input, schemaChange };
}

/** Plain files in an encrypted table would be worse than none (spec: "Encryption Keys"). */
export function refuseEncrypted({ properties }: TableMetadata, table: string): void {
  if (properties['encryption.key-id'] === undefined) return;
  throw unsupported(`Table ${table} is encrypted; encrypted tables can't be written yet.`, { table });
}
