import { beforeAll, describe, expect, it } from 'vitest';
import { FileSystemCatalog } from '../../src/catalog/file-system-catalog.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Table } from '../../src/table.ts';
import { MeasuringFileIO } from '../../src/testing/measuring-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';

const LATENCY_MS = 10;
const WAREHOUSE = 's3://b/wh';
const SCHEMA = schema({ id: t.long(), kind: t.string() });

interface Measured<T> {
  readonly result: T;
  /** Requests that were made one after the other. */
  readonly depth: number;
  readonly requests: readonly string[];
}

/** A store that is far away, as a process sees it that has read nothing of it yet. */
class FarStore {
  readonly runtime: SeededRuntime;
  readonly io: MeasuringFileIO;

  constructor(io: FileIO, seed = 1) {
    this.runtime = new SeededRuntime(seed);
    const capabilities = { concurrency: 32 };
    this.io = new MeasuringFileIO(io, { runtime: this.runtime, latencyMs: LATENCY_MS, capabilities });
  }

  async measure<T>(work: () => Promise<T>): Promise<Measured<T>> {
    const [startedMs, before] = [this.runtime.now(), this.io.requests.length];
    const [outcome] = await this.runtime.run([work]);
    if (outcome!.status === 'rejected') throw outcome!.reason as Error;
    const requests = this.io.requests.slice(before).map(({ operation, location }) => `${operation} ${location}`);
    return { result: outcome!.value, depth: (this.runtime.now() - startedMs) / LATENCY_MS, requests };
  }

  async load(): Promise<Measured<Table>> {
    const catalog = await FileSystemCatalog.open({ io: this.io, warehouse: WAREHOUSE, runtime: this.runtime });
    return this.measure(() => catalog.loadTable('db.t'));
  }
}

/** A table of as many commits, each with a manifest and a file of its own, and deletes in the last of them. */
async function makeTable(appends: number, deletes: number): Promise<MemoryFileIO> {
  const io = new MemoryFileIO();
  const catalog = await FileSystemCatalog.open({ io, warehouse: WAREHOUSE, runtime: new SeededRuntime(2) });
  await catalog.createNamespace('db');
  const table = await catalog.createTable('db.t', {
    schema: SCHEMA,
    properties: { 'commit.manifest-merge.enabled': 'false' },
  });
  for (let i = 0; i < appends; i++) await table.append([1, 2, 3].map((n) => ({ id: BigInt(10 * i + n), kind: 'a' })));
  for (let i = 0; i < deletes; i++) await table.delete(`id = ${10 * i + 1}`, { mode: 'merge-on-read' });
  return io;
}

describe('a table that is far away', () => {
  let appended: MemoryFileIO;
  beforeAll(async () => {
    appended = await makeTable(20, 0);
  });

  it('is loaded and planned in four round trips, however many manifests there are', async () => {
    const store = new FarStore(appended);
    const { result: table, depth, requests } = await store.load();
    expect(depth).toBe(2);
    expect(requests).toHaveLength(8);
    const plan = await store.measure(() => table.scan().plan());
    expect(plan.result.tasks).toHaveLength(20);
    expect(plan.depth).toBe(2);
    expect(plan.requests).toHaveLength(21);
  });

  it('is planned as deep with deletes', async () => {
    const store = new FarStore(await makeTable(4, 3));
    const { result: table } = await store.load();
    const plan = await store.measure(() => table.scan({ filter: 'id > 0' }).plan());
    expect(plan.result.tasks.map((task) => task.deletes.length)).toEqual([0, 1, 1, 1]);
    expect(plan.depth).toBe(2);
    expect(plan.requests).toHaveLength(8);
  });

  it('is planned again without a request, by every handle', async () => {
    const store = new FarStore(appended);
    const first = (await store.load()).result;
    await store.measure(() => first.scan().plan());
    const second = (await store.load()).result;
    for (const table of [first, second]) {
      const plan = await store.measure(() => table.scan({ filter: 'id < 50' }).plan());
      expect(plan.result.tasks).toHaveLength(5);
      expect(plan.requests).toEqual([]);
    }
  });

  it('is refreshed in one round trip if nothing has changed', async () => {
    const store = new FarStore(appended);
    const { result: table } = await store.load();
    const refreshed = await store.measure(() => table.refresh());
    expect(refreshed.depth).toBe(1);
    expect(refreshed.requests.filter((request) => !request.startsWith('stat'))).toEqual([]);
  });

  it('is read several files at a time, each small one in one request', async () => {
    const store = new FarStore(appended);
    const { result: table } = await store.load();
    const rows = await store.measure(() => table.scan().toRows());
    expect(rows.result.map(({ id }) => id)).toHaveLength(60);
    expect(rows.requests).toHaveLength(1 + 20 + 20);
    // The plan, then two files, then more and more.
    expect(rows.depth).toBe(2 + 3);
    const counted = await store.measure(() => table.scan({ filter: 'id > 12 AND id <= 22' }).count());
    expect(counted.result).toBe(3);
    expect(counted.requests).toHaveLength(2);
    expect(counted.depth).toBe(1);
  });

  it('is read no further than the rows that are wanted', async () => {
    const store = new FarStore(appended);
    const { result: table } = await store.load();
    const rows = await store.measure(() => table.scan({ limit: 5 }).toRows());
    expect(rows.result).toHaveLength(5);
    expect(rows.requests.filter((request) => request.endsWith('.parquet'))).toHaveLength(2);
  });

  it('takes an append in six round trips: the commit is done after four of them, the hint is right after six', async () => {
    const store = new FarStore(await makeTable(3, 0));
    const { result: table } = await store.load();
    const append = (): Promise<unknown> => table.append([{ id: 1n, kind: 'a' }]);
    // The first commit reads the manifest list that it builds on, and finds out what the store can do.
    expect((await store.measure(append)).depth).toBe(9);
    const { depth, requests } = await store.measure(append);
    expect(depth).toBe(6);
    const writes = requests
      .filter((request) => request.startsWith('write'))
      .map((request) => request.split('/').at(-1));
    expect(writes).toEqual([
      expect.stringMatching(/\.parquet$/),
      expect.stringMatching(/-m0\.avro$/),
      expect.stringMatching(/^snap-/),
      'v6.metadata.json',
      'version-hint.text',
    ]);
  });

  it('takes an append on a version that others have replaced in nine', async () => {
    const io = await makeTable(3, 0);
    const [store, other] = [new FarStore(io), new FarStore(io, 3)];
    const [{ result: table }, { result: theirs }] = [await store.load(), await other.load()];
    const append = (to: Table) => () => to.append([{ id: 1n, kind: 'a' }]);
    await store.measure(append(table));
    await other.measure(append(theirs));
    const late = await store.measure(append(table));
    expect(late.result).toMatchObject({ attempts: 1 });
    expect(late.depth).toBe(9);
    const plan = await store.measure(() => table.scan().plan());
    // What was written here is known: the list, and two of six manifests.
    expect(plan.result.tasks).toHaveLength(6);
    expect(plan.requests).toHaveLength(4);
    expect(plan.depth).toBe(1);
  });
});
