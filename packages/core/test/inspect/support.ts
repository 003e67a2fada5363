import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';

import type { BoundExpression, BoundPredicate } from '../../src/expr/bound-expression.ts';
import { referencedFieldIds } from '../../src/expr/referenced.ts';
import type { InspectedTable } from '../../src/inspect/metadata-table-definition.ts';
import type { MetadataTableName } from '../../src/inspect/metadata-table-name.ts';
import { openMetadataTable } from '../../src/inspect/open-metadata-table.ts';
import type { ReadColumnsOptions } from '../../src/inspect/open-metadata-table.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { writeManifestList } from '../../src/manifest/write-manifest-list.ts';
import { writeManifest } from '../../src/manifest/write-manifest.ts';
import type { NewManifestEntry } from '../../src/manifest/write-manifest.ts';
import type { ManifestContent, ManifestFile } from '../../src/spec/manifest.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { indexById } from '../../src/spec/schema-fields.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { isPrimitive } from '../../src/spec/types.ts';
import type { StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { columnTerm, combined, evaluate, predicateOn } from '../expr/expressions.ts';
import { ALL_SCHEMA, ALL_SPEC, SNAPSHOT_ID, newEntries } from '../manifest/arbitraries.ts';
import { rowsOf } from '../write/support.ts';

/** A manifest to be written. */
export interface ManifestInput {
  readonly content: ManifestContent;
  readonly entries: readonly NewManifestEntry[];
}

export function manifestInputs(version: FormatVersion): Arbitrary<readonly ManifestInput[]> {
  const content = version === 1 ? fc.constant('data' as const) : fc.constantFrom<ManifestContent>('data', 'deletes');
  const manifest = content.chain((one) => newEntries(version, one).map((entries) => ({ content: one, entries })));
  return fc.array(manifest, { minLength: 1, maxLength: 3 });
}

export interface WrittenTable {
  readonly table: InspectedTable;
  readonly manifests: readonly ManifestFile[];
}

export interface TableShape {
  readonly io?: MemoryFileIO;
  readonly schema?: Schema;
  readonly spec?: PartitionSpec;
}

/** A table of one snapshot with these manifests. */
export async function tableOf(
  version: FormatVersion,
  inputs: readonly ManifestInput[],
  { io = new MemoryFileIO(), schema = ALL_SCHEMA, spec = ALL_SPEC }: TableShape = {},
): Promise<WrittenTable> {
  const written: ManifestFile[] = [];
  for (const [i, { content, entries }] of inputs.entries()) {
    const location = `s3://b/t/metadata/m${i}.avro`;
    const options = { io, location, formatVersion: version, schema, spec, content, snapshotId: SNAPSHOT_ID };
    written.push(await writeManifest(options, entries));
  }
  const location = 's3://b/t/metadata/snap.avro';
  const snapshot = { snapshotId: SNAPSHOT_ID, parentSnapshotId: null, sequenceNumber: version === 1 ? 0n : 7n };
  const list = { io, location, formatVersion: version, ...snapshot, ...(version === 3 && { firstRowId: 100n }) };
  const { manifests } = await writeManifestList(list, written);
  const metadata = metadataOf(version, location, schema, spec);
  return { table: { io, metadata, metadataLocation: 's3://b/t/metadata/v1.json' }, manifests };
}

function metadataOf(
  formatVersion: FormatVersion,
  manifestList: string,
  schema: Schema,
  spec: PartitionSpec,
): TableMetadata {
  // Which types a version has is no matter of manifests.
  const empty = { ...schema, fields: [], identifierFieldIds: [] };
  const created = newTableMetadata({ schema: empty, formatVersion, location: 's3://b/t', uuid: '0-0-0-0-0', nowMs: 0 });
  return {
    ...created,
    schemas: [schema],
    currentSchemaId: schema.schemaId,
    partitionSpecs: [spec],
    defaultSpecId: spec.specId,
    currentSnapshotId: SNAPSHOT_ID,
    snapshots: [
      {
        snapshotId: SNAPSHOT_ID,
        parentSnapshotId: null,
        sequenceNumber: formatVersion === 1 ? 0n : 7n,
        timestampMs: 1,
        manifestList,
        manifests: null,
        operation: 'append',
        summary: {},
        schemaId: schema.schemaId,
        firstRowId: formatVersion === 3 ? 100n : null,
        addedRows: null,
        keyId: null,
        unknownFields: {},
      },
    ],
  };
}

/** The rows of a metadata table as values, in the order of the projection's fields. */
export async function inspect(
  table: InspectedTable,
  name: MetadataTableName,
  options: ReadColumnsOptions = {},
): Promise<readonly (readonly Value[])[]> {
  const opened = openMetadataTable(table, name);
  const rows: (readonly Value[])[] = [];
  const type = options.projection ?? opened.schema;
  for await (const batch of opened.batches(options)) rows.push(...rowsOf(type, batch));
  return rows;
}

/** The value of a field at any depth of structs. */
export function valueAt(type: StructType, row: readonly Value[], id: number): Value {
  for (const [i, field] of type.fields.entries()) {
    const value = row[i]!;
    if (field.id === id) return value;
    if (field.type.kind !== 'struct' || value === null) continue;
    const found = valueAt(field.type, value as readonly Value[], id);
    if (found !== NOT_HERE) return found;
  }
  return NOT_HERE;
}

const NOT_HERE = Symbol('not here') as unknown as Value;

/** The ids of a schema's fields that are not inside lists and maps. */
export function selectableIds({ fields }: StructType): readonly number[] {
  return fields.flatMap(({ id, type }) => [id, ...(type.kind === 'struct' ? selectableIds(type) : [])]);
}

/** Filters of a metadata table by a few of its columns, with values that its rows have as literals. */
export function filtersOf(schema: StructType, rows: readonly (readonly Value[])[]): Arbitrary<BoundExpression> {
  const terms = selectableIds(schema).flatMap((id) => {
    const { field, path } = indexById(schema).get(id)!;
    return isPrimitive(field.type) && field.type.kind !== 'unknown'
      ? [{ ...columnTerm(field.type, id), field, path }]
      : [];
  });
  const predicate = fc.constantFrom(...terms).chain((term): Arbitrary<BoundPredicate> => {
    const values = rows.map((row) => valueAt(schema, row, term.field.id)).filter((value) => value !== null);
    return values.length === 0
      ? fc.record({ op: fc.constantFrom('isNull' as const, 'notNull' as const), term: fc.constant(term) })
      : predicateOn(term, fc.constantFrom(...values));
  });
  return combined(predicate);
}

/** Whether a row is one that the filter wants. */
export function matches(filter: BoundExpression, schema: StructType, row: readonly Value[]): boolean {
  const values = new Map<number, Value>();
  for (const id of referencedFieldIds(filter)) values.set(id, valueAt(schema, row, id));
  return evaluate(filter, values) === true;
}
