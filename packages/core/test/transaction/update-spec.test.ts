import { describe, expect, it } from 'vitest';
import { applyUpdates } from '../../src/spec/apply-updates.ts';
import type { PartitionFieldInput } from '../../src/spec/inputs.ts';
import { currentSpec } from '../../src/spec/metadata-accessors.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { transformToText } from '../../src/spec/transform-text.ts';
import { SpecUpdate } from '../../src/transaction/update-spec.ts';

const shape = schema({ id: t.long(), ts: t.timestamptz(), city: t.string(), list: t.list(t.int()) });

function table(fields: PartitionFieldInput[], formatVersion: FormatVersion = 2): TableMetadata {
  return newTableMetadata({ schema: shape, partitionBy: fields, formatVersion, location: '/t', uuid: 'u', nowMs: 0 });
}

/** The table after a change of its spec. */
function evolve(metadata: TableMetadata, change: (update: SpecUpdate) => unknown): TableMetadata {
  const update = new SpecUpdate(metadata);
  change(update);
  return applyUpdates(
    metadata,
    [
      { action: 'add-spec', spec: update.apply() },
      { action: 'set-default-spec', specId: -1 },
    ],
    { nowMs: 1, baseMetadataLocation: null },
  );
}

/** `1000 ts_day=day`, field by field. */
function fieldsOf(metadata: TableMetadata): string[] {
  return currentSpec(metadata).fields.map(
    ({ fieldId, name, transform }) => `${fieldId} ${name}=${transformToText(transform)}`,
  );
}

const byDay = partitionBy.day('ts');

describe('v2 and later', () => {
  it('adds at the end with new ids, and removes', () => {
    const one = evolve(table([byDay]), (s) => s.add(partitionBy.bucket(16, 'id')));
    expect(fieldsOf(one)).toEqual(['1000 ts_day=day', '1001 id_bucket=bucket[16]']);
    const two = evolve(one, (s) => s.remove('ts_day').add(partitionBy.hour('ts')));
    expect(fieldsOf(two)).toEqual(['1001 id_bucket=bucket[16]', '1002 ts_hour=hour']);
  });

  it('uses the id and name of an equal earlier field again', () => {
    const removed = evolve(table([partitionBy.bucket(4, 'id', { name: 'shard' }), byDay]), (s) => s.remove('shard'));
    expect(fieldsOf(removed)).toEqual(['1001 ts_day=day']);
    expect(fieldsOf(evolve(removed, (s) => s.add(partitionBy.bucket(4, 'id'))))).toEqual([
      '1001 ts_day=day',
      '1000 shard=bucket[4]',
    ]);
    expect(fieldsOf(evolve(removed, (s) => s.add(partitionBy.bucket(4, 'id', { name: 'other' }))))).toEqual([
      '1001 ts_day=day',
      '1002 other=bucket[4]',
    ]);
  });

  it('puts a field that it has just removed back in its place', () => {
    const metadata = table([byDay, partitionBy.identity('city')]);
    expect(evolve(metadata, (s) => s.remove('ts_day').add(byDay)).partitionSpecs).toHaveLength(1);
    expect(fieldsOf(evolve(metadata, (s) => s.remove('ts_day').add(partitionBy.day('ts', { name: 'd' }))))).toEqual([
      '1000 d=day',
      '1001 city=identity',
    ]);
  });

  it('finds another name where the usual one means something else in an older spec', () => {
    const buckets = evolve(table([partitionBy.bucket(4, 'id')]), (s) =>
      s.remove('id_bucket').add(partitionBy.bucket(8, 'id')),
    );
    expect(fieldsOf(buckets)).toEqual(['1001 id_bucket_8=bucket[8]']);
  });

  it('removes by what a field was made of, and renames', () => {
    const metadata = table([byDay, partitionBy.bucket(4, 'id')]);
    expect(fieldsOf(evolve(metadata, (s) => s.remove(partitionBy.bucket(4, 'id')).rename('ts_day', 'd')))).toEqual([
      '1000 d=day',
    ]);
  });

  it('lets finer time units join coarser ones, as Java does', () => {
    expect(fieldsOf(evolve(table([byDay]), (s) => s.add(partitionBy.hour('ts'))))).toEqual([
      '1000 ts_day=day',
      '1001 ts_hour=hour',
    ]);
  });

  it('may leave a table unpartitioned', () => {
    expect(fieldsOf(evolve(table([byDay]), (s) => s.remove('ts_day')))).toEqual([]);
  });
});

