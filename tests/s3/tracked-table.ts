import { FileSystemCatalog, isLakehouseError, schema, systemRuntime, t } from '@lh/core';
import type { FileIO, LakehouseError, Runtime, Table } from '@lh/core';
import type { S3FileIO } from '@lh/io-s3';
import { listUploads } from 'lakehouse-s3-server';
import { expect } from 'vitest';

import { orphans } from '../../packages/core/test/table/support.ts';
import { s3Place } from '../support/s3/vitest/place.ts';

const SHAPE = schema({ id: t.int().required(), n: t.int().required(), text: t.string() }, { identifier: ['id'] });

/** Core waits as long as it says, but no longer than a test can. */
const IMPATIENT: Runtime = {
  ...systemRuntime,
  sleep: (milliseconds, signal) => systemRuntime.sleep(Math.min(milliseconds, 10), signal),
};

type Rows = ReadonlyMap<number, number>;
type Handle = Table<{ id: number; n: number; text: string | null }>;

/** What is done to the table, and the rows that are in it then. */
export interface Change {
  readonly name: string;
  readonly run: (table: Handle, signal?: AbortSignal) => Promise<unknown>;
  readonly after: (rows: Rows) => Rows;
}

export function append(ids: readonly number[], text: string | null = null): Change {
  return {
    name: `append ${ids.length} rows`,
    run: (table, signal) =>
      table.append(
        ids.map((id) => ({ id, n: 0, text })),
        { signal },
      ),
    after: (rows) => new Map([...rows, ...ids.map((id) => [id, 0] as const)]),
  };
}

export function upsert(ids: readonly number[], n: number, mode: 'copy-on-write' | 'merge-on-read'): Change {
  return {
    name: `upsert ${ids.length} rows, ${mode}`,
    run: (table) =>
      table.upsert(
        ids.map((id) => ({ id, n, text: null })),
        { on: 'id', mode },
      ),
    after: (rows) => new Map([...rows, ...ids.map((id) => [id, n] as const)]),
  };
}

export function remove(id: number, mode: 'copy-on-write' | 'merge-on-read'): Change {
  return {
    name: `delete one row, ${mode}`,
    run: (table) => table.delete(`id = ${id}`, { mode }),
    after: (rows) => new Map([...rows].filter(([each]) => each !== id)),
  };
}

/** Two ways to the same store, one of which may fail. */
export interface Ways {
  readonly sound: S3FileIO;
  readonly failing: FileIO;
  /** Until requests that failed can't happen any more. */
  readonly settled: () => Promise<void>;
}

/**
 * A table that is changed by way of a store that may fail, and what must be in it: what was acknowledged, nothing that was
 * refused, and of what nobody knows all or nothing. It is looked at by a way that doesn't fail.
 */
export class TrackedTable {
  readonly #changed: Handle;
  readonly #seen: Handle;
  readonly #ways: Ways;
  /** After each snapshot. */
  readonly #history: Rows[] = [];
  /** What changes failed with. */
  readonly failures: LakehouseError[] = [];

  static async create(warehouse: string, ways: Ways): Promise<TrackedTable> {
    const open = (io: FileIO) => FileSystemCatalog.open({ io, warehouse, runtime: IMPATIENT });
    const properties = { 'commit.manifest.min-count-to-merge': '4' };
    await (await open(ways.sound)).createTable('db.t', { schema: SHAPE, properties });
    const load = async (io: FileIO) => (await (await open(io)).loadTable('db.t')) as unknown as Handle;
    return new TrackedTable(await load(ways.failing), await load(ways.sound), ways);
  }

  private constructor(changed: Handle, seen: Handle, ways: Ways) {
    this.#changed = changed;
    this.#seen = seen;
    this.#ways = ways;
  }

  /** The way that may fail. */
  get handle(): Handle {
    return this.#changed;
  }

  get location(): string {
    return this.#seen.location;
  }

  get rows(): Rows {
    return this.#history.at(-1) ?? new Map();
  }

  /** Makes a change; true if it was acknowledged. An error must be one that the library means. */
  async make(change: Change): Promise<boolean> {
    const after = change.after(this.rows);
    try {
      await change.run(this.#changed);
      this.#history.push(after);
      return true;
    } catch (error) {
      if (!isLakehouseError(error)) throw error;
      this.failures.push(error);
      await this.#ways.settled();
      await this.#seen.refresh();
      const happened = this.#seen.snapshots().length > this.#history.length;
      if (happened) this.#history.push(after);
      checkFailure(error, happened, change.name);
      return false;
    }
  }

  /** Reads all rows, and lists all files, by the way that may fail. */
  async read(): Promise<void> {
    await this.#changed.refresh();
    checkSame(await rowsOf(this.#changed), sorted(this.rows));
    await this.#changed.removeOrphanFiles({ dryRun: true });
  }

  /**
   * Nothing is lost and nothing doubled, in the table and in all of its snapshots. What is left over is found as orphans,
   * and is gone then. Returns how many there were.
   */
  async check(): Promise<number> {
    const table = this.#seen;
    await this.#ways.settled();
    await table.refresh();
    const snapshots = table.snapshots();
    checkSame(snapshots.length, this.#history.length);
    for (const [i, { snapshotId }] of snapshots.entries()) {
      checkSame(await rowsOf(table, snapshotId), sorted(this.#history[i]!));
    }
    const { orphanFiles, failed } = await table.removeOrphanFiles({ olderThan: Date.now() + 60_000 });
    checkSame(failed, []);
    checkSame(await orphans(table, this.#ways.sound), []);
    checkSame(await listUploads(s3Place(), new URL(this.location).host), []);
    checkSame(await rowsOf(table), sorted(this.rows));
    return orphanFiles.length;
  }
}

/** Only who says so may have done something. */
function checkFailure({ code, message }: LakehouseError, happened: boolean, what: string): void {
  expect(
    happened ? ['COMMIT_STATE_UNKNOWN'] : ['COMMIT_STATE_UNKNOWN', 'UNAVAILABLE'],
    `${what}: ${message}`,
  ).toContain(code);
}

function checkSame(found: unknown, wanted: unknown): void {
  expect(found).toEqual(wanted);
}

async function rowsOf(table: Handle, snapshotId?: bigint): Promise<readonly (readonly [number, number])[]> {
  const rows = await table.scan({ select: ['id', 'n'], snapshotId }).toRows();
  return rows.map(({ id, n }) => [id, n] as const).toSorted(([a], [b]) => a - b);
}

function sorted(rows: Rows): readonly (readonly [number, number])[] {
  return [...rows].toSorted(([a], [b]) => a - b);
}
