import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What each example prints. */
const printed: Readonly<Record<string, string>> = {
  'create-append-scan': `added 3 rows in 2 files
the filter leaves 1 of 2 files
{
  id: 3n,
  ts: '2026-03-02T08:15:00.000001Z',
  city: 'Seoul',
  amount: null
}
`,
  'schema-evolution': `{
  client: 'Bob',
  id: 9007199254740993n,
  amount: '1.00',
  address: { city: 'Seoul', zip: '04524' }
}
{ client: 'Ann', id: 1n, amount: '12.50', address: null }
INVALID_ARGUMENT: 'id' can't change from long to int: a column can only go from int to long, from float to double, to a decimal of more digits and the same scale, and in format version 3 from date to timestamp or from unknown to any type.
`,
  'partition-evolution': `ts = '2026-02-15': 1 of 7 files, partitioned by ts_month
ts = '2026-05-15': 1 of 7 files, partitioned by ts_day, id_bucket
`,
  'add-files': `id: long, amount: decimal, country: string
[ '/old-orders/country=KR/data_0.parquet' ]
[ { ts: '2024-01-02T10:00:00.000000Z', page: '/home' } ]
INVALID_ARGUMENT: /visits-1.parquet is a file of shop.visits already, so all of its rows would be there twice. Leave it out, or set checkDuplicates to false.
`,
  backup: `7 files
3 2
3 [ 'first', 'main' ]
/backups/events/SHA256SUMS is not what was exported: its checksum differs. Nothing was imported.
`,
  maintain: `rewriteDataFiles: planned
rewritePositionDeletes: not needed
rewriteManifests: planned
expireSnapshots: planned
removeOrphanFiles: turned off
done, not needed, not needed, done, turned off
1 file, 0 deletes, 2 snapshots
[ 'statistics_file' ]
[ { name: 'city', fieldId: 2, ndv: 2n } ]
`,
  compaction: `day=2026-03-02: 8 files, 0 with deletes
day=2026-03-01: 12 files, 1 with deletes
8 of 20 files
20 of 20 files
20 files became 2
Busan 19, Busan 16, Busan 13, Jeju 17, Jeju 14, Seoul 18, Seoul 15, Seoul 12
`,
  retention: `6 files of keys became positions
6 manifests became 1
7 of 7 planned snapshots are gone
7 manifest lists, 6 files of keys
[ { id: 2n, city: 'Busan' }, { id: 1n, city: 'Seoul' } ]
[ '/data/left-behind.parquet' ]
`,
  'time-travel': `now [ { item: 'coffee', price: 4 }, { item: 'tea', price: 3 } ]
by snapshot [ { item: 'tea', price: 3 } ]
by time [ { item: 'tea', price: 3 } ]
2 entries in the history
`,
  'concurrent-writers': `20 snapshots, 20 rows
`,
  'change-log': `every change
  0 delete tea 3
  0 insert tea 4
  0 insert cocoa 5
  1 delete tea 4
  1 insert tea 6
  2 delete milk 2
net
  update_before tea 3
  update_after tea 6
  insert cocoa 5
  delete milk 2
`,
  follow: `commit: 5 tea
commit: 5 tea, 1 milk
commit: 1 milk, 4 tea
rollback: 1 milk, 5 tea
commit: 1 milk, 5 tea, 9 cocoa
`,
  'streaming-writer': `web.logs starts at the beginning
1000 events in 1 file, 1000 in the table
1000 events in 1 file, 2000 in the table
1000 events in 1 file, 3000 in the table; new columns: client.country
1000 events in 1 file, 4000 in the table
1000 events in 1 file, 5000 in the table; new columns: timing, timing.db, timing.total, referrer
1000 events in 1 file, 6000 in the table
done: 6 commits, 6000 events
`,
  'arrow-streams': `25000 rows, sum 0.630579
[ 1, 2, 3 ]
`,
  sql: `[ { region: 'north', total: '42.50' } ]
shop.sales: 2 of 3 files, by city = 'Seoul'
[ { n: 2n } ]
`,
  'report-lines': `{"report-type":"commit-report","table-name":"shop.sales","snapshot-id":0,"sequence-number":1,"operation":"append","metrics":{"total-duration":{"time-unit":"nanoseconds","count":1,"total-duration":0},"attempts":{"unit":"count","value":1},"added-data-files":{"unit":"count","value":2},"added-records":{"unit":"count","value":2},"added-files-size-bytes":{"unit":"bytes","value":1},"manifests-created":{"unit":"count","value":1},"manifests-kept":{"unit":"count","value":0},"manifests-replaced":{"unit":"count","value":0},"total-records":{"unit":"count","value":2},"total-files-size-bytes":{"unit":"bytes","value":1},"total-data-files":{"unit":"count","value":2},"total-delete-files":{"unit":"count","value":0},"total-positional-deletes":{"unit":"count","value":0},"total-equality-deletes":{"unit":"count","value":0}},"metadata":{"lakehouse-version":"1"}}
{"report-type":"scan-report","table-name":"shop.sales","snapshot-id":0,"filter":{"type":"eq","term":"city","value":"Seoul"},"schema-id":0,"projected-field-ids":[3],"projected-field-names":["amount"],"metrics":{"total-planning-duration":{"time-unit":"nanoseconds","count":1,"total-duration":0},"result-data-files":{"unit":"count","value":1},"result-delete-files":{"unit":"count","value":0},"total-data-manifests":{"unit":"count","value":1},"total-delete-manifests":{"unit":"count","value":0},"scanned-data-manifests":{"unit":"count","value":1},"scanned-delete-manifests":{"unit":"count","value":0},"skipped-data-manifests":{"unit":"count","value":0},"skipped-delete-manifests":{"unit":"count","value":0},"skipped-data-files":{"unit":"count","value":1},"skipped-delete-files":{"unit":"count","value":0},"total-file-size-in-bytes":{"unit":"bytes","value":1},"total-delete-file-size-in-bytes":{"unit":"bytes","value":0},"indexed-delete-files":{"unit":"count","value":0},"equality-delete-files":{"unit":"count","value":0},"positional-delete-files":{"unit":"count","value":0},"dvs":{"unit":"count","value":0}},"metadata":{"request-id":"42","lakehouse-version":"1"}}
{"report-type":"scan-report","table-name":"shop.sales","snapshot-id":0,"filter":{"type":"gt","term":"city","value":"C"},"schema-id":0,"projected-field-ids":[2,3],"projected-field-names":["city","amount"],"metrics":{"total-planning-duration":{"time-unit":"nanoseconds","count":1,"total-duration":0},"result-data-files":{"unit":"count","value":1},"result-delete-files":{"unit":"count","value":0},"total-data-manifests":{"unit":"count","value":1},"total-delete-manifests":{"unit":"count","value":0},"scanned-data-manifests":{"unit":"count","value":1},"scanned-delete-manifests":{"unit":"count","value":0},"skipped-data-manifests":{"unit":"count","value":0},"skipped-delete-manifests":{"unit":"count","value":0},"skipped-data-files":{"unit":"count","value":1},"skipped-delete-files":{"unit":"count","value":0},"total-file-size-in-bytes":{"unit":"bytes","value":1},"total-delete-file-size-in-bytes":{"unit":"bytes","value":0},"indexed-delete-files":{"unit":"count","value":0},"equality-delete-files":{"unit":"count","value":0},"positional-delete-files":{"unit":"count","value":0},"dvs":{"unit":"count","value":0}},"metadata":{"engine-name":"duckdb","engine-version":"v1","lakehouse-version":"1"}}
`,
  'report-metrics': `lakehouse_scanned_files_total{table="shop.sales"} 2
lakehouse_skipped_manifests_total{table="shop.sales"} 1
lakehouse_added_rows_total{table="shop.sales"} 3
lakehouse_commit_attempts_total{table="shop.sales"} 3
lakehouse_planning_seconds_count{table="shop.sales"} 1
lakehouse_commit_seconds_count{table="shop.sales"} 3
`,
  'look-inside': `3 rows in 3 files, partitioned by day
3 files are small; 0 deletes per row
┌─────────────┬─────────────┬──────┬──────┬─────────┬───────┬──────────────┬──────────────┐
│ column_name │ column_type │ null │ key  │ default │ extra │ iceberg_type │ comment      │
├─────────────┼─────────────┼──────┼──────┼─────────┼───────┼──────────────┼──────────────┤
│ id          │ BIGINT      │ NO   │ NULL │ NULL    │ NULL  │ long         │ NULL         │
│ day         │ DATE        │ YES  │ NULL │ NULL    │ NULL  │ date         │ NULL         │
│ city        │ VARCHAR     │ YES  │ NULL │ NULL    │ NULL  │ string       │ where it was │
└─────────────┴─────────────┴──────┴──────┴─────────┴───────┴──────────────┴──────────────┘
3 rows
┌─────────────────────┬──────────────┬────────────┐
│ partition           │ record_count │ file_count │
├─────────────────────┼──────────────┼────────────┤
│ {day: '2026-03-01'} │            2 │          2 │
│ {day: '2026-03-02'} │            1 │          1 │
└─────────────────────┴──────────────┴────────────┘
2 rows
┌───────┬──────┐
│ files │ rows │
├───────┼──────┤
│     2 │    2 │
└───────┴──────┘
1 row
┌───────────┬─────────┐
│ operation │ records │
├───────────┼─────────┤
│ append    │ 1       │
│ append    │ 3       │
└───────────┴─────────┘
2 rows
`,
};

test('every example is run, those that need a server elsewhere', () => {
  const names = readdirSync(`${examples}src`).filter(
    (file) => file.endsWith('.ts') && !['demo.ts', 's3.ts', 'rest-service.ts'].includes(file),
  );
  expect(Object.keys(printed).toSorted()).toEqual(names.map((file) => file.slice(0, -3)).toSorted());
});

test.each(Object.entries(printed))('%s', async (name, output) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${examples}dist/${name}.js`]);
  expect(stderr).toBe('');
  expect(masked(stdout)).toBe(output);
});

/** Output without what is another time's: ids, durations, sizes and versions. */
function masked(output: string): string {
  return output
    .replaceAll(/"snapshot-id":\d+/g, '"snapshot-id":0')
    .replaceAll(/"total-duration":\d+/g, '"total-duration":0')
    .replaceAll(/"unit":"bytes","value":[1-9]\d*/g, '"unit":"bytes","value":1')
    .replaceAll(/"v[\d.]+"/g, '"v1"')
    .replaceAll(/"lakehouse-version":"[\d.]+"/g, '"lakehouse-version":"1"');
}
