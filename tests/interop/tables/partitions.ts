import { type PartitionFieldInput, partitionBy, schema, t } from '@lh/core';

import { type InteropTable, type PlainOptions, plain } from '../interop-table.ts';
import { everyType, everyTypeRows, noTime, timeless, timelessRows } from './types.ts';

type Partitioning = Readonly<Record<string, PartitionFieldInput>>;

/** Columns whose values may be partition values as they are. */
const identities = ['b', 'i', 'l', 'small', 'medium', 'wide', 'day', 'clock', 'ts', 'tstz', 's', 'u', 'bin'];
const bucketed = ['i', 'l', 'small', 'medium', 'wide', 'day', 'clock', 'ts', 'tstz', 's', 'u', 'fix', 'bin'];

const transforms: Partitioning = {
  ...Object.fromEntries(identities.map((column) => [`identity_${column}`, partitionBy.identity(column)])),
  ...Object.fromEntries(bucketed.map((column) => [`bucket_${column}`, partitionBy.bucket(4, column)])),
  truncate_i: partitionBy.truncate(100, 'i'),
  truncate_l: partitionBy.truncate(1000, 'l'),
  truncate_small: partitionBy.truncate(50, 'small'),
  truncate_s: partitionBy.truncate(3, 's'),
  truncate_bin: partitionBy.truncate(2, 'bin'),
  year_day: partitionBy.year('day'),
  month_day: partitionBy.month('day'),
  day_day: partitionBy.day('day'),
  year_ts: partitionBy.year('ts'),
  month_ts: partitionBy.month('ts'),
  day_ts: partitionBy.day('ts'),
  hour_ts: partitionBy.hour('ts'),
  year_tstz: partitionBy.year('tstz'),
  month_tstz: partitionBy.month('tstz'),
  day_tstz: partitionBy.day('tstz'),
  hour_tstz: partitionBy.hour('tstz'),
  void_s: partitionBy.void('s'),
};

const beforeTheEpoch: PlainOptions = { cannotFilter: { DuckDB: 'it rounds times before 1970 towards zero' } };
const overflow: PlainOptions = {
  cannotFilter: { PyIceberg: 'truncating the smallest integer overflows, and it does not wrap around as Java does' },
};

const limits: Readonly<Record<string, PlainOptions>> = {
  truncate_i: overflow,
  truncate_l: overflow,
  truncate_small: { cannotFilter: { DuckDB: 'it takes negative decimals for unsigned ones when it truncates' } },
  month_ts: beforeTheEpoch,
  day_ts: beforeTheEpoch,
  month_tstz: beforeTheEpoch,
  day_tstz: beforeTheEpoch,
};

const places = schema({ id: t.long().required(), city: t.string(), ts: t.timestamptz() });

/** Values that are not safe in a path, and some that only look like a path. */
const oddCities = ['Seoul', 'a/b', 'a=b', 'a b', '100%', 'a%2Fb', '../up', '.', '', 'ünïcode', 'a+b', '[x]*?', null];

export const partitionTables: readonly InteropTable[] = [
  ...Object.entries(transforms).map(([name, field]) =>
    name.endsWith('_clock')
      ? plain(name, everyType, everyTypeRows, { partitionBy: [field], cannotRead: noTime })
      : plain(name, timeless, timelessRows, { partitionBy: [field], ...limits[name] }),
  ),
  plain(
    'odd_partition_values',
    places,
    oddCities.map((city, i) => ({ id: BigInt(i), city, ts: '2024-01-01T00:00:00.000000Z' })),
    { partitionBy: [partitionBy.identity('city')] },
  ),
  plain(
    'several_partition_fields',
    places,
    Array.from({ length: 60 }, (_, i) => ({
      id: BigInt(i),
      city: ['Seoul', 'Busan', null][i % 3],
      ts: i % 10 === 0 ? null : `2024-01-${String((i % 4) + 1).padStart(2, '0')}T10:00:00.000000Z`,
    })),
    {
      partitionBy: [
        partitionBy.identity('city'),
        partitionBy.day('ts'),
        partitionBy.bucket(3, 'id', { name: 'shard' }),
      ],
    },
  ),
  plain(
    'nested_partition_source',
    schema({ id: t.long(), at: t.struct({ day: t.date(), zone: t.string() }) }),
    [
      { id: 1n, at: { day: '2024-01-01', zone: 'a' } },
      { id: 2n, at: { day: '2024-01-02', zone: null } },
      { id: 3n, at: null },
    ],
    { partitionBy: [partitionBy.month('at.day'), partitionBy.identity('at.zone')] },
  ),
];
