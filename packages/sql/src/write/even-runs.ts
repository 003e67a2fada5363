/** Indexes of things of these sizes, in their order, as so many runs of about the same size; fewer if some are large. */
export function evenRuns(sizes: readonly number[], count: number): readonly (readonly number[])[] {
  const each = sizes.reduce((sum, size) => sum + size, 0) / count;
  const runs: number[][] = [];
  let before = 0;
  for (const [i, size] of sizes.entries()) {
    // Where the middle of it is.
    const run = Math.min(count - 1, Math.floor((before + size / 2) / each));
    (runs[run] ??= []).push(i);
    before += size;
  }
  return runs.filter((run) => run !== undefined);
}
