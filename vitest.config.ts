import { defineConfig } from 'vitest/config';

const source = { conditions: ['@lh/source', 'node', 'import', 'module', 'default'] };

function project(name: string) {
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      root: `packages/${name}`,
      include: ['test/**/*.test.ts'],
      env: { TZ: process.env['TZ'] ?? 'America/St_Johns' },
      testTimeout: 60_000,
      hookTimeout: 120_000,
    },
  };
}

export default defineConfig({
  test: { projects: [project('core'), project('io-fs'), project('sql')] },
});
