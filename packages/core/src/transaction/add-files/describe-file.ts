import { invalidArgument, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { absentValue } from '../../read/absent-values.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { currentSchema, currentSortOrder, currentSpec } from '../../spec/metadata-accessors.ts';
import { nameMappingOf, tableNameMapping } from '../../spec/name-mapping.ts';
import type { PartitionSpec, PartitionTuple } from '../../spec/partition-spec.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { Value } from '../../spec/values.ts';
import { metricsModes } from '../../write/metrics-config.ts';
import { parquetDataFile } from '../../write/parquet-data-file.ts';
import { filePartition } from './file-partition.ts';
import type { PartitionInput } from './file-partition.ts';
import { checkFit, missingColumn } from './fit-schema.ts';
import type { SelectedFile } from './select-files.ts';
import { checkFieldIds, extraColumn, readFooter, storedFile, withFieldIds } from './stored-file.ts';

export interface DescribeFileOptions {
  /** Values of partition fields by name, for all files or for the one at a location. */
  readonly partition?: PartitionInput | ((location: string) => PartitionInput | undefined) | undefined;
  readonly extraColumns?: 'ignore' | 'refuse' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file as a manifest describes it, and whether its columns are known by name only. */
export interface DescribedFile {
  /** Null for a file without rows. */
  readonly file: DataFile | null;
  readonly hasFieldIds: boolean;
}

/** Reads a file's footer and checks that the table can have it. See `addFiles` for what is refused. */
export async function describeFile(
  io: FileIO,
  selected: SelectedFile,
  metadata: TableMetadata,
  options: DescribeFileOptions,
): Promise<DescribedFile> {
  throwIfAborted(options.signal);
  const { location, hivePath } = selected;
  const [schema, spec] = [currentSchema(metadata), currentSpec(metadata)];
  const nameMapping = tableNameMapping(metadata.properties) ?? nameMappingOf(schema);
  const stored = storedFile(selected, await readFooter(io, selected, options.signal), nameMapping);
  const { hasFieldIds, rowGroups } = stored;
  checkFieldIds(stored, metadata.schemas, metadata.lastColumnId);
  const missing = checkFit(stored, schema, metadata.formatVersion);
  const extra = options.extraColumns === 'refuse' ? extraColumn(stored, schema) : undefined;
  if (extra !== undefined) {
    throw invalidArgument(`${location} can't be added: the table has no column for its '${extra}'.`, {
      path: location,
    });
  }
  if (rowGroups.length === 0) return { file: null, hasFieldIds };
  const given = typeof options.partition === 'function' ? options.partition(location) : options.partition;
  const partition = filePartition(stored, { schema, spec, nameMapping }, hivePath, given);
  const constants = identityValues(spec, partition);
  const lacking = missing.find((field) => absentValue(field, constants) === null);
  if (lacking) throw missingColumn(stored, [lacking.name]);
  const description = {
    location,
    size: selected.size,
    schema,
    specId: spec.specId,
    partition,
    sortOrderId: 0,
    modes: metricsModes(schema, metadata.properties, currentSortOrder(metadata)),
    values: new Map(),
  };
  const footer = { root: withFieldIds(stored, schema), leaves: stored.footer.leaves };
  const file = parquetDataFile(description, footer, rowGroups);
  return { file: { ...file, splitOffsets: inOrder(file.splitOffsets) }, hasFieldIds };
}

/** What is read of columns that the file lacks. */
function identityValues({ fields }: PartitionSpec, partition: PartitionTuple): ReadonlyMap<number, Value> {
  return new Map(
    fields.flatMap(({ transform, sourceIds }, i) =>
      transform.kind === 'identity' ? [[sourceIds[0]!, partition[i] ?? null] as const] : [],
    ),
  );
}

/** They must be ascending (spec: "Data File Fields"); row groups mostly lie one after the other. */
function inOrder(offsets: DataFile['splitOffsets']): DataFile['splitOffsets'] {
  return offsets?.every((offset, i) => i === 0 || offset > offsets[i - 1]!) ? offsets : null;
}
