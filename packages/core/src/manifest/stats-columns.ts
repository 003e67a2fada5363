import type { DataFile } from '../spec/data-file.ts';

/** Whose statistics are wanted. */
export type StatsColumns = 'none' | 'all' | ReadonlySet<number>;

type StatsMap<T> = ReadonlyMap<number, T> | null;

/** The very `kept` if it has all of `more` already. */
export function unionOfStats(kept: StatsColumns, more: ReadonlySet<number>): StatsColumns {
  if (kept === 'all' || more.size === 0) return kept;
  if (kept === 'none') return more;
  return [...more].every((id) => kept.has(id)) ? kept : new Set([...kept, ...more]);
}

/** Null, for unknown, if no statistics are wanted at all. */
export function restrictStats<T>(map: StatsMap<T>, kept: StatsColumns): StatsMap<T> {
  if (map === null || kept === 'all') return map;
  return kept === 'none' || kept.size === 0 ? null : new Map([...map].filter(([id]) => kept.has(id)));
}

/** The file with the statistics of these columns only. */
export function withStatsOf(file: DataFile, kept: StatsColumns): DataFile {
  return {
    ...file,
    columnSizes: restrictStats(file.columnSizes, kept),
    valueCounts: restrictStats(file.valueCounts, kept),
    nullValueCounts: restrictStats(file.nullValueCounts, kept),
    nanValueCounts: restrictStats(file.nanValueCounts, kept),
    lowerBounds: restrictStats(file.lowerBounds, kept),
    upperBounds: restrictStats(file.upperBounds, kept),
  };
}
