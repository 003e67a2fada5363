import { MemoryCatalog, MemoryFileIO, Table, partitionBy, schema, t, FileSystemCatalog } from '@lh/core';
import type { FileIO, FormatVersion } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { checkOutcome } from './check-outcome.ts';
import { clean, expire } from './cleaning.ts';
import { Machine, Process, drawRates, drawnFrom } from './machine.ts';
import type { Hazard, Rates } from './machine.ts';
import { PARTITION_WIDTHS, randomOperations } from './operations.ts';
import type { DrawnKind } from './operations.ts';
import { OLD_KEYS } from './row-operations.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedStore } from './simulated-store.ts';
import { mountedDisk } from './mounted-disk.ts';
import { ObservedHistory } from './observed-history.ts';
import { Progress } from './progress.ts';
import { upkeep } from './upkeep.ts';
import type { UpkeepKind, UpkeepRun } from './upkeep.ts';
import { writerLife } from './writer.ts';
import type { Job, Outcome } from './writer.ts';

const shape = schema({ k: t.int().required(), n: t.int() });

export interface Simulated {
  /** Everything that happened, in short: the same for the same seed. */
  readonly trace: string;
  readonly counts: ReadonlyMap<Hazard, number>;
  /** How everything that was tried ended. */
  readonly outcomes: readonly { readonly kind: string; readonly outcome: Outcome }[];
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
  /** What maintenance is drawn from; all kinds if left out. */
  readonly upkeepKinds?: readonly UpkeepKind[];
  /** What goes wrong with it; drawn if left out. */
  readonly upkeepRates?: Rates;
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
  const isStreamed = options.kinds === undefined && machine.chance(0.25);
  const drawnVersion = drawnFrom(machine, isStreamed ? ([2, 2, 3] as const) : ([1, 2, 2, 3, 3] as const));
  const formatVersion = options.formatVersion ?? drawnVersion;
  const jobs: Job[] = [];
  const runs: UpkeepRun[] = [];
  const results = await runtime.run([
    async () => {
      const location = await createTable(machine, place.calm, formatVersion);
      // Each process has a connection of its own.
      const history = new ObservedHistory();
      const connect = (maker?: object): (() => Promise<Table>) => {
        const io = history.watch(options.wrap ? options.wrap(place.connect()) : place.connect(), maker);
        return () => Table.load(location, { io, runtime });
      };
      const writers = drawWriters(machine, formatVersion, isStreamed ? STREAMED : options.kinds);
      jobs.push(...writers.flatMap((writer) => writer.jobs));
      const progress = new Progress();
      const { upkeepKinds: kinds, upkeepRates } = options;
      let working = writers.length;
      const isOver = (): boolean => working === 0;
      await Promise.all([
        ...writers.map(async ({ rates, jobs: own }) => {
          await untilDone(machine, rates, () =>
            writerLife(machine, connect(), own, { withKeys: !options.withoutKeys, progress }),
          );
          working--;
        }),
        clean(machine, connect, isOver, options.orphanAgeMs),
        expire(machine, connect, isOver, jobs),
        upkeep(machine, { open: (maker) => connect(maker)(), progress, jobs, kinds, rates: upkeepRates }, runs),
        place.failNowAndThen(isOver),
      ]);
      // Requests that are under way may still arrive.
      await runtime.sleep(10_000);
      const table = await Table.load(location, { io: place.calm, runtime });
      await checkOutcome(table, history, { jobs, runs, createdAs: formatVersion });
    },
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const outcomes = [...jobs.map(({ operation, outcome }) => ({ kind: operation.kind, outcome })), ...runs];
  const attempts = jobs.map((job) => job.attempts);
  const hazards = [...machine.counts].map(([hazard, count]) => `${hazard} ${count}`);
  const told = outcomes.map(({ kind, outcome }) => `${kind} ${outcome}`);
  return { trace: [...told, attempts, ...hazards, runtime.now()].join('; '), counts: machine.counts, outcomes };
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
  const width = drawnFrom(machine, PARTITION_WIDTHS);
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
      'commit.manifest.min-count-to-merge': String(2 + machine.randomInteger(8)),
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

/** Of tables that streams write: their equality deletes meet what else is done to files. */
const STREAMED: readonly DrawnKind[] = ['append', 'rowDelta', 'rowDelta', 'rowDelta', 'update', 'delete'];

function drawWriters(machine: Machine, formatVersion: FormatVersion, kinds?: readonly DrawnKind[]): readonly Writer[] {
  let nextKey = OLD_KEYS;
  const context = {
    formatVersion,
    kinds,
    respecs: kinds !== STREAMED && machine.chance(0.4),
    onlyDeleteFiles: kinds === STREAMED,
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

/** Starts a process again as often as it is killed; in the end without what kills it. */
async function untilDone(machine: Machine, rates: Rates, life: () => Promise<void>): Promise<void> {
  for (let lives = 1; ; lives++) {
    const process = new Process(lives < 10 ? rates : { ...rates, 'process killed': 0 });
    if ((await machine.run(process, life)) === 'done') return;
    if (rates['process killed']) machine.count('process killed');
    await machine.runtime.sleep(machine.runtime.random() * 500);
  }
}
