// Four tables with the same 16 data files of rows like TPC-H's lineitem: one without deletes, and three with rows
// deleted by position, by deletion vector and by key. No public interface writes delete files yet, so they are put
// together out of core's parts.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { FileSystemCatalog, Table, schema, t, type DataFile, type Schema, type TableMetadata } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { columnBuilder } from '../../packages/core/dist/columns/builder.js';
import type { ColumnBatch } from '../../packages/core/dist/columns/column.js';
import { POSITION_DELETES } from '../../packages/core/dist/deletes/position-delete-file.js';
import { DELETION_VECTOR, encodeDeletionVector } from '../../packages/core/dist/formats/puffin/deletion-vector.js';
import { PositionBitmap } from '../../packages/core/dist/formats/puffin/position-bitmap.js';
import { encodePuffin } from '../../packages/core/dist/formats/puffin/write-puffin.js';
import { writeManifestList } from '../../packages/core/dist/manifest/write-manifest-list.js';
import { writeManifest } from '../../packages/core/dist/manifest/write-manifest.js';
import { NO_METRICS } from '../../packages/core/dist/spec/data-file.js';
import type { ManifestFile } from '../../packages/core/dist/spec/manifest.js';
import { systemRuntime } from '../../packages/core/dist/runtime.js';
import { applyUpdates } from '../../packages/core/dist/spec/apply-updates.js';
import { newTableMetadata } from '../../packages/core/dist/spec/new-table-metadata.js';
import { UNPARTITIONED_SPEC } from '../../packages/core/dist/spec/partition-spec.js';
import { UNSORTED } from '../../packages/core/dist/spec/sort-order.js';
import { serializeTableMetadata } from '../../packages/core/dist/spec/table-metadata-json.js';
import { writeDataFiles } from '../../packages/core/dist/write/data-writer.js';
import { dataLocations } from '../../packages/core/dist/write/locations.js';

export const ROWS = 6_000_000;
export const DATA_FILES = 16;
export const VARIANTS = ['none', 'positions', 'vectors', 'keys'] as const;
export type Variant = (typeof VARIANTS)[number];

/** Which rows are deleted, as SQL says it and as it is told here: 1 % of them … */
export const POSITION_DELETED = '(l_orderkey * 7 + l_linenumber) % 100 = 3';
const isPositionDeleted = (order: bigint, line: number): boolean => (order * 7n + BigInt(line)) % 100n === 3n;
/** … or 100,000, whose keys are (l_orderkey, l_linenumber). */
export const KEY_DELETED = '(l_orderkey * 31 + l_linenumber * 17) % 60 = 5';
const isKeyDeleted = (order: bigint, line: number): boolean => (order * 31n + BigInt(line) * 17n) % 60n === 5n;

const ORDER_KEY = 1;
const LINE_NUMBER = 4;
const SNAPSHOT_ID = 1n;
/** A change of what is below needs a new number: tables are kept from run to run. */
const LAYOUT = 1;
const CACHE = fileURLToPath(new URL(`../.cache/lineitem-${LAYOUT}/`, import.meta.url));

export const LINEITEM = schema({
  l_orderkey: t.long(),
  l_partkey: t.long(),
  l_suppkey: t.long(),
  l_linenumber: t.int(),
  l_quantity: t.decimal(15, 2),
  l_extendedprice: t.decimal(15, 2),
  l_discount: t.decimal(15, 2),
  l_tax: t.decimal(15, 2),
  l_returnflag: t.string(),
  l_linestatus: t.string(),
  l_shipdate: t.date(),
  l_commitdate: t.date(),
  l_receiptdate: t.date(),
  l_shipinstruct: t.string(),
  l_shipmode: t.string(),
  l_comment: t.string(),
});

/** Values that spread as dbgen's do: hashes of the row's number, as the extension that has dbgen must be downloaded. */
export const lineitem = (from: number, to: number): string => `
  WITH rows AS (SELECT i, hash(i) AS h, hash(i + 1000000007) AS g FROM range(${from}, ${to}) AS numbers(i)),
  lines AS (
    SELECT (i // 4) * 8 + (i // 4) % 8 + 1 AS l_orderkey, (h % 200000)::BIGINT + 1 AS l_partkey,
      (g % 10000)::BIGINT + 1 AS l_suppkey, (i % 4 + 1)::INT AS l_linenumber, (h // 7 % 50 + 1)::INT AS quantity,
      (h // 1013 % 11)::INT AS discount, (g // 1013 % 9)::INT AS tax, '1992-01-02'::DATE + (h // 65537 % 2526)::INT AS shipdate, h, g
    FROM rows)
  SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber, quantity::DECIMAL(15,2) AS l_quantity,
    (quantity * (90000 + l_partkey % 20001 + l_partkey % 1000 * 100) / 100.0)::DECIMAL(15,2) AS l_extendedprice,
    (discount / 100.0)::DECIMAL(15,2) AS l_discount, (tax / 100.0)::DECIMAL(15,2) AS l_tax,
    CASE WHEN shipdate > '1995-06-17'::DATE THEN 'N' WHEN g % 2 = 0 THEN 'R' ELSE 'A' END AS l_returnflag,
    CASE WHEN shipdate > '1995-06-17'::DATE THEN 'O' ELSE 'F' END AS l_linestatus,
    shipdate AS l_shipdate, shipdate + (g // 3 % 60)::INT - 30 AS l_commitdate, shipdate + (g // 11 % 30)::INT + 1 AS l_receiptdate,
    ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'][(g // 17 % 4)::INT + 1] AS l_shipinstruct,
    ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'][(h // 19 % 7)::INT + 1] AS l_shipmode,
    substr('carefully final deposits sleep furiously among the ironic requests ' || h || ' haggle', (g // 23 % 40)::INT + 1, (h // 29 % 34)::INT + 10) AS l_comment
  FROM lines`;

