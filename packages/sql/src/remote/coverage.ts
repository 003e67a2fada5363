import type { ParquetFooter } from '@lh/core/engine';

/** Column chunks of a file: these columns, by their place among its leaves, of each of these row groups. Ascending. */
export interface Coverage {
  readonly rowGroups: readonly number[];
  readonly leaves: readonly number[];
}

export function covers(held: Coverage, wanted: Coverage): boolean {
  return isWithin(wanted.rowGroups, held.rowGroups) && isWithin(wanted.leaves, held.leaves);
}

function isWithin(some: readonly number[], all: readonly number[]): boolean {
  const known = new Set(all);
  return some.every((one) => known.has(one));
}

function union(a: Coverage, b: Coverage): Coverage {
  return { rowGroups: merged(a.rowGroups, b.rowGroups), leaves: merged(a.leaves, b.leaves) };
}

function merged(a: readonly number[], b: readonly number[]): readonly number[] {
  return [...new Set([...a, ...b])].toSorted((x, y) => x - y);
}

export function wholeFile(footer: ParquetFooter): Coverage {
  return {
    rowGroups: footer.rowGroups.flatMap(({ rowCount }, i) => (rowCount > 0 ? [i] : [])),
    leaves: footer.leaves.map((_, i) => i),
  };
}

/** Bytes of the chunks, but for those that one of `held` has. */
export function bytesOf(
  footer: ParquetFooter,
  { rowGroups, leaves }: Coverage,
  held: readonly Coverage[] = [],
): number {
  const sets = held.map((one) => ({ rowGroups: new Set(one.rowGroups), leaves: new Set(one.leaves) }));
  let bytes = 0;
  for (const group of rowGroups) {
    const here = sets.filter((one) => one.rowGroups.has(group));
    for (const leaf of leaves) {
      if (!here.some((one) => one.leaves.has(leaf))) bytes += footer.rowGroups[group]!.columns[leaf]!.compressedSize;
    }
  }
  return bytes;
}

/** Where a file's chunks have no more than so many times the bytes that are wanted, all are fetched. */
const WHOLE_FILE = 1.1;
/** What is wanted is put together with what is there if that takes no more than so many times the bytes to fetch … */
const TOGETHER_FETCHED = 1.1;
/** … and no more than so many times the bytes that are wanted, or this many, to copy. */
const TOGETHER_COPIED = { times: 4, bytes: 32 * 2 ** 20 } as const;

/**
 * What to fetch for a query, in place of which of the entries that are there. A file of the cache has the same columns
 * of all of its row groups, so that two of them put together may have more than both: then they stay two.
 */
export function coverageToFetch<Held extends Coverage>(
  footer: ParquetFooter,
  wanted: Coverage,
  held: readonly Held[],
): { readonly coverage: Coverage; readonly replaces: readonly Held[] } {
  const whole = wholeFile(footer);
  const wantedBytes = bytesOf(footer, wanted);
  if (wantedBytes > 0 && bytesOf(footer, whole) <= wantedBytes * WHOLE_FILE) return { coverage: whole, replaces: held };
  const fetched = bytesOf(footer, wanted, held);
  const maxCopied = Math.max(wantedBytes * TOGETHER_COPIED.times, TOGETHER_COPIED.bytes);
  let coverage = wanted;
  for (const one of held) {
    const together = union(coverage, one);
    const bytes = bytesOf(footer, together, held);
    if (bytes <= fetched * TOGETHER_FETCHED && bytesOf(footer, together) - bytes <= maxCopied) coverage = together;
  }
  return { coverage, replaces: held.filter((one) => covers(coverage, one)) };
}
