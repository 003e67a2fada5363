// `npm run demo`: three million real US flights become an Iceberg table that other engines can open.
import { fileURLToPath } from 'node:url';

import { FileSystemCatalog, isLakehouseError, partitionBy, schema, t } from '@lh/core';
import { Lakehouse } from '@lh/sql';

import { demoPlace } from './demo/place.ts';
import { Progress, bold, code, count, dim, green, say, seconds, step } from './demo/terminal.ts';

// A store that can't be reached, keys that are wrong: a sentence says what to do, no stack trace.
process.on('uncaughtException', (error) => {
  console.error(isLakehouseError(error) ? `\n${error.code}: ${error.message}` : error);
  process.exit(1);
});

const started = performance.now();
const place = await demoPlace(process.argv.slice(2));
if (place === null) process.exit(1);
const flightsFile = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')));

console.log(bold('\nAn Apache Iceberg table, in this Node process'));
say('', ...place.about);

const catalog = await FileSystemCatalog.open({ io: place.io, warehouse: place.warehouse });
const lake = await Lakehouse.open({ catalog });

// ---------------------------------------------------------------------------------------------------------------
step('Create a table, partitioned by month');
code(`${place.code}
const flights = await catalog.createTable('air.flights', {
  schema: schema({ date: t.timestamp(), delay: t.int(), distance: t.int(), origin: t.string(), destination: t.string() }),
  partitionBy: [partitionBy.month('date')],
});`);

if (!(await catalog.namespaceExists('air'))) await catalog.createNamespace('air');
if (await catalog.tableExists('air.flights')) await catalog.dropTable('air.flights', { purge: true });
const flights = await catalog.createTable('air.flights', {
  schema: schema({
    date: t.timestamp(),
    delay: t.int(),
    distance: t.int(),
    origin: t.string(),
    destination: t.string(),
  }),
  partitionBy: [partitionBy.month('date')],
});
say(`${green('✓')} ${flights.location}`);

// ---------------------------------------------------------------------------------------------------------------
step('Append four months, one commit each, streamed as Arrow batches');
code(`const month = await lake.sql("SELECT … FROM read_parquet('flights-3m.parquet') WHERE date >= …");
await flights.append(month.batches());`);

const months = ['January', 'February', 'March', 'April', 'May', 'June'];
for (const index of [0, 1, 2, 3]) {
  const columns = 'date, delay::INTEGER AS delay, distance::INTEGER AS distance, origin, destination';
  await appendMonth(index, columns);
}

/** Streams the flights of one month from the Parquet file of vega-datasets into the table. */
async function appendMonth(index: number, columns: string): Promise<void> {
  const since = performance.now();
  const progress = new Progress(`${months[index]} 2001`.padEnd(14));
  const month = await lake.sql(
    `SELECT ${columns} FROM read_parquet('${flightsFile.replaceAll("'", "''")}')
     WHERE date >= TIMESTAMP '2001-0${index + 1}-01' AND date < TIMESTAMP '2001-0${index + 2}-01'`,
  );
  let rows = 0;
  const counted = async function* () {
    for await (const batch of month.batches()) {
      rows += batch.numRows;
      progress.update(`${count(rows)} rows`);
      yield batch;
    }
  };
  const { summary } = await flights.append(counted());
  const files = Number(summary['added-data-files']);
  progress.done(`${count(rows)} rows in ${files} file${files === 1 ? '' : 's'}, ${seconds(since)}`);
}

// ---------------------------------------------------------------------------------------------------------------
step('Ask in SQL: which were the worst routes of March?');
await ask(`SELECT origin, destination, count(*) AS flights, round(avg(delay), 1) AS avg_delay
FROM air.flights
WHERE date >= '2001-03-01' AND date < '2001-04-01'
GROUP BY ALL HAVING count(*) >= 300
ORDER BY avg_delay DESC LIMIT 5`);

/** Runs a query, prints it, its result, and how many files it had to open. */
async function ask(sql: string): Promise<void> {
  code(sql);
  const since = performance.now();
  const result = await lake.sql(sql);
  const took = seconds(since);
  say(result.table().trimEnd(), '');
  for (const { filesScanned, filesTotal, filesSkipped, filesSkippedBy, access } of result.scans) {
    say(`${green('✓')} scanned ${bold(`${filesScanned} of ${filesTotal} files`)} in ${took}`);
    const reasons = {
      'manifest summaries': filesSkippedBy.manifestSummary,
      partitions: filesSkippedBy.partition,
      'column bounds': filesSkippedBy.metrics,
    };
    const why = Object.entries(reasons).filter(([, files]) => files > 0);
    if (access.bytesFetched > 0) {
      const fetched = `  fetched ${count(Math.ceil(access.bytesFetched / 1024))} KiB in ${access.requests} requests`;
      say(dim(`${fetched}: the column chunks that the query needs`));
    }
    if (filesSkipped > 0) say(dim(`  skipped by ${why.map(([reason, files]) => `${reason}: ${files}`).join(', ')}`));
  }
}

