import { expect, test, vi } from 'vitest';

import { SIMULATIONS, explore } from './explore.ts';

vi.mock('node:fs/promises', async () => (await import('./mounted-disk.ts')).simulatedFileSystem);
vi.mock('node:fs', async () => (await import('./mounted-disk.ts')).simulatedDescriptors);

test('whatever happens, nothing acknowledged is lost, nothing happens twice, nothing needed is deleted (even seeds)', async () => {
  const { hazards } = await explore(0);
  // The simulation is worth something only if all of it happens.
  if (SIMULATIONS < 100) return;
  for (const [hazard, { simulations }] of hazards) expect(simulations, hazard).toBeGreaterThan(SIMULATIONS / 50);
}, 3_600_000);
