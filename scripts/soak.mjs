// Runs property and model tests again and again, each round with another seed and more cases than CI has time for:
//   npm run soak -- [--rounds N] [pattern…] [options of vitest]
// LH_SEED is the seed of the first round, LH_RUNS how many times as many cases the costly properties get (5). Every
// failure is reported with its seed and path, and with the command that repeats it.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { bin, bold, capture, dim, green, red, root } from './lib/process.mjs';

const { rounds, patterns, options } = parse(process.argv.slice(2));
const firstSeed = Number(process.env.LH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const runs = process.env.LH_RUNS ?? '5';
const files = patterns.length > 0 ? patterns : propertyTests();
const work = mkdtempSync(join(tmpdir(), 'lakehouse-soak-'));

let failed = 0;
for (let round = 0; round < rounds; round++) {
  const seed = firstSeed + round;
  const started = performance.now();
  const { code, output, failures } = await soak(seed);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const which = `round ${round + 1} of ${rounds}, LH_SEED=${seed} LH_RUNS=${runs}`;
  console.log(`${code === 0 ? green('✓') : red('✗')} ${which} ${dim(`${seconds} s`)}`);
  if (code === 0) continue;
  failed += Math.max(1, failures.length);
  console.log(essence(output));
  for (const { file, pattern } of failures)
    console.log(bold(`LH_SEED=${seed} LH_RUNS=${runs} npx vitest run ${file} -t '${pattern}'`));
}
rmSync(work, { recursive: true, force: true });
console.log(`${rounds} rounds, ${failed} failures`);
process.exit(failed === 0 ? 0 : 1);

async function soak(seed) {
  const report = join(work, `${seed}.json`);
  const { code, output } = await capture(
    bin('vitest'),
    ['run', ...files, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...options],
    { env: { ...process.env, LH_SEED: String(seed), LH_RUNS: runs } },
  );
  return { code, output, failures: code === 0 ? [] : failedTests(report) };
}

function failedTests(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    // It did not come so far; its output tells why.
    return [];
  }
  return results.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => ({ file: relative(root, name), pattern: fullName.replaceAll(/[^\w ,]/g, '.') })),
  );
}

/** Of vitest's output, what it says of failures, without where they passed through other people's code. */
function essence(output) {
  const lines = output.split('\n');
  const from = lines.findIndex((line) => /⎯ ?.*(Failed|Unhandled)/.test(line));
  return lines
    .slice(Math.max(0, from))
    .filter((line) => !line.includes('node_modules'))
    .join('\n');
}

/** All files with tests that draw their cases. */
function propertyTests() {
  return ['packages', 'tests']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /\bfc\.(assert|check)\(/.test(readFileSync(path, 'utf8')))
    .map((path) => relative(root, path));
}

function parse(args) {
  const parsed = { rounds: 10, patterns: [], options: [] };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--rounds') parsed.rounds = Number(args[++i]);
    else (args[i].startsWith('-') ? parsed.options : parsed.patterns).push(args[i]);
  }
  if (!(parsed.rounds >= 1)) throw new Error('--rounds takes a number of at least 1.');
  return parsed;
}
