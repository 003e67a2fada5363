#!/usr/bin/env node
// Every command of package.json comes through here, so that each works in a fresh clone with Node and npm alone:
// the pinned pnpm installs what the lockfile says, the compiler builds, then the task runs. A step with nothing to do
// costs a fraction of a second.

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`This project needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const { ensureBuilt } = await import('./lib/build.mjs');
const { ensureInstalled } = await import('./lib/install.mjs');
const { TaskFailed, bin, red, run } = await import('./lib/process.mjs');

const node = (script) => (args) => run(process.execPath, [script, ...args]);
const tool =
  (name, ...fixed) =>
  (args) =>
    run(bin(name), [...fixed, ...args]);

/** What each task needs first, and what it runs. */
const tasks = {
  build: { needs: ensureBuilt, steps: [] },
  demo: { needs: ensureBuilt, steps: [node('examples/dist/demo.js')] },
  test: { needs: ensureBuilt, steps: [tool('vitest', 'run')] },
  conformance: {
    needs: ensureInstalled,
    steps: [tool('vitest', 'run', '--config', 'tests/conformance/vitest.config.ts')],
  },
  fuzz: { needs: ensureInstalled, steps: [tool('vitest', 'run', '--config', 'tests/fuzz/vitest.config.ts')] },
  simulate: { needs: ensureInstalled, steps: [tool('vitest', 'run', '--config', 'tests/simulation/vitest.config.ts')] },
  soak: { needs: ensureInstalled, steps: [node('scripts/soak.mjs')] },
  'test:interop': { needs: ensureBuilt, steps: [node('scripts/test-interop.mjs')] },
  'test:spark': { needs: ensureBuilt, steps: [(args) => node('scripts/test-interop.mjs')(['spark', ...args])] },
  'test:packages': { needs: ensureBuilt, steps: [node('scripts/test-packages.mjs')] },
  bench: { needs: ensureBuilt, steps: [node('bench/dist/index.js')] },
  lint: { needs: ensureBuilt, steps: [tool('oxlint', '--type-aware')] },
  format: { needs: ensureInstalled, steps: [tool('oxfmt')] },
  'format:check': { needs: ensureInstalled, steps: [tool('oxfmt', '--check')] },
  knip: { needs: ensureInstalled, steps: [tool('knip')] },
  typecheck: { needs: ensureBuilt, steps: [tool('tsc', '-b', 'tsconfig.test.json')] },
};

const [name, ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) {
  console.error(`Which task? One of: ${Object.keys(tasks).join(', ')}.`);
  process.exit(1);
}

try {
  await task.needs();
  for (const step of task.steps) {
    const code = await step(args);
    if (code !== 0) process.exit(code);
  }
} catch (error) {
  if (!(error instanceof TaskFailed)) throw error;
  console.error(red(error.message));
  process.exit(1);
}
