import type { JsonObject, JsonValue } from '@lh/core/engine';
import type { DataFile, PartitionSpec, Schema, Table, TableMetadata } from '@lh/core';

import { partitionType } from '../../packages/core/src/manifest/partition-type.ts';
import { readManifestList } from '../../packages/core/src/manifest/read-manifest-list.ts';
import { readManifest } from '../../packages/core/src/manifest/read-manifest.ts';
import { stringifyJson } from '../../packages/core/src/spec/json.ts';
import type { ManifestEntry, ManifestFile } from '../../packages/core/src/spec/manifest.ts';
import { currentSchema, currentSnapshot, specById } from '../../packages/core/src/spec/metadata-accessors.ts';
import { findField } from '../../packages/core/src/spec/schema-fields.ts';
import { valueFromJson, valueToJson } from '../../packages/core/src/spec/single-value-json.ts';
import { partitionPath } from '../../packages/core/src/transforms/partition-path.ts';
import { FIXTURE_ROOT } from './fixtures.ts';
import type { ExpectedTable } from './fixtures.ts';

type Entry = Readonly<Record<string, unknown>>;

/** Every live entry of the current snapshot's manifests in the expectations' form, and the ones expected. */
export async function liveEntries(
  table: Table,
  expected: ExpectedTable,
): Promise<{ readonly found: readonly Entry[]; readonly expected: readonly Entry[] }> {
  const { io, metadata } = table;
  const snapshot = currentSnapshot(metadata);
  const found: Entry[] = [];
  for (const manifest of snapshot ? await readManifestList(io, snapshot, metadata) : []) {
    const options = {
      specs: metadata.partitionSpecs,
      schema: currentSchema(metadata),
      otherSchemas: metadata.schemas,
      liveOnly: true,
    };
    for await (const batch of readManifest(io, manifest, options)) {
      found.push(...batch.map((entry) => foundEntry(entry, manifest, metadata)));
    }
  }
  const wanted = expected.exact.liveFiles.map((entry) => expectedEntry(entry, metadata));
  return { found: sorted(found), expected: sorted(wanted) };
}

const CONTENTS = { data: 0, 'position-deletes': 1, 'equality-deletes': 2 } as const;

function foundEntry({ file, ...entry }: ManifestEntry, manifest: ManifestFile, metadata: TableMetadata): Entry {
  const spec = specById(metadata, file.specId);
  return {
    manifest: relative(manifest.path),
    path: relative(file.path),
    content: CONTENTS[file.content],
    format: file.format,
    recordCount: file.recordCount,
    fileSizeInBytes: file.fileSizeInBytes,
    specId: file.specId,
    partition: file.partition.map((value, i) => stringifyJson(valueToJson(typesOf(spec, metadata)[i]!, value))),
    partitionPath: partitionPath(spec, schemaOfSources(spec, metadata), file.partition),
    dataSequenceNumber: String(entry.sequenceNumber),
    fileSequenceNumber: String(entry.fileSequenceNumber),
    firstRowId: file.firstRowId === null ? null : String(file.firstRowId),
    columnSizes: byFieldId(file.columnSizes, Number),
    valueCounts: byFieldId(file.valueCounts, Number),
    nullValueCounts: byFieldId(file.nullValueCounts, Number),
    nanValueCounts: byFieldId(file.nanValueCounts, Number),
    lowerBounds: byFieldId(file.lowerBounds, hex),
    upperBounds: byFieldId(file.upperBounds, hex),
    keyMetadata: file.keyMetadata && hex(file.keyMetadata),
    splitOffsets: file.splitOffsets,
    sortOrderId: file.sortOrderId,
    equalityIds: file.equalityIds,
    referencedDataFile: file.referencedDataFile && relative(file.referencedDataFile),
    contentOffset: file.contentOffset,
    contentSizeInBytes: file.contentSizeInBytes,
  };
}

function expectedEntry(entry: JsonObject, metadata: TableMetadata): Entry {
  const spec = specById(metadata, entry['specId'] as number);
  const types = typesOf(spec, metadata);
  const get = (name: string): JsonValue => entry[name] ?? null;
  const id = (name: string): string | null => (get(name) === null ? null : String(get(name)));
  return {
    manifest: get('manifest'),
    path: get('path'),
    content: get('content'),
    format: get('format'),
    recordCount: get('recordCount'),
    fileSizeInBytes: get('fileSizeInBytes'),
    specId: get('specId'),
    // Through the library's own form: a time has several spellings.
    partition: (get('partition') as readonly JsonValue[]).map((value, i) =>
      stringifyJson(valueToJson(types[i]!, valueFromJson(types[i]!, value))),
    ),
    partitionPath: get('partitionPath'),
    dataSequenceNumber: id('dataSequenceNumber'),
    fileSequenceNumber: id('fileSequenceNumber'),
    firstRowId: id('firstRowId'),
    columnSizes: get('columnSizes'),
    valueCounts: get('valueCounts'),
    nullValueCounts: get('nullValueCounts'),
    nanValueCounts: get('nanValueCounts'),
    lowerBounds: get('lowerBounds'),
    upperBounds: get('upperBounds'),
    keyMetadata: get('keyMetadata'),
    splitOffsets: get('splitOffsets'),
    sortOrderId: get('sortOrderId'),
    equalityIds: get('equalityIds'),
    referencedDataFile: get('referencedDataFile'),
    contentOffset: get('contentOffset'),
    contentSizeInBytes: get('contentSizeInBytes'),
  };
}

/** Types of a spec's partition values. */
function typesOf(spec: PartitionSpec, metadata: TableMetadata) {
  return partitionType(spec, schemasNewestFirst(metadata)).fields.map(({ type }) => type);
}

/** A schema that has all source columns of a spec: they may have been dropped since. */
function schemaOfSources(spec: PartitionSpec, metadata: TableMetadata): Schema {
  const ids = spec.fields.map(({ sourceIds }) => sourceIds[0]!);
  const schemas = schemasNewestFirst(metadata);
  return schemas.find((schema) => ids.every((id) => findField(schema, id))) ?? schemas[0]!;
}

function schemasNewestFirst(metadata: TableMetadata): readonly Schema[] {
  return [currentSchema(metadata), ...metadata.schemas.toReversed()];
}

function byFieldId<T>(
  map: ReadonlyMap<number, T> | null,
  format: (value: T) => string | number,
): Readonly<Record<string, string | number>> | null {
  return map && Object.fromEntries(Array.from(map, ([id, value]) => [String(id), format(value)]));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function relative(location: DataFile['path']): string {
  return location.replace(FIXTURE_ROOT, '');
}

function sorted(entries: readonly Entry[]): readonly Entry[] {
  const key = ({ path, contentOffset }: Entry): string => `${String(path)} ${String(contentOffset)}`;
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
