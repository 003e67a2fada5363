import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests run the packages' sources, not their build.
const source = { conditions: ['@lh/source', 'node', 'import', 'module', 'default'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'interop',
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    // These compare us with Spark itself.
    exclude: process.env['INTEROP_ENGINES'] === 'Spark' ? [] : ['*.spark.test.ts'],
    // Everything is written and read once, before the first test.
    hookTimeout: 1_800_000,
  },
});
