import type { BoundExpression } from '../expr/bound-expression.ts';
import { inclusiveMetricsEvaluator, strictMetricsEvaluator } from '../expr/metrics-evaluator.ts';
import type { MetricsEvaluator } from '../expr/metrics-evaluator.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import type { StatsColumns } from '../manifest/stats-columns.ts';
import { mayDeleteMatches } from '../scan/delete-matches.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { specFilters } from '../scan/spec-filters.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { currentSchema, specById } from '../spec/metadata-accessors.ts';
import { isUnpartitioned } from '../spec/partition-spec.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { ManifestPartitions } from './manifest-partitions.ts';

/** A set of rows: those for which a filter is TRUE, or all rows of some partitions. */
export type RowScope =
  | { readonly filter: BoundExpression }
  /** An unpartitioned spec has one partition, the empty tuple. */
  | { readonly partitions: readonly Partition[] };

export interface Partition {
  readonly specId: number;
  readonly tuple: PartitionTuple;
}

/** How much of a file's rows is in a scope, as far as metadata tells: 'none' and 'all' are sure. */
export type Overlap = 'none' | 'some' | 'all';

/** Tells what of a table lies in a scope of rows. */
export interface ScopeMatcher {
  /** Columns whose statistics `overlap` looks at. */
  readonly stats: StatsColumns;
  /** False only if no file of the manifest can be in the scope, or be about rows in it. */
  mayTouch(manifest: ManifestFile): boolean;
  /** Of a data file its own rows, of a delete file the rows that it may delete. */
  overlap(file: DataFile): Overlap;
}

export function scopeMatcher(scope: RowScope, metadata: TableMetadata): ScopeMatcher {
  return 'filter' in scope ? filterMatcher(scope.filter, metadata) : partitionMatcher(scope.partitions, metadata);
}

function filterMatcher(filter: BoundExpression, metadata: TableMetadata): ScopeMatcher {
  const filterOf = specFilters(metadata, currentSchema(metadata), filter);
  const residuals = new Map<string, FileTests>();
  const testsFor = (file: DataFile): FileTests => {
    const key = partitionKey(file.specId, file.partition);
    let tests = residuals.get(key);
    if (!tests) residuals.set(key, (tests = fileTests(filterOf(file.specId).residual(file.partition))));
    return tests;
  };
  return {
    stats: referencedFieldIds(filter),
    mayTouch: (manifest) => filterOf(manifest.partitionSpecId).matchesManifest(manifest),
    overlap(file) {
      const { residual, may, must } = testsFor(file);
      if (residual.op === 'true') return 'all';
      if (residual.op === 'false') return 'none';
      if (file.content !== 'data') return mayDeleteMatches(file, may) ? 'some' : 'none';
      if (!may(file)) return 'none';
      return must(file) ? 'all' : 'some';
    },
  };
}

interface FileTests {
  readonly residual: BoundExpression;
  readonly may: MetricsEvaluator;
  readonly must: MetricsEvaluator;
}

function fileTests(residual: BoundExpression): FileTests {
  return { residual, may: inclusiveMetricsEvaluator(residual), must: strictMetricsEvaluator(residual) };
}

function partitionMatcher(partitions: readonly Partition[], metadata: TableMetadata): ScopeMatcher {
  const set = new ManifestPartitions();
  for (const { specId, tuple } of partitions) set.add(specId, tuple);
  const isGlobal = (specId: number): boolean => isUnpartitioned(specById(metadata, specId));
  return {
    stats: 'none',
    mayTouch: (manifest) =>
      set.mayBeIn(manifest, metadata) || (manifest.content === 'deletes' && isGlobal(manifest.partitionSpecId)),
    overlap(file) {
      if (set.has(file.specId, file.partition)) return 'all';
      // Equality deletes of an unpartitioned spec are about every partition (spec: "Scan Planning").
      return file.content === 'equality-deletes' && isGlobal(file.specId) ? 'some' : 'none';
    },
  };
}