describe('v1', () => {
  it('puts void in the place of removed fields, so that positions stay', () => {
    const removed = evolve(table([byDay, partitionBy.identity('city')], 1), (s) =>
      s.remove('ts_day').add(partitionBy.bucket(4, 'id')),
    );
    expect(fieldsOf(removed)).toEqual(['1000 ts_day=void', '1001 city=identity', '1002 id_bucket=bucket[4]']);
    expect(fieldsOf(evolve(removed, (s) => s.add(byDay)))).toEqual([
      '1000 ts_day_1000=void',
      '1001 city=identity',
      '1002 id_bucket=bucket[4]',
      '1003 ts_day=day',
    ]);
  });

  it('takes a removal back', () => {
    expect(fieldsOf(evolve(table([byDay], 1), (s) => s.remove('ts_day').add(byDay)))).toEqual(['1000 ts_day=day']);
  });

  it('drops a field that it has just added without a trace', () => {
    expect(
      fieldsOf(
        evolve(table([byDay], 1), (s) =>
          s.add(partitionBy.bucket(4, 'id')).remove('id_bucket').add(partitionBy.identity('city')),
        ),
      ),
    ).toEqual(['1000 ts_day=day', '1001 city=identity']);
  });
});

describe('refusals', () => {
  it.each<[string, (s: SpecUpdate) => unknown, RegExp]>([
    ['a field that is there', (s) => s.add(byDay), /already partitioned by day of 'ts'/],
    ['a name that is there', (s) => s.add(partitionBy.bucket(4, 'id', { name: 'ts_day' })), /'ts_day' already/],
    ['the name of another column', (s) => s.add(partitionBy.bucket(4, 'id', { name: 'city' })), /hide the column/],
    [
      'two new time units of one column',
      (s) => s.add(partitionBy.month('ts')).add(partitionBy.hour('ts')),
      /redundant/,
    ],
    ['a column that is not there', (s) => s.add(partitionBy.day('nope')), /no column 'nope'/],
    ['a column that the transform does not take', (s) => s.add(partitionBy.day('city')), /doesn't take string/],
    ['a column inside of a list', (s) => s.add(partitionBy.identity('list.element')), /inside the list/],
    [
      'to remove what is not there',
      (s) => s.remove('nope'),
      /There is no partition field 'nope': the table is partitioned by 'ts_day'/,
    ],
    [
      'to remove by a transform that is not there',
      (s) => s.remove(partitionBy.hour('ts')),
      /not partitioned by hour of 'ts'/,
    ],
    [
      'to rename to a name that is there',
      (s) => s.add(partitionBy.identity('city')).rename('city', 'ts_day'),
      /'ts_day' already/,
    ],
  ])('refuses %s', (_, change, message) => {
    const update = new SpecUpdate(table([byDay]));
    expect(() => {
      change(update);
      update.apply();
    }).toThrow(message);
  });

  it('refuses to change a spec with a transform of unknown name', () => {
    const metadata = table([byDay]);
    const unknown = {
      ...metadata,
      partitionSpecs: [
        {
          specId: 0,
          fields: [
            { sourceIds: [1], fieldId: 1000, name: 'z', transform: { kind: 'unknown', text: 'zorder' } as const },
          ],
        },
      ],
    };
    expect(() => new SpecUpdate(unknown)).toThrow(/'zorder'/);
  });
});
