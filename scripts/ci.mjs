// Runs `npm test`, then every other check, and counts: vitest's own numbers, and one for each further check.
// Ends with the line `N passed, M failed`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expectSuccess, runChecks } from './lib/checks.mjs';
import { packagingChecks } from './lib/packaging.mjs';
import { bold, capture, root } from './lib/process.mjs';

const work = mkdtempSync(join(tmpdir(), 'lakehouse-ci-'));
const total = { passed: 0, failed: 0 };

function add({ passed, failed }) {
  total.passed += passed;
  total.failed += failed;
}

/** Runs an npm script that is a vitest run, and counts its tests; a run that dies without a failed test counts as one. */
async function runTests(script, { args = [], env = {} } = {}) {
  console.log(bold(`\n${script}`));
  const report = join(work, `${script.replaceAll(/\W/g, '-')}.json`);
  const code = await npm(
    script,
    [...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    env,
  );
  add(counts(report, code));
}

function counts(report, code) {
  let passed = 0;
  let failed = 0;
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    for (const { assertionResults, status } of testResults) {
      const failures = assertionResults.filter((test) => test.status === 'failed').length;
      passed += assertionResults.filter((test) => test.status === 'passed').length;
      failed += failures > 0 || status !== 'failed' ? failures : 1;
    }
  } catch (error) {
    console.error(`No test report: ${error.message}`);
  }
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

/** Runs `npm run <script>` in view; resolves to its exit code. */
function npm(script, args, env) {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** The same quietly, as one check. */
const script =
  (name, ...args) =>
  () =>
    expectSuccess(capture('npm', ['run', '--silent', name, '--', ...args]));

await runTests('test');

console.log(bold('\nchecks'));
add(
  await runChecks([
    { name: 'lint', run: script('lint') },
    { name: 'format', run: script('format:check') },
    { name: 'types of sources and tests', run: script('typecheck') },
    { name: 'no unused files, exports or dependencies', run: script('knip') },
  ]),
);

console.log(bold('\npackages'));
add(await runChecks(packagingChecks(join(work, 'packages'))));

// Of `npm test`'s simulations of writers and failures, many more.
await runTests('simulate', { args: ['seeds'], env: { LH_SCHEDULES: process.env.LH_SCHEDULES ?? '10000' } });

await runTests('test:interop');

if ((await capture('java', ['-version']).catch(() => null))?.code === 0) await runTests('test:spark');
else console.log(bold('\ntest:spark LEFT OUT: there is no Java here, so nothing was read back by Spark.'));

rmSync(work, { recursive: true, force: true });
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
