import {
  MemoryCatalog,
  MemoryFileIO,
  Table,
  isLakehouseError,
  partitionBy,
  schema,
  t,
  FileSystemCatalog,
} from '@lh/core';
import type { FileIO, FormatVersion } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { checkOutcome } from './check-outcome.ts';
import { Machine, Process } from './machine.ts';
import type { Hazard, Rates } from './machine.ts';
import { PARTITION_WIDTHS, randomOperations } from './operations.ts';
import type { DrawnKind } from './operations.ts';
import { OLD_KEYS } from './row-operations.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedStore } from './simulated-store.ts';
import { mountedDisk } from './mounted-disk.ts';
import { ObservedHistory } from './observed-history.ts';
import { openSince, writerLife } from './writer.ts';
import type { Job } from './writer.ts';

const HOUR_MS = 3_600_000;
const shape = schema({ k: t.int().required(), n: t.int() });

export interface Simulated {
  /** Everything that happened, in short: the same for the same seed. */
  readonly trace: string;
  readonly counts: ReadonlyMap<Hazard, number>;
  readonly jobs: readonly Job[];
}

/** How a simulation is made worse, to see that it notices. */
export interface SimulateOptions {
  /** The time since which orphans are removed, in milliseconds before now; three days if left out. */
  readonly orphanAgeMs?: number;
  /** What processes have in place of their FileIO. */
  readonly wrap?: (io: FileIO) => FileIO;
  /** Whether jobs whose outcome is unknown are made again just so. */
  readonly withoutKeys?: boolean;
  /** What a disk that lies does not sync. */
  readonly ignoresSyncOf?: 'files' | 'directories';
  /** What operations are drawn from; all kinds if left out. */
  readonly kinds?: readonly DrawnKind[];
  readonly formatVersion?: FormatVersion;
}

