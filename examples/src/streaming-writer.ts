// A stream of web logs becomes a table: micro-batches, exactly once, and new fields become columns as they appear.
//
//   node examples/dist/streaming-writer.js                                       sample logs, until they are written
//   node examples/dist/streaming-writer.js --logs dir --warehouse dir --follow   until Ctrl-C, between two batches
//
// Kill it whenever you like and start it again: it goes on where the table is.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import {
  FileSystemCatalog,
  isLakehouseError,
  partitionBy,
  schema,
  t,
  type Commit,
  type StructType,
  type Table,
} from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { readBatch, type MicroBatch, type Offsets } from './streaming-writer/log-source.ts';
import { writeSampleLogs } from './streaming-writer/sample-logs.ts';

/** In the summary of each snapshot: where the stream was when it was made. */
const OFFSETS = 'web-logs.offsets';
const NOWHERE: Offsets = {};

const { values: args } = parseArgs({
  options: {
    logs: { type: 'string' },
    warehouse: { type: 'string' },
    batch: { type: 'string', default: '1000' },
    follow: { type: 'boolean', default: false },
  },
});
const logs = args.logs ?? (await writeSampleLogs());
const warehouse = args.warehouse ?? (await mkdtemp(join(tmpdir(), 'lakehouse-')));

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await stream(await openTable());

async function openTable(): Promise<Table> {
  if (await catalog.tableExists('web.logs')) return catalog.loadTable('web.logs');
  if (!(await catalog.namespaceExists('web'))) await catalog.createNamespace('web');
  return catalog.createTable('web.logs', {
    schema: schema({
      id: t.string(),
      ts: t.timestamptz(),
      method: t.string(),
      path: t.string(),
      status: t.int(),
      bytes: t.long(),
      client: t.struct({ ip: t.string() }),
      malformed: t.string().doc('a line that was no event'),
    }),
    partitionBy: [partitionBy.day('ts')],
    // A commit every few seconds makes many versions of the metadata, which nobody needs.
    properties: { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '20' },
  });
}

/** Commits batch after batch until there is nothing left or someone says stop. */
async function stream(table: Table): Promise<void> {
  let position = positionOf(table);
  console.log(`web.logs starts at ${position === NOWHERE ? 'the beginning' : JSON.stringify(position)}`);
  const options = { maxEvents: Number(args.batch), maxWaitMs: args.follow ? 1000 : 0, signal: stop.signal };
  while (!stop.signal.aborted) {
    const batch = await readBatch(logs, position, options);
    if (batch.events.length === 0 && !args.follow) break;
    // What was read after the signal is read again next time.
    if (batch.events.length === 0 || stop.signal.aborted) continue;
    const known = columnNames(table.schema);
    const commit = await tryCommit(table, position, batch);
    if (commit?.changed) {
      position = batch.offsets;
      report(
        commit,
        columnNames(table.schema).filter((name) => !known.includes(name)),
      );
    } else {
      // Whatever has happened to the batch, and whoever has written it: the table knows where the stream is.
      position = positionOf(await table.refresh());
    }
  }
  console.log(`done: ${table.snapshots().length} commits, ${await table.scan().count()} events`);
}

/**
 * Events and offsets become visible together or not at all. The key is where the batch begins, which can be committed
 * once only: another writer of the same stream, or an answer that was lost, can't make it twice. Null if other writers
 * or the store were in the way; events that don't fit the table end the program.
 */
async function tryCommit(table: Table, from: Offsets, { events, offsets }: MicroBatch): Promise<Commit | null> {
  try {
    return await table.append(events, {
      mergeSchema: true,
      snapshotProperties: { [OFFSETS]: JSON.stringify(offsets) },
      idempotencyKey: `${OFFSETS}: ${JSON.stringify(from)}`,
    });
  } catch (error) {
    if (!isLakehouseError(error) || !(error.retryable || error.code.startsWith('COMMIT_'))) throw error;
    console.error(`${error.message} Trying again.`);
    await sleep(1000, null, { signal: stop.signal }).catch(() => null);
    return null;
  }
}

/** What the newest snapshot that this stream made says; others, as of a compaction, may have come since. */
function positionOf(table: Table): Offsets {
  const ids = new Map(table.snapshots().map((snapshot) => [snapshot.snapshotId, snapshot]));
  let snapshot = table.currentSnapshot();
  while (snapshot) {
    const offsets = snapshot.summary[OFFSETS];
    if (offsets !== undefined) return JSON.parse(offsets) as Offsets;
    if (snapshot.parentSnapshotId === null) break;
    const parent = ids.get(snapshot.parentSnapshotId);
    if (!parent) throw new Error(`The snapshots of web.logs that knew ${OFFSETS} have been expired.`);
    snapshot = parent;
  }
  return NOWHERE;
}

function report({ summary }: Commit, newColumns: readonly string[]): void {
  const files = Number(summary['added-data-files']);
  const wrote = `${summary['added-records']} events in ${files} file${files === 1 ? '' : 's'}`;
  const found = newColumns.length === 0 ? '' : `; new columns: ${newColumns.join(', ')}`;
  console.log(`${wrote}, ${summary['total-records']} in the table${found}`);
}

/** With those inside of structs, as 'client.ip'. */
function columnNames({ fields }: StructType, prefix = ''): string[] {
  return fields.flatMap(({ name, type }) => {
    const path = prefix + name;
    return type.kind === 'struct' ? [path, ...columnNames(type, `${path}.`)] : [path];
  });
}