// ---------------------------------------------------------------------------------------------------------------
step('Change the schema: no file is touched');
code(`await flights.updateSchema((s) =>
  s.renameColumn('delay', 'delay_minutes').updateColumn('distance', t.long()).addColumn('delayed', t.boolean()));`);
const since = performance.now();
await flights.updateSchema((s) =>
  s.renameColumn('delay', 'delay_minutes').updateColumn('distance', t.long()).addColumn('delayed', t.boolean()),
);
say(`${green('✓')} renamed, widened and added a column in ${seconds(since)}; no data file was read or written`);

// ---------------------------------------------------------------------------------------------------------------
step('Change the partitioning: months for what is there, days from now on');
code(`await flights.updateSpec((p) => p.remove('date_month').add(partitionBy.day('date')));`);
await flights.updateSpec((p) => p.remove('date_month').add(partitionBy.day('date')));
for (const index of [4, 5]) {
  const columns = `date, delay::INTEGER AS delay_minutes, distance, origin, destination, delay > 15 AS delayed`;
  await appendMonth(index, columns);
}
await appendLastFlights();

/** A few minutes past midnight on July 1st: plain rows this time. */
async function appendLastFlights(): Promise<void> {
  const last = await lake.sql(
    `SELECT date, delay::INTEGER AS delay_minutes, distance, origin, destination, delay > 15 AS delayed
     FROM read_parquet('${flightsFile.replaceAll("'", "''")}') WHERE date >= TIMESTAMP '2001-07-01'`,
  );
  const rows = await last.rows();
  await flights.append(rows);
  say(`${green('✓')} ${'July 1st'.padEnd(14)}  ${rows.length} rows, as plain objects`);
}

// ---------------------------------------------------------------------------------------------------------------
step('Ask again: one day is one file now, and a query may span both layouts');
await ask(`SELECT date::DATE AS day, count(*) AS flights, round(avg(delay_minutes), 1) AS avg_delay,
       count(*) FILTER (WHERE delayed) AS delayed
FROM air.flights
WHERE date >= '2001-06-15' AND date < '2001-06-16' AND origin = 'ORD'
GROUP BY ALL`);
say('');
await ask(`SELECT month(date) AS month, count(*) AS flights, round(avg(distance)) AS avg_miles
FROM air.flights WHERE date >= '2001-04-30' AND date < '2001-05-03' GROUP BY ALL ORDER BY month`);

// ---------------------------------------------------------------------------------------------------------------
step('Travel in time');
const history = flights.snapshots();
for (const [index, snapshot] of history.entries()) {
  const when = new Date(snapshot.timestampMs).toISOString();
  const total = count(Number(snapshot.summary['total-records'] ?? 0));
  say(
    `${dim(`${index + 1}`.padStart(2))}  ${when}  ${String(snapshot.snapshotId).padStart(19)}  ${total.padStart(9)} rows`,
  );
}
say('');
const second = history[1]!;
code(`await flights.scan({ snapshotId: ${second.snapshotId}n }).count();
await flights.scan({ asOf: '${new Date(second.timestampMs).toISOString()}' }).count();
await lake.sql('SELECT count(*) FROM air.flights AT (VERSION => ${second.snapshotId})');`);
const byId = await flights.scan({ snapshotId: second.snapshotId }).count();
const byTime = await flights.scan({ asOf: second.timestampMs }).count();
const inSql = await lake.sql(`SELECT count(*) AS n FROM air.flights AT (VERSION => ${second.snapshotId})`);
const [row] = await inSql.rows();
say(
  `${green('✓')} ${count(byId)}, ${count(byTime)} and ${count(row!['n'] as bigint)} flights: the table after February`,
);
const shape = flights.scan({ snapshotId: second.snapshotId }).schema.fields.map((field) => field.name);
say(`${green('✓')} its columns are those of then: ${shape.join(', ')}`);

await lake.close();

// ---------------------------------------------------------------------------------------------------------------
step('Open the same table from other engines');
say(...place.openElsewhere(flights));
await place.close();

say('', `${bold('Done')} in ${seconds(started)}. Run it again as often as you like; the table is made anew.`);
