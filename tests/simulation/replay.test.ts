import { expect, test, vi } from 'vitest';

import { simulate } from './simulate.ts';

vi.mock('node:fs/promises', async () => (await import('./mounted-disk.ts')).simulatedFileSystem);
vi.mock('node:fs', async () => (await import('./mounted-disk.ts')).simulatedDescriptors);

test('a seed replays its simulation', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    expect((await simulate(seed)).trace).toBe((await simulate(seed)).trace);
  }
}, 120_000);
