import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import { ClosingLines } from '../support/closing-lines.ts';

// Tests run the packages' sources, not their build.
const source = { conditions: ['@lh/source', 'node', 'import', 'module', 'default'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'conformance',
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    // A host far from UTC, with a half-hour offset and daylight saving: code that reads local time shows itself.
    env: { TZ: process.env['TZ'] ?? 'America/St_Johns' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', new ClosingLines()],
  },
});
