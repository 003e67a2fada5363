import { partitionBy, schema, t } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';

const { lake, catalog } = await openWarehouse();

test('columns, keys, partitioning and order in the spellings of Spark and Trino', async () => {
  await lake.sql(`CREATE TABLE ns.spark (id BIGINT COMMENT 'the key', ts TIMESTAMPTZ NOT NULL, city STRING, PRIMARY KEY (id))
    USING iceberg PARTITIONED BY (days(ts), bucket(16, id), city) ORDERED BY (city DESC NULLS FIRST, truncate(4, city))
    COMMENT 'events' TBLPROPERTIES ('write.format.default' = 'parquet', a.b = 5, 'format-version' = '3')`);
  const spark = await catalog.loadTable('ns.spark');
  await lake.sql(
    `CREATE TABLE ns.trino (id bigint NOT NULL PRIMARY KEY COMMENT 'the key', ts timestamp(6) with time zone NOT NULL, city varchar(20))
    WITH (partitioning = ARRAY['day(ts)', 'bucket(id, 16)', 'city'], sorted_by = ARRAY['city DESC NULLS FIRST', 'truncate(city, 4)'],
    format_version = 3, format = 'PARQUET', extra_properties = MAP(ARRAY['a.b', 'comment'], ARRAY['5', 'events']))`.replace(
      "PRIMARY KEY COMMENT 'the key'",
      "COMMENT 'the key' PRIMARY KEY",
    ),
  );
  const trino = await catalog.loadTable('ns.trino');
  const wanted = schema(
    { id: t.long().required().doc('the key'), ts: t.timestamptz().required(), city: t.string() },
    { identifier: ['id'] },
  );
  for (const table of [spark, trino]) {
    expect(table.schema).toEqual(wanted);
    expect(table.spec.fields.map(({ name }) => name)).toEqual(['ts_day', 'id_bucket', 'city']);
    expect(table.formatVersion).toBe(3);
    expect(table.properties).toEqual({ 'write.format.default': 'parquet', 'a.b': '5', comment: 'events' });
    expect(table.sortOrder.fields.map(({ direction, nullOrder }) => [direction, nullOrder])).toEqual([
      ['desc', 'nulls-first'],
      ['asc', 'nulls-first'],
    ]);
  }
  expect(spark.spec).toEqual(trino.spec);
  expect(partitionBy.day('ts').transform).toEqual(spark.spec.fields[0]!.transform);
  await lake.sql('DROP TABLE ns.spark PURGE');
  expect(await catalog.tableExists('ns.spark')).toBe(false);
  expect((await rejection(lake.sql('DROP TABLE ns.spark'))).code).toBe('NOT_FOUND');
  await lake.sql('DROP TABLE IF EXISTS ns.spark');
});