/**
 * One history of a table that several writers and a cleaner work on while things go wrong, drawn from a seed. Throws if
 * anything is lost, doubled or broken in the end.
 */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Simulated> {
  await warmUp();
  const machine = new Machine(seed);
  const { runtime } = machine;
  const place = machine.chance(0.5) ? diskPlace(machine, options) : storePlace(machine);
  const drawnVersion = ([1, 2, 2, 3, 3] as const)[machine.randomInteger(5)]!;
  const formatVersion = options.formatVersion ?? drawnVersion;
  const jobs: Job[] = [];
  const results = await runtime.run([
    async () => {
      const location = await createTable(machine, place.calm, formatVersion);
      // Each process has a connection of its own.
      const history = new ObservedHistory();
      const connect = (): (() => Promise<Table>) => {
        const io = history.watch(options.wrap ? options.wrap(place.connect()) : place.connect());
        return () => Table.load(location, { io, runtime });
      };
      const writers = drawWriters(machine, formatVersion, options.kinds);
      jobs.push(...writers.flatMap((writer) => writer.jobs));
      let working = writers.length;
      const isOver = (): boolean => working === 0;
      await Promise.all([
        ...writers.map(async ({ rates, jobs: own }) => {
          await untilDone(machine, rates, () => writerLife(machine, connect(), own, !options.withoutKeys));
          working--;
        }),
        clean(machine, connect, isOver, options),
        expire(machine, connect, isOver, jobs),
        place.failNowAndThen(isOver),
      ]);
      // Requests that are under way may still arrive.
      await runtime.sleep(10_000);
      const table = await Table.load(location, { io: place.calm, runtime });
      await checkOutcome(table, history.whole(table), jobs, formatVersion);
    },
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const outcomes = jobs.map(({ operation, outcome, attempts }) => `${operation.kind} ${outcome} ${attempts}`);
  const hazards = [...machine.counts].map(([hazard, count]) => `${hazard} ${count}`);
  return { trace: [...outcomes, ...hazards, runtime.now()].join('; '), counts: machine.counts, jobs };
}

let warm: Promise<unknown> | undefined;

/** Loads what is loaded with the first write: nothing in a simulation may wait for the real world. */
function warmUp(): Promise<unknown> {
  const catalog = new MemoryCatalog({ io: new MemoryFileIO(), warehouse: 'memory:/warm' });
  warm ??= catalog
    .createNamespace('db')
    .then(() => catalog.createTable('db.t', { schema: shape }))
    .then((table) => table.append([{ k: 1, n: 1 }]));
  return warm;
}

interface Place {
  /** As a process sees it. */
  connect(): FileIO;
  /** The same without faults. */
  readonly calm: FileIO;
  failNowAndThen(isOver: () => boolean): Promise<void>;
}

function diskPlace(machine: Machine, { ignoresSyncOf }: SimulateOptions): Place {
  const disk = new SimulatedDisk(machine, ignoresSyncOf);
  mountedDisk.current = disk;
  const failures = machine.chance(0.5) ? 1 + machine.randomInteger(3) : 0;
  return {
    connect: () => new LocalFileIO(),
    calm: new LocalFileIO(),
    async failNowAndThen(isOver) {
      for (let failure = 0; failure < failures; failure++) {
        await machine.runtime.sleep(machine.runtime.random() ** 2 * 3000);
        if (isOver()) return;
        machine.count('power failure');
        machine.killAll();
        disk.fail();
      }
    },
  };
}

function storePlace(machine: Machine): Place {
  const store = new MemoryFileIO({ runtime: machine.runtime });
  return {
    connect: () => new SimulatedStore(machine, store),
    calm: store,
    failNowAndThen: () => Promise.resolve(),
  };
}

async function createTable(machine: Machine, io: FileIO, formatVersion: FormatVersion): Promise<string> {
  const { runtime } = machine;
  const catalog = await FileSystemCatalog.open({ io, warehouse: '/wh', runtime });
  await catalog.createNamespace('db');
  const trims = machine.chance(0.5);
  const width = PARTITION_WIDTHS[machine.randomInteger(PARTITION_WIDTHS.length)]!;
  const table = await catalog.createTable('db.t', {
    schema: shape,
    formatVersion,
    ...(width !== null && { partitionBy: [partitionBy.truncate(width, 'k')] }),
    properties: {
      // What is compressed takes time and tells nothing.
      'write.parquet.compression-codec': 'uncompressed',
      'write.avro.compression-codec': 'uncompressed',
      'write.wap.enabled': 'true',
      'commit.retry.num-retries': String(2 + machine.randomInteger(10)),
      'commit.manifest.min-count-to-merge': String(2 + machine.randomInteger(4)),
      ...(trims && {
        'write.metadata.delete-after-commit.enabled': 'true',
        'write.metadata.previous-versions-max': String(1 + machine.randomInteger(3)),
      }),
    },
  });
  return table.location;
}

interface Writer {
  readonly rates: Rates;
  readonly jobs: readonly Job[];
}

function drawWriters(machine: Machine, formatVersion: FormatVersion, kinds?: readonly DrawnKind[]): readonly Writer[] {
  let nextKey = OLD_KEYS;
  const context = {
    formatVersion,
    kinds,
    respecs: machine.chance(0.4),
    randomInteger: machine.randomInteger,
    freshKeys: (count: number) => Array.from({ length: count }, () => nextKey++),
  };
  return Array.from({ length: 3 }, (_, writer) => ({
    rates: drawRates(machine),
    jobs: Array.from({ length: 2 + machine.randomInteger(3) }, (_job, number) =>
      randomOperations(context, `${writer}-${number}`).map((operation): Job => {
        // Idempotency keys are kept in snapshots: a change without one can't have one.
        const repeats = (operation.effects.length > 0 || operation.repeatable === true) && machine.chance(0.4);
        return { operation, repeats, outcome: 'pending', attempts: 0, doubtful: false, startedMs: null };
      }),
    ).flat(),
  }));
}

/** Rates that make some processes suffer with every call, and others hardly ever. */
function drawRates({ runtime }: Machine): Rates {
  const rate = (most: number): number => (runtime.random() < 0.5 ? 0 : runtime.random() ** 3 * most);
  return {
    'process killed': rate(0.05),
    'system call failed': rate(0.05),
    'disk full': rate(0.05),
    outage: rate(0.03),
    'request throttled': rate(0.2),
    'answer lost': rate(0.2),
    'request arrives late': rate(0.2),
    'request arrives twice': rate(0.2),
    'stalled for hours': rate(0.01),
    slow: rate(0.1),
    'write aborted': rate(0.5),
  };
}

/** Starts a process again as often as it is killed; in the end without what kills it. */
async function untilDone(machine: Machine, rates: Rates, life: () => Promise<void>): Promise<void> {
  for (let lives = 1; ; lives++) {
    const process = new Process(lives < 10 ? rates : { ...rates, 'process killed': 0 });
    if ((await machine.run(process, life)) === 'done') return;
    if (rates['process killed']) machine.count('process killed');
    await machine.runtime.sleep(machine.runtime.random() * 500);
  }
}

/** Removes orphans from time to time while the writers work, as maintenance does. */
async function clean(
  machine: Machine,
  connect: () => () => Promise<Table>,
  isOver: () => boolean,
  { orphanAgeMs }: SimulateOptions,
): Promise<void> {
  const { runtime } = machine;
  const rates = drawRates(machine);
  for (let round = 0; round < 3 && !isOver(); round++) {
    await runtime.sleep(runtime.random() ** 3 * 5 * 24 * HOUR_MS);
    await machine.run(new Process(rates), async () => {
      try {
        const table = await connect()();
        await table.removeOrphanFiles(orphanAgeMs === undefined ? {} : { olderThan: runtime.now() - orphanAgeMs });
      } catch (error) {
        if (!isLakehouseError(error, 'UNAVAILABLE') && !isLakehouseError(error, 'RESOURCE_EXHAUSTED')) throw error;
      }
    });
  }
}

/** What may become of an expiry, and is no harm. */
const HARMLESS: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'COMMIT_CONFLICT',
  'COMMIT_STATE_UNKNOWN',
  // A branch was made meanwhile that is at one of the snapshots.
  'INVALID_ARGUMENT',
]);

