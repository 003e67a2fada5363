import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PartitionSummary } from '../../src/manifest/partition-summary.ts';
import { partitionType } from '../../src/manifest/partition-type.ts';
import type { ManifestFile } from '../../src/spec/manifest.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import type { PartitionSpec, PartitionTuple } from '../../src/spec/partition-spec.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { ManifestPartitions } from '../../src/transaction/manifest-partitions.ts';

const shape = schema({ n: t.long(), s: t.string(), d: t.double(), day: t.date() });

const spec: PartitionSpec = {
  specId: 0,
  fields: shape.fields.map(({ id, name }, i) => ({
    sourceIds: [id],
    fieldId: 1000 + i,
    name,
    transform: { kind: 'identity' },
  })),
};

const metadata: TableMetadata = {
  ...newTableMetadata({ schema: shape, location: 'memory:/t', uuid: 'u', nowMs: 0 }),
  partitionSpecs: [spec],
};

function manifestOf(tuples: readonly PartitionTuple[], specId = 0): ManifestFile {
  const summary = new PartitionSummary(partitionType(spec, [shape]));
  for (const tuple of tuples) summary.add(tuple);
  return { partitionSpecId: specId, partitions: summary.result() } as unknown as ManifestFile;
}

const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const tuple: fc.Arbitrary<PartitionTuple> = fc.tuple(
  nullable(fc.bigInt({ min: -5n, max: 5n })),
  nullable(fc.constantFrom('', 'a', 'b', 'ü', '\u{1F600}')),
  nullable(fc.constantFrom(-0, 0, 1.5, -2, NaN, Infinity)),
  nullable(fc.integer({ min: -3, max: 3 })),
);

describe('manifests that may list a partition', () => {
  test('are all that do', () => {
    fc.assert(
      fc.property(
        fc.array(tuple, { minLength: 1, maxLength: 6 }),
        fc.array(tuple, { maxLength: 3 }),
        (inside, others) => {
          const partitions = new ManifestPartitions();
          for (const one of [...others, fc.sample(fc.constantFrom(...inside), 1)[0]!]) partitions.add(0, one);
          expect(partitions.mayBeIn(manifestOf(inside), metadata)).toBe(true);
          expect(partitions.mayBeIn(manifestOf(inside, 7), metadata)).toBe(false);
        },
      ),
    );
  });

  test('are not those whose summaries rule it out, in any field', () => {
    const manifest = manifestOf([
      [1n, 'b', 0.5, 3],
      [4n, 'd', 0.5, 3],
    ]);
    const rulesOut = (one: PartitionTuple): boolean => {
      const partitions = new ManifestPartitions();
      partitions.add(0, one);
      return !partitions.mayBeIn(manifest, metadata);
    };
    expect(rulesOut([2n, 'c', 0.5, 3])).toBe(false);
    // A manifest from before the column became a long holds ints.
    expect(rulesOut([2, 'c', 0.5, 3])).toBe(false);
    for (const [i, value] of [
      [0, 5n],
      [0, null],
      [1, 'a'],
      [1, 'ü'],
      [2, NaN],
      [3, 2],
    ] as const) {
      const inside: PartitionTuple = [2n, 'c', 0.5, 3];
      expect(rulesOut(inside.with(i, value))).toBe(true);
    }
  });

  test('are all, where values of a transform that is not known have no order', () => {
    const unknown: PartitionSpec = {
      specId: 0,
      fields: [{ sourceIds: [1], fieldId: 1000, name: 'x', transform: { kind: 'unknown', text: 'zig[3]' } }],
    };
    const partitions = new ManifestPartitions();
    partitions.add(0, [5n]);
    const manifest = manifestOf([[1n, null, null, null]]);
    expect(partitions.mayBeIn(manifest, { ...metadata, partitionSpecs: [unknown] })).toBe(true);
    expect(partitions.mayBeIn({ ...manifest, partitions: null }, metadata)).toBe(true);
  });
});
