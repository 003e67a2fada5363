import type { MetricsEvaluator } from '../expr/metrics-evaluator.ts';
import type { FilteredFile } from '../manifest/read-manifest.ts';
import { restrictStats } from '../manifest/stats-columns.ts';

/**
 * Whether a delete file may delete a row that matches. The metrics of an equality delete tell of its delete columns
 * only: others are there for reference. Those of position deletes tell nothing of the table's columns.
 */
export function mayDeleteMatches(file: FilteredFile, matches: MetricsEvaluator): boolean {
  if (file.content !== 'equality-deletes') return true;
  const columns = new Set(file.equalityIds);
  return matches({
    recordCount: file.recordCount,
    valueCounts: restrictStats(file.valueCounts, columns),
    nullValueCounts: restrictStats(file.nullValueCounts, columns),
    nanValueCounts: restrictStats(file.nanValueCounts, columns),
    lowerBounds: restrictStats(file.lowerBounds, columns),
    upperBounds: restrictStats(file.upperBounds, columns),
  });
}
