import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import { ClosingLines } from '../support/closing-lines.ts';

// Tests run the packages' sources, not their build.
const source = { conditions: ['@lh/source', 'node', 'import', 'default'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'conformance',
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    exclude: withoutTests(process.env['LH_FIXTURES']),
    // A host far from UTC, with a half-hour offset and daylight saving: code that reads local time shows itself.
    env: { TZ: process.env['TZ'] ?? 'America/St_Johns' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', new ClosingLines()],
  },
});

/**
 * Another folder of fixtures (LH_FIXTURES) may have no broken tables, no recorded metadata tables, and not the tables that
 * `places` moves around.
 */
function withoutTests(folder: string | undefined): string[] {
  if (!folder) return [];
  return [
    'places.test.ts',
    ...(existsSync(join(folder, 'corrupt', 'cases.jsonl')) ? [] : ['corrupt.test.ts', 'inspect-corrupt.test.ts']),
    ...(existsSync(join(folder, 'inspect')) ? [] : ['inspect.test.ts']),
  ];
}
