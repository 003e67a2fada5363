// Runs the benchmarks, each in a process of its own: `npm run bench`, or `npm run bench -- append scan` for some.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Modules that are no benchmark by themselves. */
const SHARED = new Set(['index', 'harness']);

const here = fileURLToPath(new URL('.', import.meta.url));
const cases = readdirSync(here)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -'.js'.length))
  .filter((name) => !SHARED.has(name) && !name.startsWith('_'));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !cases.includes(name));
if (unknown.length > 0) {
  console.error(`No such benchmark: ${unknown.join(', ')}. There are: ${cases.join(', ')}.`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : cases) {
  const { status } = spawnSync(process.execPath, ['--expose-gc', `${here}${name}.js`], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
