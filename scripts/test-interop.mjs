// Makes a Python environment with the pinned engines once, then runs the interop tests with it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { TaskFailed, bin, capture, quietly, red, root, run } from './lib/process.mjs';

const requirements = join(root, 'tests', 'interop', 'requirements.txt');
const environment = join(root, '.cache', 'interop-python');
const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const stamp = join(environment, 'installed');

async function ensureEnvironment() {
  const wanted = createHash('sha256').update(environment).update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(environment, { recursive: true, force: true });
  await quietly('Making a Python environment', await systemPython(), ['-m', 'venv', environment]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await quietly('Installing PyIceberg and DuckDB into it', python, install);
  writeFileSync(stamp, wanted);
}

async function systemPython() {
  for (const name of ['python3', 'python']) {
    const version = 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else 1)';
    const found = await capture(name, ['-c', version]).catch(() => null);
    if (found?.code === 0) return name;
  }
  throw new TaskFailed('The interop tests need Python 3.10 or newer with venv; python3 was not found on the PATH.');
}

try {
  await ensureEnvironment();
} catch (error) {
  if (!(error instanceof TaskFailed)) throw error;
  console.error(red(error.message));
  process.exit(1);
}
const tests = ['run', '--config', 'tests/interop/vitest.config.ts', ...process.argv.slice(2)];
process.exit(await run(bin('vitest'), tests, { env: { ...process.env, INTEROP_PYTHON: python } }));
