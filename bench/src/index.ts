// Runs the benchmarks, each in a process of its own: `npm run bench`, or `npm run bench -- append scan` for some.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BENCHMARKS = [
  'append',
  'plan',
  'scan',
  'tpch',
  'merge-on-read',
  'upsert',
  'inspect',
  'commits',
  'micro-batches',
  'changes',
  'upkeep',
  'compaction',
  's3-plan',
  's3-query',
  's3-append',
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHMARKS.includes(name));
if (unknown.length > 0) {
  console.error(`No such benchmark: ${unknown.join(', ')}. There are: ${BENCHMARKS.join(', ')}.`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : BENCHMARKS) {
  const script = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--expose-gc', script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
