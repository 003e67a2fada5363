import { describe, expect, it } from 'vitest';
import { AvroContainerWriter } from '../../src/formats/avro/container.ts';
import { toAvroSchema } from '../../src/formats/avro/iceberg-schema.ts';
import { valueEncoder } from '../../src/formats/avro/encode-values.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { manifestEntryType } from '../../src/manifest/manifest-schema.ts';
import { partitionType } from '../../src/manifest/partition-type.ts';
import type { PartitionSpec, PartitionTuple } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { StructType } from '../../src/spec/types.ts';
import { added, BY_CITY, committed, fileOf, Manifests, SCHEMA } from './support.ts';

const stats = {
  columnSizes: new Map([
    [1, 11],
    [2, 12],
    [3, 13],
  ]),
  valueCounts: new Map([
    [1, 21],
    [2, 22],
    [3, 23],
  ]),
  nullValueCounts: new Map([
    [1, 0],
    [2, 2],
    [3, 3],
  ]),
  nanValueCounts: new Map([[3, 1]]),
  lowerBounds: new Map([
    [1, Uint8Array.of(1)],
    [2, Uint8Array.of(2)],
  ]),
  upperBounds: new Map([
    [1, Uint8Array.of(3)],
    [2, new Uint8Array(200).fill(4)],
  ]),
};

const NAMES = Object.keys(stats) as (keyof typeof stats)[];

describe('statistics', () => {
  const file = fileOf(stats);

  it('are decoded for the columns that were asked for', async () => {
    const manifests = new Manifests();
    const written = committed(await manifests.write([added(file)]), 1n);
    const [all] = await manifests.read(written);
    expect(all!.file).toEqual(file);
    const [none] = await manifests.read(written, { columns: { stats: 'none' } });
    expect(none!.file).toEqual(fileOf());
    const [some] = await manifests.read(written, { columns: { stats: new Set([2, 9]) } });
    for (const name of NAMES) {
      const value = stats[name].get(2);
      expect(some!.file[name]).toEqual(new Map(value === undefined ? [] : [[2, value]]));
    }
  });

  it('of the columns of a filter are seen by the filter alone', async () => {
    const manifests = new Manifests();
    const written = committed(await manifests.write([added(file)]), 1n);
    for (const kept of ['none', new Set<number>(), new Set([2])] as const) {
      let seen: ReadonlyMap<number, number> | null = null;
      const matches = ({ valueCounts }: Pick<DataFile, 'valueCounts'>): boolean => {
        seen = valueCounts;
        return true;
      };
      const filter = { metrics: { columns: new Set([1]), matches } };
      const [entry] = await manifests.read(written, { columns: { stats: kept }, filter });
      expect(seen!.get(1)).toBe(21);
      expect(entry!.file.valueCounts).toEqual(kept === 'none' || kept.size === 0 ? null : new Map([[2, 22]]));
    }
  });

  it('below zero are unknown', async () => {
    const manifests = new Manifests();
    const written = await manifests.write([
      added(
        fileOf({
          nullValueCounts: new Map([
            [1, -1],
            [2, 5],
          ]),
        }),
      ),
    ]);
    const [entry] = await manifests.read(committed(written, 1n));
    expect(entry!.file.nullValueCounts).toEqual(new Map([[2, 5]]));
  });
});

