import { describe, expect, test } from 'vitest';
import { isLakehouseError } from '../../src/errors.ts';
import { attempt, connect, isIn, newTable, randomFaults, simulation, tryLoad, type Attempt } from './simulation.ts';

const SEEDS = Number(process.env['LH_SIMULATIONS'] ?? 300);

function must(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}

/** Every process commits a few times, with pauses in which versions grow old. */
async function writersOnly(seed: number): Promise<string> {
  const world = simulation(seed);
  const { runtime } = world;
  const trimming = runtime.random() < 0.7;
  const properties = trimming
    ? {
        'write.metadata.delete-after-commit.enabled': 'true',
        'write.metadata.previous-versions-max': String(1 + runtime.randomInteger(3)),
      }
    : {};
  const setUp = connect(world, []);
  const before = runtime.run([() => setUp.create(newTable(runtime, properties))]);
  expect((await before)[0]?.status).toBe('fulfilled');

  const attempts: Attempt[] = [];
  const writer = () => async (): Promise<void> => {
    const operations = connect(world, randomFaults(runtime));
    for (let number = 0; number < 6; number++) {
      if (runtime.random() < 0.3) await runtime.sleep(runtime.random() * 3_600_000);
      const base = await tryLoad(operations);
      if (base) attempts.push(await attempt(world, operations, base));
    }
  };
  const results = await runtime.run(Array.from({ length: 2 + runtime.randomInteger(3) }, writer));
  for (const result of results) if (result.status === 'rejected') throw result.reason;

  // Requests that were on their way may still arrive.
  const [final] = await runtime.run([
    async () => {
      await runtime.sleep(10_000);
      return connect(world, []).load();
    },
  ]);
  if (final?.status !== 'fulfilled') throw final?.reason;
  const { metadata, metadataLocation } = final.value;
  const acknowledged = attempts.filter((one) => one.outcome === 'acknowledged');
  for (const one of acknowledged) expect(isIn(metadata, one.mark), `an acknowledged commit is missing`).toBe(true);
  for (const one of attempts) {
    if (one.outcome === 'refused') must(!isIn(metadata, one.mark), 'a refused commit is there');
  }
  expect(new Set(acknowledged.map((one) => one.version)).size, 'two commits share a version').toBe(acknowledged.length);
  const landed = attempts.filter((one) => isIn(metadata, one.mark)).length;
  expect(metadataLocation, 'each commit made one version').toBe(
    `mem://wh/web/events/metadata/v${landed + 1}.metadata.json`,
  );
  return attempts.map((one) => one.outcome).join(' ');
}

/**
 * Tables come and go at one place while others hold on to what they have loaded. Nothing is purged: that frees the names
 * of versions, and is for when nobody works on the table.
 */
async function tablesComeAndGo(seed: number): Promise<string> {
  const world = simulation(seed);
  const { runtime } = world;
  const attempts: Attempt[] = [];
  const created: string[] = [];
  const dropped = new Set<string>();
  const process = () => async (): Promise<void> => {
    const operations = connect(world, randomFaults(runtime));
    let base = await tryLoad(operations);
    for (let number = 0; number < 8; number++) {
      if (runtime.random() < 0.3) await runtime.sleep(runtime.random() * 600_000);
      if (base === null || runtime.random() < 0.5) base = await tryLoad(operations);
      try {
        if (base === null) {
          base = await operations.create(newTable(runtime));
          created.push(base.metadata.tableUuid);
        } else if (runtime.random() < 0.75) {
          attempts.push(await attempt(world, operations, base));
        } else {
          dropped.add(base.metadata.tableUuid);
          await operations.drop(base);
          base = null;
        }
      } catch (error) {
        const codes = ['COMMIT_CONFLICT', 'COMMIT_STATE_UNKNOWN', 'UNAVAILABLE', 'NOT_FOUND', 'ALREADY_EXISTS'];
        if (!isLakehouseError(error) || !codes.includes(error.code)) throw error;
        base = null;
      }
    }
  };
  const results = await runtime.run(Array.from({ length: 2 + runtime.randomInteger(3) }, process));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const [final] = await runtime.run([
    async () => {
      await runtime.sleep(10_000);
      return tryLoad(connect(world, []));
    },
  ]);
  if (final?.status !== 'fulfilled') throw final?.reason;
  const metadata = final.value?.metadata;
  for (const one of attempts) {
    if (one.tableUuid !== metadata?.tableUuid) continue;
    if (one.outcome === 'acknowledged') must(isIn(metadata, one.mark), 'an acknowledged commit is missing');
    if (one.outcome === 'refused') must(!isIn(metadata, one.mark), 'a refused commit is there');
  }
  const alive = created.filter((uuid) => !dropped.has(uuid));
  expect(alive.length, 'two tables are at one place').toBeLessThanOrEqual(1);
  if (alive.length === 1) must(metadata?.tableUuid === alive[0], 'the table that nobody dropped is gone');
  return attempts.map((one) => one.outcome).join(' ');
}

async function explore(run: (seed: number) => Promise<string>, seeds: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    let outcomes: string;
    try {
      outcomes = await run(seed);
    } catch (error) {
      throw new Error(`The simulation with seed ${seed} went wrong.`, { cause: error });
    }
    for (const outcome of outcomes.split(' ')) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}

describe('the commit protocol under simulated failures', () => {
  test('no acknowledged commit is lost, no refused one is kept, every version is made once', async () => {
    const counts = await explore(writersOnly, SEEDS);
    // The simulation is worth something only if all of this happens, and the protocol if it seldom gives up.
    const [acknowledged, refused, unknown] = ['acknowledged', 'refused', 'unknown'].map(
      (each) => counts.get(each) ?? 0,
    );
    expect(acknowledged).toBeGreaterThan(3 * SEEDS);
    expect(refused).toBeGreaterThan(SEEDS / 10);
    expect(unknown).toBeGreaterThan(0);
    expect(unknown).toBeLessThan(SEEDS / 6);
  });

  test('tables that are dropped and created again are never mixed up', async () => {
    const counts = await explore(tablesComeAndGo, SEEDS);
    expect(counts.get('acknowledged')).toBeGreaterThan(SEEDS);
    expect(counts.get('refused')).toBeGreaterThan(SEEDS / 10);
  });

  test('a seed replays its simulation', async () => {
    for (const run of [writersOnly, tablesComeAndGo]) expect(await run(42)).toBe(await run(42));
  });
});
