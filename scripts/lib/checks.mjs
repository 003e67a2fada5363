import { TaskFailed, dim, green, red } from './process.mjs';

/**
 * Runs named checks one after the other and prints a line for each. A check is `{ name, run }`; it fails by throwing,
 * and the error's message is what the reader sees.
 */
export async function runChecks(checks) {
  const counts = { passed: 0, failed: 0 };
  for (const { name, run } of checks) {
    const started = performance.now();
    try {
      await run();
      counts.passed++;
      console.log(`${green('✓')} ${name} ${dim(`${((performance.now() - started) / 1000).toFixed(1)} s`)}`);
    } catch (error) {
      counts.failed++;
      const text = error instanceof TaskFailed ? error.message : error.stack;
      console.log(`${red('✗')} ${name}\n${text.replace(/^/gm, '    ')}`);
    }
  }
  return counts;
}

/** A check that passes when a command does; its output is shown only if it fails. */
export async function expectSuccess(result) {
  const { code, output } = await result;
  if (code !== 0) throw new TaskFailed(output.trim() || `exit code ${code}`);
}
