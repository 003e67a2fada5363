import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import { ClosingLines } from './tests/support/closing-lines.ts';

/** Tests run the packages' sources, not their build. */
const source = { conditions: ['@lh/source', 'node', 'import', 'default'] };

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
      setupFiles: [fileURLToPath(new URL('tests/support/seeded-properties.ts', import.meta.url))],
      testTimeout: 60_000,
      hookTimeout: 120_000,
    },
  };
}

/** A project whose tests need an S3 server: one is started for the run, and `s3Place()` tells where. */
function withS3(name: string, root: string, include: string) {
  const base = project(name, root);
  const path = (file: string): string => fileURLToPath(new URL(`tests/support/s3/vitest/${file}`, import.meta.url));
  // AWS's client warns of later versions of itself, which will want a later Node.
  const env = { ...base.test.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const s3 = {
    include: [include],
    env,
    globalSetup: [path('global-setup.ts')],
    runner: path('runner.ts'),
    // Another process does half of the work, and syncs every file.
    testTimeout: 180_000,
  };
  return { ...base, test: { ...base.test, ...s3 } };
}

/** The conformance suite of core once more, with the fixtures in S3, where their metadata says that they are. */
function conformanceOnS3() {
  const base = withS3('conformance-s3', 'tests/conformance', 'core.test.ts');
  const path = (file: string): string => fileURLToPath(new URL(`tests/s3/fixtures/${file}`, import.meta.url));
  const { globalSetup, setupFiles } = base.test;
  const fixtures = {
    globalSetup: [...globalSetup, path('global-setup.ts')],
    setupFiles: [...setupFiles, path('setup.ts')],
  };
  return { ...base, test: { ...base.test, ...fixtures } };
}

const sql = project('sql', 'packages/sql');
const endToEnd = project('end-to-end', 'tests');
endToEnd.test.include = ['end-to-end/**/*.test.ts', 'examples/**/*.test.ts', 'tpch/**/*.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLines()],
    // Vitest would leave one core for itself.
    maxWorkers: availableParallelism(),
    projects: [
      project('core', 'packages/core'),
      project('io-fs', 'packages/io-fs'),
      { ...sql, test: { ...sql.test, exclude: ['test/s3/**'] } },
      endToEnd,
      withS3('io-s3', 'packages/io-s3', 'test/**/*.test.ts'),
      withS3('sql-s3', 'packages/sql', 'test/s3/**/*.test.ts'),
      withS3('s3', 'tests', 's3/**/*.test.ts'),
      // These start Apache's REST catalog server, some of them with an S3 server for its tables.
      withS3('rest', 'tests', 'rest/**/*.test.ts'),
      conformanceOnS3(),
      'tests/conformance/vitest.config.ts',
      'tests/fuzz/vitest.config.ts',
      'tests/simulation/vitest.config.ts',
    ],
  },
});
