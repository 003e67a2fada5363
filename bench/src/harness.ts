import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What one run took, in milliseconds: of wall clock, and of CPU time in all threads. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** One way of doing the job that a benchmark measures. */
export interface Contender {
  readonly name: string;
  /** Not timed; before every run. */
  readonly prepare?: () => Promise<void> | void;
  /** Does the job. One that is done in a process of its own is timed there, and gives what it took. */
  readonly run: () => Promise<unknown>;
  /** True: `run` gives a `Sample`. */
  readonly timesItself?: boolean;
}

export interface Benchmark {
  /** The name of the results file. */
  readonly name: string;
  /** One line that says what is measured. */
  readonly title: string;
  /** How much one run does, for the rate column: `{ count: 3_000_000, unit: 'rows' }`. */
  readonly work?: { readonly count: number; readonly unit: string };
  /** The first is the baseline that the others are compared with. */
  readonly contenders: readonly [Contender, ...Contender[]];
  /** Measured rounds after the warm-up; 5 if left out. */
  readonly rounds?: number;
  readonly warmup?: number;
  /** Whether memory is a column: what the process holds after the last run. */
  readonly memory?: boolean;
}

export interface Measurement {
  readonly name: string;
  /** Milliseconds of wall clock, one per round. */
  readonly wallMs: readonly number[];
  /** Milliseconds of CPU time, all threads, one per round. */
  readonly cpuMs: readonly number[];
  readonly medianWallMs: number;
  readonly medianCpuMs: number;
  /** Median of the rounds' ratios to the baseline's wall time in the same round; 1 for the baseline. */
  readonly ratio: number;
  /** Megabytes that the process holds after the last run; null for a contender in a process of its own. */
  readonly residentMb: number | null;
}

/**
 * Measures the contenders side by side: every round runs each of them once, in alternating order, so that a noisy
 * moment of the machine hits all alike. Prints a table and writes `bench/results/<name>.json`.
 */
export async function bench(benchmark: Benchmark): Promise<readonly Measurement[]> {
  const measurements = await measure(benchmark);
  print(benchmark, measurements);
  save(benchmark, measurements);
  return measurements;
}

/** The figures alone, for a benchmark that has many such and a table of its own. */
export async function measure({
  contenders,
  rounds = 5,
  warmup = 1,
}: Pick<Benchmark, 'contenders' | 'rounds' | 'warmup'>): Promise<readonly Measurement[]> {
  const samples = contenders.map(() => ({ wall: [] as number[], cpu: [] as number[], residentMb: 0 }));
  for (let round = -warmup; round < rounds; round++) {
    const order = contenders.map((contender, index) => ({ contender, index }));
    if (round % 2 !== 0) order.reverse();
    for (const { contender, index } of order) {
      const sample = await time(contender);
      if (round < 0) continue;
      samples[index]!.wall.push(sample.wallMs);
      samples[index]!.cpu.push(sample.cpuMs);
      samples[index]!.residentMb = Math.round(process.memoryUsage.rss() / 2 ** 20);
    }
  }
  const baseline = samples[0]!.wall;
  return contenders.map(({ name, timesItself }, index): Measurement => {
    const { wall, cpu } = samples[index]!;
    const residentMb = timesItself ? null : samples[index]!.residentMb;
    const ratio = median(wall.map((ms, round) => ms / baseline[round]!));
    return { name, wallMs: wall, cpuMs: cpu, medianWallMs: median(wall), medianCpuMs: median(cpu), ratio, residentMb };
  });
}

async function time({ prepare, run, timesItself }: Contender): Promise<Sample> {
  await prepare?.();
  if (timesItself) return (await run()) as Sample;
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function print({ title, work, memory }: Benchmark, measurements: readonly Measurement[]): void {
  const rate = ({ medianWallMs }: Measurement) =>
    work === undefined
      ? []
      : [`${Math.round(work.count / (medianWallMs / 1000)).toLocaleString('en-US')} ${work.unit}/s`];
  const header = [
    '',
    'wall',
    'CPU',
    ...(work === undefined ? [] : ['rate']),
    'to the first',
    ...(memory ? ['memory'] : []),
  ];
  const lines = measurements.map((one) => [
    one.name,
    seconds(one.medianWallMs),
    seconds(one.medianCpuMs),
    ...rate(one),
    `${one.ratio.toFixed(2)}x`,
    ...(memory ? [one.residentMb === null ? '' : `${one.residentMb} MB`] : []),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...lines].map((cells) => cells[column]!.length)));
  const format = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  console.log(`\n${title} (medians of ${measurements[0]!.wallMs.length})\n`);
  for (const line of [header, ...lines]) console.log(`  ${format(line)}`);
}

function seconds(ms: number): string {
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function save({ name, title, work }: Benchmark, measurements: readonly Measurement[]): void {
  saveResult(name, { title, work, measurements });
}

/** Writes `bench/results/<name>.json`, with a description of the machine. */
export function saveResult(name: string, figures: Readonly<Record<string, unknown>>): void {
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
  const peakMemoryMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const result = { name, date: new Date().toISOString(), machine, peakMemoryMb, ...figures };
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}
