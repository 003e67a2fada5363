import { expect, test } from 'vitest';
import { isLakehouseError } from '../../src/errors.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { newTable } from '../table/support.ts';

// Whenever a job is told to stop, it stops soon, the table has the rows it had, and what is left over can be cleaned up.

const HOUR_MS = 60 * 60 * 1000;
/** It is told at each of so many requests. */
const STEP = 5;

const untidy = await untidyTable();

async function untidyTable(): Promise<{ readonly io: MemoryFileIO; readonly location: string }> {
  const io = new MemoryFileIO();
  const table = await newTable(
    {
      schema: schema({ id: t.long().required(), part: t.int() }),
      partitionBy: [partitionBy.identity('part')],
      properties: { 'commit.manifest-merge.enabled': 'false', 'write.delete.granularity': 'partition' },
    },
    { io, runtime: new SeededRuntime(4) },
  );
  for (let from = 0; from < 12; from += 4) {
    await table.append([0, 1, 2, 3].map((i) => ({ id: BigInt(from + i), part: i % 2 })));
    await table.delete(`id = ${from}`, { mode: 'merge-on-read' });
  }
  await table.rowDelta({ equalityDeletes: { fields: ['id', 'part'], rows: [{ id: 3n, part: 1 }] } });
  await io.write(`${table.location}/data/lost.parquet`, Uint8Array.of(1));
  return { io, location: table.location };
}

/** The same table in a store of its own, an hour later. */
async function copyOfTable(): Promise<{ readonly io: MemoryFileIO; readonly runtime: SeededRuntime }> {
  const runtime = new SeededRuntime(5);
  const io = new MemoryFileIO({ runtime });
  for await (const { location } of untidy.io.list('memory:/')) await io.write(location, await untidy.io.read(location));
  runtime.advance(HOUR_MS);
  return { io, runtime };
}

interface Options {
  readonly signal: AbortSignal;
}

const JOBS: Readonly<Record<string, (table: Table, options: Options) => Promise<unknown>>> = {
  rewriteDataFiles: (table, options) =>
    table.rewriteDataFiles({ rewriteAll: true, removeDanglingDeletes: true, ...options }),
  'rewriteDataFiles, sorted, in parts': (table, options) =>
    table.rewriteDataFiles({
      strategy: 'sort',
      sortBy: ['id'],
      rewriteAll: true,
      partialProgress: { enabled: true },
      maxConcurrentFileGroupRewrites: 1,
      ...options,
    }),
  rewriteManifests: (table, options) => table.rewriteManifests(options),
  rewritePositionDeletes: (table, options) => table.rewritePositionDeletes({ rewriteAll: true, ...options }),
  convertEqualityDeletes: (table, options) => table.convertEqualityDeletes(options),
  expireSnapshots: (table, options) => table.expireSnapshots({ olderThan: '2100-01-01', ...options }),
  removeOrphanFiles: (table, options) => table.removeOrphanFiles({ olderThan: '2100-01-01', ...options }),
  computeStats: (table, options) => table.computeStats(options),
  rewriteTablePath: (table, options) =>
    table.rewriteTablePath({ sourcePrefix: table.location, targetPrefix: 's3://b/t', ...options }),
  maintain: (table, options) => table.maintain({ snapshots: { olderThan: '2100-01-01' }, ...options }),
};

async function ids(table: Table): Promise<readonly bigint[]> {
  const rows = (await table.scan().toRows()) as { id: bigint }[];
  return rows.map(({ id }) => id).toSorted((a, b) => Number(a - b));
}

/** What is still asked for once it stops: what is under way beside it, and deleting what was staged. */
const FEW_CALLS = 20;

test.each(Object.keys(JOBS))('%s', async (name) => {
  const job = JOBS[name]!;
  let wasAborted = 0;
  for (let after = 0, isThrough = false; !isThrough; after += STEP) {
    const { io, runtime } = await copyOfTable();
    const { location } = untidy;
    const stop = new AbortController();
    // Not counted yet.
    let calls = Number.NEGATIVE_INFINITY;
    const count = (): boolean => {
      if (calls++ === after) stop.abort();
      return false;
    };
    const watched = new FaultInjectingFileIO(io, { rules: [{ fault: 'delay', when: count }] });
    const table = await Table.load(location, { io: watched, runtime });
    const before = await ids(table);
    calls = 0;
    const outcome = await job(table, { signal: stop.signal }).catch((error: unknown) => error);
    if (isLakehouseError(outcome)) {
      expect(outcome.code, outcome.message).toBe('ABORTED');
      wasAborted++;
      expect(calls - after, `calls after the one of number ${after}`).toBeLessThan(FEW_CALLS);
    } else if (outcome instanceof Error) throw outcome;
    isThrough = calls <= after;
    const found = await Table.load(location, { io, runtime });
    expect(await ids(found)).toEqual(before);
    await found.removeOrphanFiles({ olderThan: '2100-01-01' });
    expect(await ids(found)).toEqual(before);
  }
  expect(wasAborted).toBeGreaterThan(2);
});
