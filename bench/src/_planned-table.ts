// A table of many files for measuring plans: real metadata, written by core, of data files that do not exist. No
// public interface makes one, so it is put together out of core's parts.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { partitionBy, schema, t, type DataFile, type FileIO, type TableMetadata } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { writeManifestList } from '../../packages/core/dist/manifest/write-manifest-list.js';
import { writeManifest } from '../../packages/core/dist/manifest/write-manifest.js';
import { applyUpdates } from '../../packages/core/dist/spec/apply-updates.js';
import { newTableMetadata } from '../../packages/core/dist/spec/new-table-metadata.js';
import { valueToBytes } from '../../packages/core/dist/spec/single-value.js';
import { serializeTableMetadata } from '../../packages/core/dist/spec/table-metadata-json.js';

const UUID = '00000000-0000-4000-8000-000000000000';
export const FILES_PER_MANIFEST = 10_000;
export const BUCKETS = 16;
export const ROWS_PER_FILE = 100_000;

const FIRST_DAY = 16_436; // 2015-01-01
const MICROS_PER_DAY = 86_400_000_000n;
const SNAPSHOT_ID = 1n;
/** A change of the layout below needs a new number: tables are kept from run to run. */
const LAYOUT = 2;

const SHAPE = schema({
  id: t.long(),
  ts: t.timestamptz(),
  city: t.string(),
  code: t.int(),
  amount: t.double(),
  day: t.date(),
  name: t.string(),
  user: t.long(),
  score: t.float(),
  kind: t.string(),
  size: t.int(),
  total: t.long(),
  ratio: t.double(),
  path: t.string(),
  seen: t.timestamp(),
  rank: t.int(),
  parent: t.long(),
  note: t.string(),
  weight: t.double(),
  valid: t.boolean(),
});

/** Where the metadata of a table of that many files is; it is made if it isn't there from an earlier run. */
export async function plannedTable(files: number): Promise<string> {
  const folder = fileURLToPath(new URL(`../.cache/plan-${LAYOUT}-${files}/`, import.meta.url));
  const location = `${folder}metadata/v2.metadata.json`;
  if (existsSync(location)) return location;
  await writePlannedTable(new LocalFileIO(), folder, files);
  return location;
}

/** Writes the metadata of such a table into a folder, whose location ends with a slash, as its version 2. */
export async function writePlannedTable(
  io: FileIO,
  folder: string,
  files: number,
  filesPerManifest: number = FILES_PER_MANIFEST,
): Promise<void> {
  const metadata = newTableMetadata({
    schema: SHAPE,
    partitionBy: [partitionBy.day('ts'), partitionBy.bucket(BUCKETS, 'id')],
    location: folder.slice(0, -1),
    uuid: UUID,
    nowMs: 0,
  });
  const manifestList = await writeManifests(io, folder, metadata, files, filesPerManifest);
  const committed = applyUpdates(
    metadata,
    [
      {
        action: 'add-snapshot',
        snapshot: {
          snapshotId: SNAPSHOT_ID,
          parentSnapshotId: null,
          sequenceNumber: 1n,
          timestampMs: 1,
          manifestList,
          manifests: null,
          operation: 'append',
          summary: {},
          schemaId: 0,
          firstRowId: null,
          addedRows: null,
          keyId: null,
          unknownFields: {},
        },
      },
      {
        action: 'set-snapshot-ref',
        refName: 'main',
        ref: {
          type: 'branch',
          snapshotId: SNAPSHOT_ID,
          minSnapshotsToKeep: null,
          maxSnapshotAgeMs: null,
          maxRefAgeMs: null,
        },
      },
    ],
    { nowMs: 1, baseMetadataLocation: null },
  );
  await io.write(`${folder}metadata/v1.metadata.json`, serializeTableMetadata(metadata));
  await io.write(`${folder}metadata/v2.metadata.json`, serializeTableMetadata(committed));
  await io.write(`${folder}metadata/version-hint.text`, new TextEncoder().encode('2'));
}