describe('filters', () => {
  const files = ['a', 'b', 'c', 'd'].map((city, i) =>
    fileOf({ partition: [city], path: city, fileSizeInBytes: 100 + i, ...stats }),
  );

  it('leave entries out by partition, then by metrics, and say so', async () => {
    const manifests = new Manifests();
    const written = committed(await manifests.write(files.map((file) => added(file))), 1n);
    const skipped: [string, number][] = [];
    const filter = {
      partition: ([city]: PartitionTuple) => city !== 'b',
      metrics: {
        columns: new Set([1]),
        matches: ({ valueCounts }: Pick<DataFile, 'valueCounts'>) => valueCounts!.get(1) === 21,
      },
      onSkipped: (reason: string, file: Pick<DataFile, 'fileSizeInBytes'>) =>
        void skipped.push([reason, file.fileSizeInBytes]),
    };
    const read = await manifests.read(written, { filter });
    expect(read.map(({ file }) => file.path)).toEqual(['a', 'c', 'd']);
    expect(skipped).toEqual([['partition', 101]]);
    const none = { ...filter, metrics: { ...filter.metrics, matches: () => false } };
    expect(await manifests.read(written, { filter: none })).toEqual([]);
    expect(skipped.map(([reason]) => reason)).toEqual(['partition', 'metrics', 'partition', 'metrics', 'metrics']);
  });

  it('leave deleted entries out if only live ones are wanted', async () => {
    const manifests = new Manifests();
    const [a, b] = files;
    const gone = { ...added(b!), status: 'deleted', sequenceNumber: 1n } as const;
    const written = committed(await manifests.write([added(a!), gone]), 2n);
    expect((await manifests.read(written)).map(({ status }) => status)).toEqual(['added', 'deleted']);
    expect((await manifests.read(written, { liveOnly: true })).map(({ file }) => file.path)).toEqual(['a']);
  });
});

const withId = (kind: 'int' | 'long'): Schema => ({
  ...SCHEMA,
  fields: [{ id: 1, name: 'id', required: true, type: { kind } }],
});

describe('partition values', () => {
  it('are of the type that the source column has now', async () => {
    const spec: PartitionSpec = {
      specId: 1,
      fields: [{ sourceIds: [1], fieldId: 1000, name: 'id', transform: { kind: 'identity' } }],
    };
    const manifests = new Manifests();
    const written = await manifests.write([added(fileOf({ partition: [7] }))], { spec, schema: withId('int') });
    const [entry] = await manifests.read(committed(written, 1n), { specs: [spec], schema: withId('long') });
    expect(entry!.file.partition).toEqual([7n]);
  });

  it('of a dropped column have the type that it had, or that was written', async () => {
    const manifests = new Manifests();
    const written = committed(await manifests.write([added(fileOf())]), 1n);
    const without: Schema = { ...SCHEMA, fields: SCHEMA.fields.filter(({ id }) => id !== 2) };
    const [known] = await manifests.read(written, { schema: without, otherSchemas: [SCHEMA] });
    const [guessed] = await manifests.read(written, { schema: without });
    expect([known!.file.partition, guessed!.file.partition]).toEqual([['Seoul'], ['Seoul']]);
    await expect(manifests.write([], { schema: without })).rejects.toThrow(/'city' has no known type/);
    const again = await manifests.write([added(fileOf())], { schema: without, otherSchemas: [SCHEMA] });
    expect(again.partitions).toEqual(written.partitions);
  });

  it('are matched by field id, and may be void', async () => {
    const fields = [
      { sourceIds: [3], fieldId: 1002, name: 'other', transform: { kind: 'void' } },
      { sourceIds: [2], fieldId: 1000, name: 'renamed', transform: { kind: 'identity' } },
    ] as const;
    const manifests = new Manifests();
    const written = committed(await manifests.write([added(fileOf())]), 1n);
    const [entry] = await manifests.read(written, { specs: [{ specId: 1, fields }] });
    expect(entry!.file.partition).toEqual([null, 'Seoul']);
    const lacking = { specId: 1, fields: [{ ...fields[1], fieldId: 1005 }] };
    await expect(manifests.read(written, { specs: [lacking] })).rejects.toThrow(/lack the field 'renamed'/);
  });
});

/** A manifest written by the schema given, from the entry type's values. */
async function foreign(
  manifests: Manifests,
  type: StructType,
  values: readonly unknown[],
  metadata: Record<string, string>,
) {
  const location = 's3://b/t/metadata/foreign.avro';
  const container = new AvroContainerWriter({
    schema: toAvroSchema(type, 'manifest_entry'),
    metadata,
    codec: 'null',
    name: location,
  });
  const encode = valueEncoder(type);
  container.append((block) => encode(block, values as never));
  const bytes = container.finish();
  await manifests.io.write(location, bytes);
  const written = await manifests.write([added(fileOf())]);
  return { ...committed(written, 4n), path: location, length: bytes.length };
}

