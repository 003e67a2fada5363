import type { Reporter, TestCase, TestModule, TestRunEndReason } from 'vitest/node';
import type { SerializedError } from 'vitest';

/** Prints at the end what the suite found besides passing or failing, and last `N passed, M failed`. */
export class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const once = withoutRepeats(tests);
    for (const line of [...plans(once), ...leftOut(once), ...memory(tests), ...outcomes(tests)]) console.log(line);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    // A file that doesn't load has no tests, and one that crashes leaves its tests pending.
    const broken = modules.filter((module) => !module.ok() && !hasFailedTest(module)).length;
    const failed = count('failed') + count('pending') + broken + errors.length;
    for (const [why, skipped] of skippedTests(tests)) console.log(`${skipped} skipped: ${why}`);
    const stopped = reason === 'interrupted' ? ' (interrupted)' : '';
    console.log(`${count('passed')} passed, ${failed} failed${stopped}`);
  }
}

/** A test that several projects run, each with another store, finds the same each time. */
function withoutRepeats(tests: readonly TestCase[]): readonly TestCase[] {
  return [...new Map(tests.map((test) => [`${test.module.moduleId} ${test.fullName}`, test])).values()];
}

function skippedTests(tests: readonly TestCase[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const test of tests) {
    const result = test.result();
    if (result.state !== 'skipped') continue;
    const why = result.note ?? 'not asked for';
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  return counts;
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests()].some((test) => ['failed', 'pending'].includes(test.result().state));
}

function* plans(tests: readonly TestCase[]): Generator<string> {
  const found = tests.flatMap((test) => test.meta().plan ?? []);
  if (found.length === 0) return;
  const tighter = found.filter(({ fewer }) => fewer > 0);
  const files = tighter.reduce((sum, { fewer }) => sum + fewer, 0);
  yield `${found.length} plans: ${tighter.length} are tighter than Iceberg Java's, by ${files} files`;
  const withMore = found.filter(({ extra }) => Object.keys(extra).length > 0);
  const reasons = sums(withMore.map(({ extra }) => extra));
  if (withMore.length > 0)
    yield `${withMore.length} plans have files that Java leaves out and SQL's answer needs: ${reasons}`;
}

function* leftOut(tests: readonly TestCase[]): Generator<string> {
  for (const test of tests) {
    const rows = test.meta().rowsLeftOut;
    if (rows)
      yield `${test.fullName}: ${rows} of the expected rows are no part of SQL's answer: there the filter is null`;
  }
}

function* memory(tests: readonly TestCase[]): Generator<string> {
  const peaks = tests.flatMap((test) => test.meta().peakBytes ?? []);
  if (peaks.length > 0) yield `memory of broken tables: ${Math.round(Math.max(...peaks) / 2 ** 20)} MB at most`;
}

function* outcomes(tests: readonly TestCase[]): Generator<string> {
  for (const test of tests) {
    const counts = test.meta().outcomes;
    if (!counts) continue;
    yield `${test.fullName}:`;
    for (const [name, count] of Object.entries(counts)) yield `  ${String(count).padStart(6)} ${name}`;
  }
}

function sums(counts: readonly Readonly<Record<string, number>>[]): string {
  const total = new Map<string, number>();
  for (const [name, count] of counts.flatMap((one) => Object.entries(one))) {
    total.set(name, (total.get(name) ?? 0) + count);
  }
  return Array.from(total, ([name, count]) => `${count} × ${name}`).join(', ');
}
