import { describe, expect, test } from 'vitest';
import { rejection } from '../support.ts';
import { WAYS, newWarehouse, openCatalog, openLake, s3FileIO } from './support.ts';

describe.each(WAYS)('by %s', (way) => {
  test('tables are defined, changed, shown, replaced and dropped', async () => {
    const warehouse = await newWarehouse();
    const catalog = await openCatalog(warehouse);
    const lake = await openLake(way, catalog);
    const rows = async (sql: string): Promise<unknown> => (await lake.sql(sql)).rows();

    await lake.sql(`CREATE SCHEMA web; USE web;
      CREATE TABLE events (id bigint NOT NULL, ts timestamp, city string, PRIMARY KEY (id)) PARTITIONED BY (days(ts), bucket(4, id)) ORDERED BY city`);
    await lake.sql("INSERT INTO events VALUES (1, '2024-01-01 10:00:00', 'Seoul'), (2, '2024-01-02 10:00:00', NULL)");
    await lake.sql(
      'ALTER TABLE events RENAME COLUMN city TO town, ADD COLUMN n int FIRST, DROP PARTITION FIELD id_bucket, CREATE TAG before',
    );
    await lake.sql("INSERT INTO events VALUES (5, 3, '2024-01-03 10:00:00', 'Busan')");
    expect(await rows("SELECT n, id, town FROM events WHERE ts >= '2024-01-02' ORDER BY id")).toEqual([
      { n: null, id: 2n, town: null },
      { n: 5, id: 3n, town: 'Busan' },
    ]);
    expect(await rows("SELECT count(*)::int AS n FROM web.events FOR VERSION AS OF 'before'")).toEqual([{ n: 2 }]);
    expect(await rows('SHOW TABLES')).toEqual([
      { catalog: catalog.name, namespace: 'web', name: 'events', type: 'TABLE' },
    ]);

    const [shown] = (await rows('SHOW CREATE TABLE events')) as { createtab_stmt: string }[];
    const { schema, spec } = await catalog.loadTable('web.events');
    await lake.sql('CREATE OR REPLACE TABLE events (id bigint); DROP TABLE events PURGE');
    const left: string[] = [];
    for await (const { location } of s3FileIO().list(`${warehouse}/web/events/`)) left.push(location);
    expect(left).toEqual([]);
    expect(await rejection(lake.sql('SELECT * FROM events'))).toMatchObject({ code: 'NOT_FOUND' });

    await lake.sql(shown!.createtab_stmt);
    const again = await catalog.loadTable('web.events');
    const names = (fields: readonly { readonly name: string }[]): readonly string[] => fields.map(({ name }) => name);
    expect(names(again.schema.fields)).toEqual(names(schema.fields));
    expect(names(again.spec.fields)).toEqual(names(spec.fields));
    await lake.sql('DROP TABLE events; DROP SCHEMA web');
    expect(await catalog.namespaceExists('web')).toBe(false);
  });
});
