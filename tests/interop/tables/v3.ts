import { partitionBy, schema, t } from '@lh/core';

import { type InteropTable, bytes, current, plain } from '../interop-table.ts';
import { everyType, everyTypeRows, noTime, timeless, timelessRows } from './types.ts';

const nanoseconds = schema({ id: t.long().required(), ts: t.timestamp_ns(), tstz: t.timestamptz_ns() });

const nanosecondRows = [
  { id: 1n, ts: '2024-01-01T00:00:00.000000001', tstz: '2024-01-01T00:00:00.999999999Z' },
  { id: 2n, ts: '1969-12-31T23:59:59.999999999', tstz: '1969-12-31T23:59:59.999999999Z' },
  { id: 3n, ts: null, tstz: null },
];

/** POINT (1 2) as WKB. */
const point = bytes(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40);

const withDefaults: InteropTable = {
  name: 'v3_defaults',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.v3_defaults', {
      schema: schema({ id: t.long().required() }),
      formatVersion: 3,
    });
    await table.append([{ id: 1n }]);
    await table.updateSchema((s) =>
      s.addColumn('country', t.string(), { default: 'KR' }).addColumn('score', t.int().required(), { default: 7 }),
    );
    await table.append([{ id: 2n, country: 'JP', score: 1 }, { id: 3n }]);
    return {
      table,
      reads: [
        current([
          { id: 1n, country: 'KR', score: 7 },
          { id: 2n, country: 'JP', score: 1 },
          { id: 3n, country: 'KR', score: 7 },
        ]),
      ],
    };
  },
};

const upgraded: InteropTable = {
  name: 'v3_upgraded',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.v3_upgraded', {
      schema: schema({ id: t.long() }),
      formatVersion: 2,
    });
    await table.append([{ id: 1n }]);
    await table.upgradeFormatVersion(3);
    await table.append([{ id: 2n }]);
    return { table, reads: [current([{ id: 1n }, { id: 2n }])] };
  },
};

export const v3Tables: readonly InteropTable[] = [
  plain('v3_every_v2_type', everyType, everyTypeRows, { formatVersion: 3, cannotRead: noTime }),
  plain('v3_every_v2_type_but_time', timeless, timelessRows, { formatVersion: 3 }),
  plain('v3_nanoseconds', nanoseconds, nanosecondRows, {
    formatVersion: 3,
    cannotRead: { DuckDB: 'it knows no timestamptz_ns', Spark: 'it has no type for nanoseconds' },
  }),
  plain('v3_nanoseconds_partitioned', nanoseconds, nanosecondRows, {
    formatVersion: 3,
    partitionBy: [partitionBy.hour('ts'), partitionBy.bucket(4, 'tstz')],
    cannotRead: { DuckDB: 'it knows no timestamptz_ns', Spark: 'it has no type for nanoseconds' },
  }),
  plain('v3_unknown', schema({ id: t.long(), nothing: t.unknown() }), [{ id: 1n, nothing: null }], {
    formatVersion: 3,
    cannotRead: { DuckDB: 'it knows no unknown' },
  }),
  plain(
    'v3_variant',
    schema({ id: t.long(), v: t.variant() }),
    [{ a: 1, b: ['x', null, true, -1.5], c: { d: 9007199254740991 } }, 's', 12, null, [], {}].map((value, i) => ({
      id: BigInt(i),
      v: value,
    })),
    { formatVersion: 3, cannotRead: { PyIceberg: 'it knows no variant', Spark: 'its JSON of a variant null is NULL' } },
  ),
  plain('v3_geography', schema({ id: t.long(), place: t.geography() }), [{ id: 1n, place: point }], {
    formatVersion: 3,
    cannotRead: {
      PyIceberg: 'it wants the CRS of the type in quotes, which the specification does not',
      DuckDB: 'it knows no geography',
      Spark: 'it hands no WKB over as Arrow',
    },
  }),
  plain('v3_geometry', schema({ id: t.long(), place: t.geometry() }), [{ id: 1n, place: point }], {
    formatVersion: 3,
    cannotRead: {
      PyIceberg: 'it wants the CRS of the type in quotes, which the specification does not',
      Spark: 'it hands no WKB over as Arrow',
    },
  }),
  withDefaults,
  upgraded,
];
