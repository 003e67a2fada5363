import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import { ClosingLines } from '../support/closing-lines.ts';

// Tests run the packages' sources, not their build.
const source = { conditions: ['@lh/source', 'node', 'import', 'module', 'default'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'simulation',
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    // The two halves of the seeds are run side by side; vitest would leave one core for itself.
    maxWorkers: availableParallelism(),
    reporters: ['default', new ClosingLines()],
  },
});
