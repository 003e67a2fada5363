import { describe, expect, test } from 'vitest';

import { METADATA_TABLE_NAMES } from '../../src/inspect/metadata-table-name.ts';
import type { MetadataTableName } from '../../src/inspect/metadata-table-name.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { expectError, newTable } from '../table/support.ts';

const SHAPE = schema({ id: t.long().required(), city: t.string(), place: t.struct({ lat: t.double() }) });

async function twoCities(io = new MemoryFileIO()): Promise<Table> {
  const table = await newTable({ schema: SHAPE, partitionBy: [partitionBy.identity('city')] }, { io });
  await table.append([{ id: 1n, city: 'Seoul', place: { lat: 37.5 } }]);
  await table.append([
    { id: 2n, city: 'Busan', place: null },
    { id: 3n, city: 'Seoul', place: { lat: 37.6 } },
  ]);
  return table as unknown as Table;
}

/** The files as a process sees them that has read none of them. */
function unread(io: FileIO): FileIO {
  return new MappedFileIO(io, {});
}

describe('what is asked for', () => {
  test('columns and parts of them, in their order', async () => {
    const table = await twoCities();
    const select = ['record_count', 'readable_metrics.place.lat.lower_bound', 'partition'];
    const rows = await table.metadataTable('files', { select, filter: "partition.city = 'Seoul'" }).toRows();
    expect(rows.toSorted((a, b) => Number(lat(a)) - Number(lat(b)))).toEqual([
      { record_count: 1n, readable_metrics: { 'place.lat': { lower_bound: 37.5 } }, partition: { city: 'Seoul' } },
      { record_count: 1n, readable_metrics: { 'place.lat': { lower_bound: 37.6 } }, partition: { city: 'Seoul' } },
    ]);
  });

  test('an Arrow table, of all rows or of no more than the limit', async () => {
    const table = await twoCities();
    const arrow = await table.inspect('entries');
    expect(arrow.numRows).toBe(3);
    expect(arrow.schema.fields.map(({ name }) => name)).toEqual([
      'status',
      'snapshot_id',
      'sequence_number',
      'file_sequence_number',
      'data_file',
      'readable_metrics',
    ]);
    expect((await table.inspect('entries', { limit: 2 })).numRows).toBe(2);
    expect((await table.inspect('entries', { limit: 0 })).numRows).toBe(0);
  });

  test('no more manifests are read than the limit needs', async () => {
    const io = new MemoryFileIO();
    const runtime = new SeededRuntime(1, { concurrency: 1 });
    const table = await twoCities(io);
    const [first, second] = await table.metadataTable('manifests').toRows();
    await io.delete([String(second!['path'])]);
    const fresh = await Table.load(table.location, { io: unread(io), runtime });
    const limit = Number(first!['added_data_files_count']);
    expect((await fresh.inspect('files', { limit })).numRows).toBe(limit);
    await expectError(fresh.inspect('files', { limit: limit + 1 }), 'NOT_FOUND');
  });

  test('counting needs no columns but those of the filter', async () => {
    const table = await twoCities();
    expect(await table.metadataTable('files').count()).toBe(3);
    expect(await table.metadataTable('files', { filter: 'readable_metrics.id.upper_bound > 1' }).count()).toBe(2);
    expect(await table.metadataTable('position_deletes').count()).toBe(0);
  });

  test('names in any case, if that is asked for', async () => {
    const table = await twoCities();
    const options = { select: ['FILE_path'], filter: 'RECORD_COUNT = 1', caseSensitive: false };
    expect((await table.inspect('files', options)).schema.fields[0]!.name).toBe('file_path');
    await expectError(table.inspect('files', { ...options, caseSensitive: true }), 'INVALID_ARGUMENT');
  });
});

