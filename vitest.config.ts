import { defineConfig } from 'vitest/config';

import { ClosingLines } from './tests/support/closing-lines.ts';

/** Tests run the packages' sources, not their build. */
const source = { conditions: ['@lh/source', 'node', 'import', 'module', 'default'] };

function project(name: string, root: string) {
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      root,
      include: ['test/**/*.test.ts'],
      // A host far from UTC, with a half-hour offset and daylight saving: code that reads local time shows itself.
      env: { TZ: process.env['TZ'] ?? 'America/St_Johns' },
      testTimeout: 60_000,
      hookTimeout: 120_000,
    },
  };
}

const endToEnd = project('end-to-end', 'tests');
endToEnd.test.include = ['end-to-end/**/*.test.ts', 'examples/**/*.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLines()],
    projects: [
      project('core', 'packages/core'),
      project('io-fs', 'packages/io-fs'),
      project('sql', 'packages/sql'),
      endToEnd,
      'tests/conformance/vitest.config.ts',
      'tests/fuzz/vitest.config.ts',
      'tests/simulation/vitest.config.ts',
    ],
  },
});