describe('manifests of other writers', () => {
  const partition = partitionType(BY_CITY, [SCHEMA]);
  const v2 = manifestEntryType(2, partition);
  const fileValues = [0, 'p', 'ORC', ['Oslo'], 3, 30, ...Array<null>(11).fill(null)];

  it('may put fields in any order, make them optional and leave out their version', async () => {
    const manifests = new Manifests();
    const reordered: StructType = {
      kind: 'struct',
      fields: v2.fields.toReversed().map((field) => ({ ...field, required: field.name === 'status' })),
    };
    const manifest = await foreign(manifests, reordered, [fileValues, null, 2n, null, 1], { 'format-version': '2' });
    const [entry] = await manifests.read(manifest);
    expect(entry).toMatchObject({ status: 'added', snapshotId: 5n, sequenceNumber: 2n, fileSequenceNumber: 4n });
    expect(entry!.file).toMatchObject({
      path: 'p',
      format: 'orc',
      partition: ['Oslo'],
      recordCount: 3,
      content: 'data',
    });
    const unversioned = await foreign(manifests, reordered, [fileValues, 4n, 2n, null, 1], {});
    expect((await manifests.read(unversioned))[0]).toMatchObject({ sequenceNumber: 0n, fileSequenceNumber: 0n });
  });

  it('may lack file sequence numbers of existing entries, but not data sequence numbers', async () => {
    const manifests = new Manifests();
    const early = await foreign(manifests, v2, [0, 3n, 2n, null, fileValues], { 'format-version': '2' });
    expect((await manifests.read(early))[0]).toMatchObject({ sequenceNumber: 2n, fileSequenceNumber: 2n });
    const broken = await foreign(manifests, v2, [0, 3n, null, null, fileValues], { 'format-version': '2' });
    await expect(manifests.read(broken)).rejects.toThrow(/no sequence number/);
  });

  it.each<[string, readonly unknown[], Record<string, string>, RegExp]>([
    ['an unknown status', [7, 3n, 2n, 2n, fileValues], {}, /status 7/],
    ['an unknown content', [1, 3n, 2n, 2n, [9, ...fileValues.slice(1)]], {}, /content 9/],
    ['a delete among data', [1, 3n, 2n, 2n, [1, ...fileValues.slice(1)]], {}, /in a manifest of data files/],
    ['a negative count', [1, 3n, 2n, 2n, [0, 'p', 'ORC', ['Oslo'], -5, ...fileValues.slice(5)]], {}, /record_count -5/],
    ['an unknown format', [1, 3n, 2n, 2n, [0, 'p', 'CSV', ...fileValues.slice(3)]], {}, /'CSV'/],
    [
      'deletes in its header',
      [1, 3n, 2n, 2n, fileValues],
      { content: 'deletes' },
      /holds deletes, but the manifest list says data/,
    ],
    ['a version of the future', [1, 3n, 2n, 2n, fileValues], { 'format-version': '9' }, /format version 9/],
  ])('are refused for %s', async (_, values, metadata, message) => {
    const manifests = new Manifests();
    const manifest = await foreign(manifests, v2, values, { 'format-version': '2', ...metadata });
    await expect(manifests.read(manifest)).rejects.toThrow(message);
  });

  it('are refused for delete files without what they need', async () => {
    const manifests = new Manifests();
    const read = async (file: readonly unknown[]) => {
      const manifest = await foreign(manifests, v2, [1, 3n, 2n, 2n, file], {
        'format-version': '2',
        content: 'deletes',
      });
      return manifests.read({ ...manifest, content: 'deletes' });
    };
    await expect(read([2, ...fileValues.slice(1)])).rejects.toThrow(/without equality ids/);
    await expect(read([1, 'p', 'PUFFIN', ...fileValues.slice(3)])).rejects.toThrow(/names no data file/);
  });

  it('are refused if they lack what every entry must have', async () => {
    const manifests = new Manifests();
    const noStatus: StructType = { kind: 'struct', fields: v2.fields.slice(1) };
    const manifest = await foreign(manifests, noStatus, [3n, 2n, 2n, fileValues], { 'format-version': '2' });
    await expect(manifests.read(manifest)).rejects.toThrow(/lacks the field status/);
    const nullFile: StructType = { kind: 'struct', fields: v2.fields.map((field) => ({ ...field, required: false })) };
    const empty = await foreign(manifests, nullFile, [1, 3n, 2n, 2n, null], { 'format-version': '2' });
    await expect(manifests.read(empty)).rejects.toThrow(/data_file is null/);
  });
});