/** The table of a variant; all are made if they aren't there from an earlier run. */
export async function lineitemTable(variant: Variant): Promise<Table> {
  const io = new LocalFileIO();
  if (!existsSync(metadataLocation('none'))) {
    await rm(CACHE, { recursive: true, force: true });
    await writeTables(io);
  }
  return Table.load(metadataLocation(variant), { io });
}

function metadataLocation(variant: Variant): string {
  return `${CACHE}${variant}/metadata/v2.metadata.json`;
}

async function writeTables(io: LocalFileIO): Promise<void> {
  const data = await writeDataOf(io);
  const { positions, keys } = await findDeleted(data);
  const files = (await data.scan().plan()).tasks.map((task) => task.file);
  await writeTable(io, 'positions', files, await writePositions(io, files, positions));
  await writeTable(io, 'vectors', files, await writeVectors(io, files, positions));
  await writeTable(io, 'keys', files, await writeKeys(io, keys));
  await writeTable(io, 'none', files, []);
}

async function writeDataOf(io: LocalFileIO): Promise<Table> {
  const catalog = await FileSystemCatalog.open({ io, warehouse: `${CACHE}warehouse` });
  await catalog.createNamespace('bench');
  const table = await catalog.createTable('bench.lineitem', { schema: LINEITEM });
  const lake = await Lakehouse.open({ catalog });
  const perFile = ROWS / DATA_FILES;
  for (let i = 0; i < DATA_FILES; i++) {
    await table.append(await (await lake.sql(lineitem(i * perFile, (i + 1) * perFile))).arrow());
  }
  await lake.close();
  return table as unknown as Table;
}

interface Deleted {
  /** By the path of the data file, ascending. */
  readonly positions: ReadonlyMap<string, readonly number[]>;
  readonly keys: readonly (readonly [order: bigint, line: number])[];
}

async function findDeleted(table: Table): Promise<Deleted> {
  const positions = new Map<string, number[]>();
  const keys: (readonly [bigint, number])[] = [];
  const select = ['l_orderkey', 'l_linenumber', '_file', '_pos'];
  for await (const batch of table.scan({ select }).batches()) {
    const [orders, lines, file, places] = select.map((name) => batch.getChild(name)!);
    const path = String(file!.get(0));
    if (!positions.has(path)) positions.set(path, []);
    for (let row = 0; row < batch.numRows; row++) {
      const [order, line] = [orders!.get(row) as bigint, lines!.get(row) as number];
      if (isPositionDeleted(order, line)) positions.get(path)!.push(Number(places!.get(row)));
      if (isKeyDeleted(order, line)) keys.push([order, line]);
    }
  }
  return { positions, keys };
}

/** One delete file for each data file, as Spark writes them unless it is told otherwise. */
async function writePositions(
  io: LocalFileIO,
  files: readonly DataFile[],
  deleted: Deleted['positions'],
): Promise<readonly DataFile[]> {
  const deletes: DataFile[] = [];
  for (const { path } of files) {
    const rows = deleted.get(path)!.map((position) => [path, BigInt(position)] as const);
    const file = await writeRows(io, 'positions', POSITION_DELETES, rows);
    deletes.push({ ...file, content: 'position-deletes', referencedDataFile: path });
  }
  return deletes;
}