/**
 * Expires the oldest snapshots of main from time to time. Those of jobs that are not done yet stay: the idempotency key of
 * a job is known as long as its snapshot is; and those of tables whose specs change, which are read in the end.
 */
async function expire(
  machine: Machine,
  connect: () => () => Promise<Table>,
  isOver: () => boolean,
  jobs: readonly Job[],
): Promise<void> {
  const { runtime } = machine;
  if (machine.chance(0.4) || jobs.some(({ operation }) => operation.kind === 'change spec')) return;
  const rates = drawRates(machine);
  for (let round = 0; round < 4 && !isOver(); round++) {
    await runtime.sleep(runtime.random() ** 3 * 3 * 24 * HOUR_MS);
    await machine.run(new Process(rates), async () => {
      try {
        const table = await connect()();
        const cutoffMs = Math.min(runtime.now() - runtime.random() ** 2 * 24 * HOUR_MS, openSince(jobs));
        const atRefs = new Set(Object.values(table.refs()).map(({ snapshotId }) => snapshotId));
        const snapshotIds: bigint[] = [];
        for (const { snapshotId, timestampMs } of mainOf(table)) {
          if (atRefs.has(snapshotId) || timestampMs >= cutoffMs) break;
          snapshotIds.push(snapshotId);
        }
        await table.expireSnapshots({ snapshotIds, olderThan: 0 });
      } catch (error) {
        if (!isLakehouseError(error) || !HARMLESS.has(error.code)) throw error;
      }
    });
  }
}

/** As far as the table still knows it, oldest first. */
function mainOf(table: Table): readonly { readonly snapshotId: bigint; readonly timestampMs: number }[] {
  const byId = new Map(table.snapshots().map((snapshot) => [snapshot.snapshotId, snapshot]));
  const line = [];
  for (let at = table.currentSnapshot(); at; at = byId.get(at.parentSnapshotId ?? 0n) ?? null) line.push(at);
  return line.toReversed();
}
