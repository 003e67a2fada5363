import { ENTRY_FIELD, FILE_FIELD, manifestEntryType } from '../manifest/manifest-schema.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import { highestFieldId } from '../spec/schema-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { INT, optional, struct } from './field-builders.ts';
import { unifiedPartitionType } from './partition-union.ts';
import { readableMetrics } from './readable-metrics-type.ts';
import type { ReadableMetrics } from './readable-metrics-type.ts';

/** Not stored in manifests: each of them is of one spec. */
export const SPEC_ID = 141;

/** What the tables of files and entries have in common. */
export interface FileTables {
  /** A manifest entry of any version, as it is stored, with the partitions of all specs in one struct. */
  readonly stored: StructType;
  readonly partition: StructType;
  readonly metrics: ReadableMetrics;
  /** The schema of `files` and its kin. */
  readonly files: StructType;
  /** The schema of `entries` and `all_entries`. */
  readonly entries: StructType;
}

export function fileTables(metadata: TableMetadata): FileTables {
  const partition = unifiedPartitionType(metadata);
  const stored = manifestEntryType(3, partition);
  const file = dataFileFields(stored);
  const entry = stored.fields.map((field) =>
    field.id === ENTRY_FIELD.dataFile ? { ...field, type: struct(file) } : field,
  );
  const partitionIds = metadata.partitionSpecs.flatMap(({ fields }) => fields.map(({ fieldId }) => fieldId));
  const highestId = Math.max(highestFieldId(struct(entry)), ...partitionIds);
  const metrics = readableMetrics(currentSchema(metadata), highestId + 1);
  return {
    stored,
    partition,
    metrics,
    files: struct([...file, metrics.field]),
    entries: struct([...entry, metrics.field]),
  };
}

/** As stored, but for the spec id, and for a partition of no fields: an empty struct is nothing that engines like. */
function dataFileFields(entry: StructType): readonly NestedField[] {
  const { type } = entry.fields.find(({ id }) => id === ENTRY_FIELD.dataFile)!;
  return (type as StructType).fields.flatMap((field): NestedField[] => {
    switch (field.id) {
      case FILE_FIELD.content:
        return [{ ...field, required: false }];
      case FILE_FIELD.fileFormat:
        return [field, optional(SPEC_ID, 'spec_id', INT, 'Partition spec')];
      case FILE_FIELD.partition:
        return (field.type as StructType).fields.length === 0 ? [] : [field];
      default:
        return [field];
    }
  });
}
