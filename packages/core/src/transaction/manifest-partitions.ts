import { partitionFieldType } from '../manifest/partition-type.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { compareValues } from '../spec/compare-values.ts';
import type { ManifestFile, PartitionFieldSummary } from '../spec/manifest.ts';
import { currentSchema, specById } from '../spec/metadata-accessors.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import { bytesToValue } from '../spec/single-value.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/** Some partitions of a table, and which manifests may list files of them. */
export class ManifestPartitions {
  readonly #keys = new Set<string>();
  readonly #bySpec = new Map<number, PartitionTuple[]>();

  add(specId: number, tuple: PartitionTuple): void {
    const key = partitionKey(specId, tuple);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    const tuples = this.#bySpec.get(specId);
    if (tuples) tuples.push(tuple);
    else this.#bySpec.set(specId, [tuple]);
  }

  has(specId: number, tuple: PartitionTuple): boolean {
    return this.#keys.size > 0 && this.#keys.has(partitionKey(specId, tuple));
  }

  /** False only if the manifest's summaries rule all of them out. */
  mayBeIn({ partitionSpecId, partitions }: ManifestFile, metadata: TableMetadata): boolean {
    const tuples = this.#bySpec.get(partitionSpecId);
    if (tuples === undefined) return false;
    if (partitions === null) return true;
    const tests = summaryTests(partitionSpecId, partitions, metadata);
    return tuples.some((tuple) => tests.every((test, i) => test(tuple[i] ?? null)));
  }
}

type ValueTest = (value: Value) => boolean;

function summaryTests(
  specId: number,
  summaries: readonly PartitionFieldSummary[],
  metadata: TableMetadata,
): readonly ValueTest[] {
  const schemas = [currentSchema(metadata), ...metadata.schemas];
  return specById(metadata, specId).fields.map((field, i) => {
    const type = partitionFieldType(field, schemas);
    const summary = summaries[i];
    return type && summary ? summaryTest(summary, type) : () => true;
  });
}

/** Bounds are outer bounds, and leave nulls and NaNs out (spec: "Manifest Lists"). */
function summaryTest(summary: PartitionFieldSummary, type: PrimitiveType): ValueTest {
  const { containsNull, containsNaN, lowerBound, upperBound } = summary;
  const compare = compareValues(type);
  const lower = lowerBound && bytesToValue(type, lowerBound);
  const upper = upperBound && bytesToValue(type, upperBound);
  return (given) => {
    if (given === null) return containsNull;
    if (Number.isNaN(given)) return containsNaN !== false;
    // Manifests from before a column became a long hold ints.
    const value = type.kind === 'long' && typeof given === 'number' ? BigInt(given) : given;
    return (lower === null || compare(lower, value) <= 0) && (upper === null || compare(value, upper) <= 0);
  };
}