describe('which state of the table', () => {
  test('a snapshot or a ref, for what is about a snapshot', async () => {
    const table = await twoCities();
    const [first, second] = table.snapshots();
    expect(await table.metadataTable('files', { snapshotId: first!.snapshotId }).count()).toBe(1);
    expect(await table.metadataTable('partitions', { ref: 'main' }).toRows()).toHaveLength(2);
    expect(await table.metadataTable('entries', { asOf: second!.timestampMs }).count()).toBe(3);
    await expectError(table.inspect('files', { ref: 'nowhere' }), 'NOT_FOUND');
  });

  test('is the same for what is about the table, and refused where rows are of all snapshots', async () => {
    const table = await twoCities();
    const { snapshotId } = table.snapshots()[0]!;
    expect(await table.metadataTable('snapshots', { snapshotId }).count()).toBe(2);
    for (const name of METADATA_TABLE_NAMES.filter((one) => one.startsWith('all_'))) {
      await expectError(table.inspect(name, { snapshotId }), 'INVALID_ARGUMENT', /all snapshots/);
    }
  });

  test('a handle keeps its version', async () => {
    const table = await twoCities();
    const before = table.metadataTable('files');
    await table.append([{ id: 4n, city: 'Daegu', place: null }]);
    expect(await before.count()).toBe(3);
    expect(await table.metadataTable('files').count()).toBe(4);
  });

  test.for(METADATA_TABLE_NAMES)('%s of a table without snapshots', async (name) => {
    const table = await newTable({ schema: SHAPE });
    const arrow = await table.inspect(name);
    expect(arrow.schema.fields.length).toBeGreaterThan(0);
    expect(arrow.numRows).toBe(name === 'metadata_log_entries' ? 1 : 0);
  });
});

describe('partitions', () => {
  test('fields of dropped specs are still there, and files that lack a field have null', async () => {
    const table = await twoCities();
    await table.updateSpec((spec) => spec.remove('city').add(partitionBy.bucket(4, 'id')));
    await table.append([{ id: 5n, city: 'Seoul', place: null }]);
    const rows = await table.metadataTable('partitions', { select: ['partition', 'spec_id', 'file_count'] }).toRows();
    expect(rows.map((row) => JSON.stringify(row)).toSorted()).toEqual([
      '{"partition":{"city":"Busan","id_bucket":null},"spec_id":0,"file_count":1}',
      '{"partition":{"city":"Seoul","id_bucket":null},"spec_id":0,"file_count":2}',
      expect.stringMatching(/^\{"partition":\{"city":null,"id_bucket":\d\},"spec_id":1,"file_count":1\}$/),
    ]);
  });

  test('manifests of other partitions are not even read', async () => {
    const io = new MemoryFileIO();
    const table = await twoCities(io);
    const manifests = await table.metadataTable('manifests').toRows();
    const ofSeoul = manifests.find((row) => !JSON.stringify(row['partition_summaries']).includes('Busan'))!;
    await io.delete([String(ofSeoul['path'])]);
    const filter = "partition.city = 'Busan'";
    // Here the manifests are still known.
    const fresh = await Table.load(table.location, { io: unread(io) });
    expect(await fresh.metadataTable('files', { filter }).count()).toBe(1);
    expect(await fresh.metadataTable('partitions', { filter }).count()).toBe(1);
    await expectError(fresh.inspect('files'), 'NOT_FOUND');
  });
});

describe('refused', () => {
  test.for<[string, () => Promise<unknown>, RegExp]>([
    [
      'unknown tables',
      async () => (await twoCities()).inspect('file' as MetadataTableName),
      /no metadata table 'file'/,
    ],
    ['unknown options', async () => (await twoCities()).inspect('files', { where: 'x' } as never), /no option 'where'/],
    ['unknown columns', async () => (await twoCities()).inspect('files', { select: ['path'] }), /no column 'path'/],
    ['columns of rows', async () => (await twoCities()).inspect('files', { select: ['_pos'] }), /no column '_pos'/],
    ['half a row', async () => (await twoCities()).inspect('files', { limit: 0.5 }), /whole number/],
    ['bad filters', async () => (await twoCities()).inspect('files', { filter: 'record_count >' }), /./],
  ])('%s', async ([, call, message]) => {
    await expectError(call(), 'INVALID_ARGUMENT', message);
  });

  test('going on after the signal is aborted', async () => {
    const table = await twoCities();
    for (const name of METADATA_TABLE_NAMES) {
      const options = { signal: AbortSignal.abort() };
      await expectError(table.inspect(name, options), 'ABORTED');
    }
  });
});

function lat(row: Record<string, unknown>): unknown {
  return (row['readable_metrics'] as Record<string, Record<string, unknown>>)['place.lat']!['lower_bound'];
}
