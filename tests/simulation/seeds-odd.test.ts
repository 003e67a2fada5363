import { test, vi } from 'vitest';

import { explore } from './explore.ts';

vi.mock('node:fs/promises', async () => (await import('./mounted-disk.ts')).simulatedFileSystem);
vi.mock('node:fs', async () => (await import('./mounted-disk.ts')).simulatedDescriptors);

const what = 'whatever happens, nothing acknowledged is lost, nothing happens twice, nothing needed is deleted';

test(`${what} (odd seeds)`, () => explore(1), 3_600_000);
