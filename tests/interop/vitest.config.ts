import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import { source } from '../../vitest.config.ts';

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'interop',
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    // Everything is written and read once, before the first test.
    hookTimeout: 600_000,
  },
});
