import { columnBuilder } from '../../../src/columns/builder.ts';
import { encodeRowGroup } from '../../../src/formats/parquet/encode.ts';
import type { FileIO } from '../../../src/io/file-io.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { readManifestList } from '../../../src/manifest/read-manifest-list.ts';
import { readManifest } from '../../../src/manifest/read-manifest.ts';
import type { DataFile } from '../../../src/spec/data-file.ts';
import { currentSnapshot } from '../../../src/spec/metadata-accessors.ts';
import { UNPARTITIONED_SPEC } from '../../../src/spec/partition-spec.ts';
import { schema } from '../../../src/spec/schema-builder.ts';
import type { Columns } from '../../../src/spec/schema-builder.ts';
import type { Schema } from '../../../src/spec/schema.ts';
import { UNSORTED } from '../../../src/spec/sort-order.ts';
import type { Table } from '../../../src/table.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { writeDataFiles } from '../../../src/write/data-writer.ts';
import { toBatches } from '../../../src/write/input.ts';
import { withoutFieldIds } from '../../read/without-ids.ts';

export type Rows = readonly Readonly<Record<string, unknown>>[];

export interface FileOptions {
  /** Whether the file says which column has which field id; false if left out. */
  readonly fieldIds?: boolean;
  readonly properties?: Readonly<Record<string, string>>;
}

/** A Parquet file as a job without Iceberg would have written it. */
export async function writeFile(
  io: FileIO,
  location: string,
  columns: Columns | Schema,
  rows: Rows,
  options: FileOptions = {},
): Promise<string> {
  const shape = 'kind' in columns ? (columns as Schema) : schema(columns as Columns);
  const staged = new MemoryFileIO();
  const [file] = await writeDataFiles(toBatches(rows, shape, {}), {
    io: staged,
    schema: shape,
    spec: UNPARTITIONED_SPEC,
    sortOrder: UNSORTED,
    properties: options.properties ?? {},
    locationFor: () => 'memory:/staged.parquet',
    runtime: new SeededRuntime(1),
  });
  const bytes = file === undefined ? await fileWithoutRows(shape) : await staged.read(file.path);
  await io.write(location, options.fieldIds ? bytes : withoutFieldIds(bytes));
  return location;
}

/** The table's data files as their manifests describe them, by path. */
export async function filesOf({ io, metadata, schema: shape }: Table): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  const snapshot = currentSnapshot(metadata);
  for (const manifest of snapshot === null ? [] : await readManifestList(io, snapshot, metadata)) {
    const options = { specs: metadata.partitionSpecs, schema: shape, otherSchemas: metadata.schemas, liveOnly: true };
    for await (const entries of readManifest(io, manifest, options)) files.push(...entries.map(({ file }) => file));
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function fileWithoutRows(shape: Schema): Promise<Uint8Array> {
  const columns = shape.fields.map(({ type }) => columnBuilder(type).finish());
  const encoding = { codec: 'uncompressed', pageSize: 1 << 20, dictionarySize: 1 << 20 } as const;
  return encodeRowGroup(shape, [{ length: 0, columns }], encoding);
}