async function writeManifests(
  io: FileIO,
  folder: string,
  metadata: TableMetadata,
  files: number,
  filesPerManifest: number,
): Promise<string> {
  const [tableSchema, spec] = [metadata.schemas[0]!, metadata.partitionSpecs[0]!];
  const common = { io, formatVersion: 2, schema: tableSchema, spec, content: 'data', snapshotId: SNAPSHOT_ID } as const;
  const manifests = [];
  for (let start = 0; start < files; start += filesPerManifest) {
    const entries = Array.from({ length: Math.min(filesPerManifest, files - start) }, (_, i) => {
      const file = dataFile(start + i, folder);
      return { status: 'added', snapshotId: SNAPSHOT_ID, sequenceNumber: 1n, fileSequenceNumber: 1n, file } as const;
    });
    manifests.push(await writeManifest({ ...common, location: `${folder}metadata/${UUID}-m${start}.avro` }, entries));
  }
  const location = `${folder}metadata/snap-1-1-${UUID}.avro`;
  const snapshot = { snapshotId: SNAPSHOT_ID, parentSnapshotId: null, sequenceNumber: 1n };
  await writeManifestList({ io, location, formatVersion: 2, ...snapshot }, manifests);
  return location;
}

/** Files come day by day, one for each bucket; ids and times grow with them, other columns are all over. */
function dataFile(index: number, folder: string): DataFile {
  const day = FIRST_DAY + Math.floor(index / BUCKETS);
  const bucket = index % BUCKETS;
  const random = randomOf(index);
  const fields = SHAPE.fields;
  const perColumn = <T>(make: (position: number) => T): ReadonlyMap<number, T> =>
    new Map(fields.map(({ id }, position) => [id, make(position)]));
  const floats = fields.filter(({ type }) => type.kind === 'float' || type.kind === 'double');
  const size = 20_000_000 + Math.floor(random() * 10_000_000);
  return {
    content: 'data',
    path: `${folder}data/ts_day=${isoDay(day)}/id_bucket=${bucket}/${String(index).padStart(5, '0')}-${hex(random)}-${hex(random)}.parquet`,
    format: 'parquet',
    specId: 0,
    partition: [day, bucket],
    recordCount: ROWS_PER_FILE,
    fileSizeInBytes: size,
    columnSizes: perColumn(() => Math.floor((random() * size) / 10)),
    valueCounts: perColumn(() => ROWS_PER_FILE),
    nullValueCounts: perColumn((position) => (position < 2 ? 0 : Math.floor(random() * 1000))),
    nanValueCounts: new Map(floats.map(({ id }) => [id, 0])),
    lowerBounds: perColumn((position) => boundOf(position, day, random() / 10)),
    upperBounds: perColumn((position) => boundOf(position, day, 1 - random() / 10)),
    keyMetadata: null,
    splitOffsets: [4, Math.floor(size / 2)],
    equalityIds: null,
    sortOrderId: 0,
    firstRowId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null,
  };
}

/** The first id of a day; days have a million each. */
export function firstIdOf(day: number): bigint {
  return BigInt(day - FIRST_DAY) * 1_000_000n;
}

export const SOME_DAY: number = FIRST_DAY + 100;

/** A bound at a fraction of the column's range in a file. */
function boundOf(position: number, day: number, fraction: number): Uint8Array {
  const { type } = SHAPE.fields[position]!;
  if (position === 0) return valueToBytes(type, firstIdOf(day) + BigInt(Math.floor(fraction * 999_999)));
  switch (type.kind) {
    case 'timestamptz':
    case 'timestamp':
      return valueToBytes(
        type,
        BigInt(day) * MICROS_PER_DAY + BigInt(Math.floor(fraction * Number(MICROS_PER_DAY - 1n))),
      );
    case 'long':
      return valueToBytes(type, BigInt(Math.floor(fraction * 1e12)));
    case 'int':
      return valueToBytes(type, Math.floor(fraction * 1e6));
    case 'date':
      return valueToBytes(type, day);
    case 'boolean':
      return valueToBytes(type, fraction > 0.5);
    case 'string':
      return valueToBytes(type, `${fraction.toString(36).slice(2)}0123456789abcdef`.slice(0, 16));
    default:
      return valueToBytes(type, fraction * 1000);
  }
}

export function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/** Numbers in [0, 1), the same for the same file ("mulberry32"). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hex(random: () => number): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