/** All vectors in one file. */
async function writeVectors(
  io: LocalFileIO,
  files: readonly DataFile[],
  deleted: Deleted['positions'],
): Promise<readonly DataFile[]> {
  const bitmaps = files.map(({ path }) => {
    const bitmap = new PositionBitmap();
    for (const position of deleted.get(path)!) bitmap.add(position);
    return bitmap;
  });
  const blobs = files.map(({ path }, i) => ({
    type: DELETION_VECTOR,
    fields: [],
    snapshotId: -1n,
    sequenceNumber: -1n,
    properties: { 'referenced-data-file': path, cardinality: String(bitmaps[i]!.size) },
    content: encodeDeletionVector(bitmaps[i]!),
  }));
  const { bytes, footer } = encodePuffin(blobs, { 'created-by': 'lakehouse benchmark' });
  const path = `${CACHE}vectors/data/deletes.puffin`;
  await io.write(path, bytes);
  return files.map((file, i) => ({
    ...file,
    ...NO_METRICS,
    content: 'position-deletes',
    format: 'puffin',
    path,
    recordCount: bitmaps[i]!.size,
    fileSizeInBytes: bytes.length,
    splitOffsets: null,
    firstRowId: null,
    referencedDataFile: file.path,
    contentOffset: footer.blobs[i]!.offset,
    contentSizeInBytes: footer.blobs[i]!.length,
  }));
}

async function writeKeys(io: LocalFileIO, keys: Deleted['keys']): Promise<readonly DataFile[]> {
  const equalityIds = [ORDER_KEY, LINE_NUMBER];
  const fields = LINEITEM.fields.filter(({ id }) => equalityIds.includes(id));
  const file = await writeRows(io, 'keys', { ...LINEITEM, fields }, keys);
  return [{ ...file, content: 'equality-deletes', equalityIds }];
}

async function writeRows(
  io: LocalFileIO,
  variant: Variant,
  shape: Schema,
  rows: readonly (readonly (bigint | number | string)[])[],
): Promise<DataFile> {
  async function* batches(): AsyncGenerator<ColumnBatch> {
    const builders = shape.fields.map(({ type }) => columnBuilder(type));
    for (const row of rows) builders.forEach((builder, i) => builder.append(row[i]!));
    yield { length: rows.length, columns: builders.map((builder) => builder.finish()) };
  }
  const files = await writeDataFiles(batches(), {
    io,
    schema: shape,
    spec: UNPARTITIONED_SPEC,
    sortOrder: UNSORTED,
    properties: {},
    locationFor: dataLocations(`${CACHE}${variant}`, {}),
    runtime: systemRuntime,
  });
  return files[0]!;
}

/** A table of one snapshot: the data files, older than the deletes. */
async function writeTable(
  io: LocalFileIO,
  variant: Variant,
  data: readonly DataFile[],
  deletes: readonly DataFile[],
): Promise<void> {
  const folder = `${CACHE}${variant}/`;
  const formatVersion = variant === 'vectors' ? 3 : 2;
  const uuid = '00000000-0000-4000-8000-000000000000';
  const metadata = newTableMetadata({ schema: LINEITEM, location: folder.slice(0, -1), formatVersion, uuid, nowMs: 0 });
  const common = { io, formatVersion, schema: LINEITEM, spec: UNPARTITIONED_SPEC, snapshotId: SNAPSHOT_ID } as const;
  const manifests: ManifestFile[] = [];
  for (const [content, files] of [
    ['data', data],
    ['deletes', deletes],
  ] as const) {
    if (files.length === 0) continue;
    const sequenceNumber = content === 'data' ? 1n : 2n;
    const entries = files.map((file) => ({
      status: 'existing' as const,
      snapshotId: SNAPSHOT_ID,
      sequenceNumber,
      fileSequenceNumber: sequenceNumber,
      file,
    }));
    manifests.push(await writeManifest({ ...common, content, location: `${folder}metadata/${content}.avro` }, entries));
  }
  const manifestList = `${folder}metadata/snap-1.avro`;
  const snapshot = { snapshotId: SNAPSHOT_ID, parentSnapshotId: null, sequenceNumber: 2n } as const;
  const rowIds = formatVersion === 3 ? { firstRowId: 0n } : {};
  await writeManifestList({ io, location: manifestList, formatVersion, ...snapshot, ...rowIds }, manifests);
  await io.write(metadataLocation(variant), serializeTableMetadata(withSnapshot(metadata, manifestList)));
}

function withSnapshot(metadata: TableMetadata, manifestList: string): TableMetadata {
  const isV3 = metadata.formatVersion === 3;
  const snapshot = {
    snapshotId: SNAPSHOT_ID,
    parentSnapshotId: null,
    sequenceNumber: 2n,
    timestampMs: 1,
    manifestList,
    manifests: null,
    operation: 'overwrite',
    summary: {},
    schemaId: 0,
    firstRowId: isV3 ? 0n : null,
    addedRows: isV3 ? BigInt(ROWS) : null,
    keyId: null,
    unknownFields: {},
  } as const;
  const retention = { minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null };
  const ref = { type: 'branch', snapshotId: SNAPSHOT_ID, ...retention } as const;
  return applyUpdates(
    metadata,
    [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', refName: 'main', ref },
    ],
    { nowMs: 1, baseMetadataLocation: null },
  );
}
