const TIMES = Number(process.env['LH_RUNS'] ?? 1);

/** How many runs a costly property gets: as many as CI has time for, or LH_RUNS times as many (`npm run soak`). */
export function runs(usual: number): number {
  return Math.ceil(usual * TIMES);
}
