import type { BoundExpression } from '../expr/bound-expression.ts';
import { manifestEvaluator } from '../expr/manifest-evaluator.ts';
import { partitionEvaluator } from '../expr/partition-evaluator.ts';
import { projectInclusive } from '../expr/project.ts';
import { residualEvaluator } from '../expr/residual.ts';
import { specById } from '../spec/metadata-accessors.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** What the scan's filter means for the files of one partition spec (spec: "Scan Planning"). */
export interface SpecFilter {
  readonly spec: PartitionSpec;
  /** Whether the manifest may list a file of a matching partition, by its summaries. */
  readonly matchesManifest: (manifest: ManifestFile) => boolean;
  /** Null if every partition matches. */
  readonly matchesPartition: ((tuple: PartitionTuple) => boolean) | null;
  readonly residual: (tuple: PartitionTuple) => BoundExpression;
}

/** Filters by spec id, made when they are first asked for. A manifest is judged by its own spec, not the table's current one. */
export function specFilters(
  metadata: TableMetadata,
  schema: Schema,
  filter: BoundExpression,
): (specId: number) => SpecFilter {
  const filters = new Map<number, SpecFilter>();
  return (specId) => {
    let found = filters.get(specId);
    if (!found) {
      found = specFilter(specById(metadata, specId), schema, filter);
      filters.set(specId, found);
    }
    return found;
  };
}

function specFilter(spec: PartitionSpec, schema: Schema, filter: BoundExpression): SpecFilter {
  const projected = projectInclusive(spec, schema, filter);
  if (projected.op === 'true') {
    const residual = filter.op === 'true' ? () => filter : residualEvaluator(spec, schema, filter);
    return { spec, matchesManifest: () => true, matchesPartition: null, residual };
  }
  const matchesSummaries = manifestEvaluator(spec, schema, filter);
  return {
    spec,
    matchesManifest: ({ partitions }) => matchesSummaries(partitions),
    matchesPartition: partitionEvaluator(spec, schema, projected),
    residual: residualEvaluator(spec, schema, filter),
  };
}
