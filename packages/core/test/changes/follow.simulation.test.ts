import { expect, test } from 'vitest';
import { FollowSimulation } from './follow-simulation.ts';
import { RandomTable } from './random-table.ts';
import type { RandomTableOptions } from './random-table.ts';

test(
  'whoever is killed and goes on from what was saved misses nothing and repeats nothing',
  { timeout: 200_000 },
  async () => {
    const total = { kills: 0, rollbacks: 0, expired: 0 };
    for (let seed = 1; total.kills < 200; seed++) {
      const random = await RandomTable.create({ ...TABLES[seed % TABLES.length]!, seed });
      const simulation = new FollowSimulation(random, 8);
      const { followed, read } = await simulation.run();
      expect(followed).toEqual(read);
      for (const name of ['kills', 'rollbacks', 'expired'] as const) total[name] += simulation[name];
    }
    expect(total.rollbacks).toBeGreaterThan(5);
    expect(total.expired).toBeGreaterThan(20);
  },
);

const TABLES: readonly Omit<RandomTableOptions, 'seed'>[] = [
  { formatVersion: 2, sharedDeletes: true },
  { formatVersion: 3, partitioned: true },
  { formatVersion: 2, partitioned: true },
  { formatVersion: 3 },
  { formatVersion: 1 },
];
