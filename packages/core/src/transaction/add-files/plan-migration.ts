import { invalidArgument, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { Runtime } from '../../runtime.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import { assignIds, freshIds } from '../../spec/assign-ids.ts';
import type { PartitionFieldInput } from '../../spec/inputs.ts';
import { DEFAULT_FORMAT_VERSION } from '../../spec/new-table-metadata.ts';
import { partitionBy } from '../../spec/partition-by.ts';
import type { ColumnType } from '../../spec/schema-builder.ts';
import type { Schema } from '../../spec/schema.ts';
import type { FormatVersion } from '../../spec/table-metadata.ts';
import type { NestedField } from '../../spec/types.ts';
import { FileSchemaUnion } from './infer-file-schema.ts';
import { inferPartitionColumns } from './infer-partition-columns.ts';
import { selectFiles } from './select-files.ts';
import type { DirectorySelection, SelectedFile } from './select-files.ts';
import { readFooter } from './stored-file.ts';

/** What becomes a table. */
export interface MigrationSource {
  /** A directory of Parquet files, maybe in Hive's layout (`country=KR/…`), or those files of it that a pattern means. */
  readonly source: string | DirectorySelection;
  /** The columns, those of the directories included; inferred from all files if left out. */
  readonly schema?: Schema | undefined;
  /** Types of columns that only directories tell, where int, long, date or string, as they look, are not what they are. */
  readonly partitionTypes?: Readonly<Record<string, ColumnType>> | undefined;
  /** By the columns of the directories, as they are, if left out. */
  readonly partitionBy?: readonly PartitionFieldInput[] | undefined;
  readonly formatVersion?: FormatVersion | undefined;
}

export interface MigrationPlan {
  readonly schema: Schema;
  readonly partitionBy: readonly PartitionFieldInput[];
  readonly files: readonly SelectedFile[];
}

export interface MigrationContext {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal | undefined;
}

/** Finds the files, and what table they make. Nothing is written. */
export async function planMigration(source: MigrationSource, context: MigrationContext): Promise<MigrationPlan> {
  const { io, runtime, signal } = context;
  const files = await selectFiles(io, source.source, { concurrency: runtime.concurrency, signal });
  const directories = inferPartitionColumns(files);
  const { partitionTypes = {} } = source;
  const stray = Object.keys(partitionTypes).find((name) => !directories.some((column) => column.name === name));
  if (stray !== undefined) throw invalidArgument(`No directory is named after '${stray}', which has a partition type.`);
  const columns = directories.map(({ name, type }) => ({ name, type: partitionTypes[name]?.type ?? type }));
  return {
    files,
    schema: source.schema ?? (await inferSchema(files, columns, source.formatVersion, context)),
    partitionBy: source.partitionBy ?? directories.map(({ name }) => partitionBy.identity(name)),
  };
}

/** The columns of the files, then those that only their directories tell. */
async function inferSchema(
  files: readonly SelectedFile[],
  directories: readonly Pick<NestedField, 'name' | 'type'>[],
  formatVersion: FormatVersion = DEFAULT_FORMAT_VERSION,
  { io, runtime, signal }: MigrationContext,
): Promise<Schema> {
  const union = new FileSchemaUnion(formatVersion);
  const footers = lookAhead(files, runtime.concurrency, async (file) => {
    throwIfAborted(signal);
    return [file.location, await readFooter(io, file, signal)] as const;
  });
  for await (const [location, footer] of footers) union.add(footer, location);
  const columns = union.columns();
  const more = directories
    .filter(({ name }) => !columns.some((column) => column.name === name))
    .map(({ name, type }): NestedField => ({ id: 0, name, required: false, type }));
  const struct = assignIds({ kind: 'struct', fields: [...columns, ...more] }, freshIds(1).newId);
  return { ...struct, schemaId: 0, identifierFieldIds: [] };
}