describe('reading', () => {
  it('refuses encrypted manifests, unknown specs and files that are shorter than the manifest list says', async () => {
    const manifests = new Manifests();
    const written = committed(await manifests.write([added(fileOf())]), 1n);
    await expect(manifests.read({ ...written, keyMetadata: Uint8Array.of(1) })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(manifests.read({ ...written, partitionSpecId: 44 })).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(manifests.read({ ...written, length: written.length + 1 })).rejects.toThrow(/cut short/);
  });

  it('ends when it is aborted', async () => {
    const manifests = new Manifests();
    const written = committed(await manifests.write([added(fileOf())]), 1n);
    await expect(manifests.read(written, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

const double = (value: number): Uint8Array => new Uint8Array(new Float64Array([value]).buffer);

describe('writing', () => {
  it.each<[string, Partial<DataFile>, object, RegExp]>([
    ['a delete in a data manifest', { content: 'position-deletes' }, {}, /is a delete file/],
    ['data in a delete manifest', {}, { content: 'deletes' }, /is a data file/],
    ['an equality delete without ids', { content: 'equality-deletes' }, { content: 'deletes' }, /without equality ids/],
    ['a file of another spec', { specId: 3 }, {}, /partition spec 3, not to 1/],
    ['a tuple of another length', { partition: [] }, {}, /0 partition values for 1 fields/],
    [
      'a deletion vector in version 2',
      {
        content: 'position-deletes',
        format: 'puffin',
        referencedDataFile: 'x',
        contentOffset: 4,
        contentSizeInBytes: 40,
      },
      { content: 'deletes' },
      /needs format version 3/,
    ],
    ['deletes in version 1', {}, { content: 'deletes', formatVersion: 1 }, /version 1 have no delete files/],
    ['a new file of another snapshot', {}, { snapshotId: 6n }, /added by snapshot 5/],
  ])('refuses %s, and leaves nothing behind', async (_, file, options, message) => {
    const manifests = new Manifests();
    await expect(manifests.write([added(fileOf(file))], options)).rejects.toThrow(message);
    expect(await manifests.io.stat('s3://b/t/metadata/m0.avro')).toBeNull();
  });

  it('refuses existing entries without the numbers they were committed with', async () => {
    const entry = { ...added(fileOf()), status: 'existing', sequenceNumber: -1n } as const;
    await expect(new Manifests().write([entry])).rejects.toThrow(/needs the sequence numbers/);
  });

  it('sums up the partition values: nulls, NaNs, bounds', async () => {
    const spec: PartitionSpec = {
      specId: 1,
      fields: [
        { sourceIds: [2], fieldId: 1000, name: 'city', transform: { kind: 'identity' } },
        { sourceIds: [3], fieldId: 1001, name: 'amount', transform: { kind: 'identity' } },
      ],
    };
    const tuples: PartitionTuple[] = [
      ['b', 1],
      [null, NaN],
      ['a', 0],
      ['\uffff', -0],
      ['😀', -5],
    ];
    const written = await new Manifests().write(
      tuples.map((partition) => added(fileOf({ partition }))),
      { spec },
    );
    expect(written.partitions).toEqual([
      {
        containsNull: true,
        containsNaN: false,
        lowerBound: Uint8Array.of(0x61),
        upperBound: new TextEncoder().encode('😀'),
      },
      { containsNull: false, containsNaN: true, lowerBound: double(-5), upperBound: double(1) },
    ]);
    const nulls = await new Manifests().write([added(fileOf({ partition: [null, NaN] }))], { spec });
    expect(nulls.partitions).toMatchObject([
      { containsNull: true, lowerBound: null, upperBound: null },
      { containsNaN: true, lowerBound: null, upperBound: null },
    ]);
  });
});
