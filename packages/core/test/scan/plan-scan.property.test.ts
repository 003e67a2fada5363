import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import type { BoundExpression } from '../../src/expr/bound-expression.ts';
import { compareValues } from '../../src/spec/compare-values.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { applyTransform } from '../../src/transforms/transforms.ts';
import { valueOf } from '../expr/arbitraries.ts';
import { columnTerm, combined, matches, predicateOn, type Row } from '../expr/expressions.ts';
import { fileOf } from '../manifest/support.ts';
import { ScannedTable, type ManifestInput } from './support.ts';

const TYPES: readonly PrimitiveType[] = [
  { kind: 'long' },
  { kind: 'timestamp' },
  { kind: 'string' },
  { kind: 'double' },
];

const SCHEMA: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: TYPES.map((type, i) => ({ id: i + 1, name: `c${i + 1}`, required: false, type })),
};

const field = (source: number, fieldId: number, transform: PartitionSpec['fields'][number]['transform']) => ({
  sourceIds: [source],
  fieldId,
  name: `p${fieldId}`,
  transform,
});

/** The table's partitioning over time: none, by value, by ranges, by hash. */
const SPECS: readonly PartitionSpec[] = [
  { specId: 0, fields: [] },
  { specId: 1, fields: [field(3, 1000, { kind: 'identity' }), field(4, 1001, { kind: 'identity' })] },
  { specId: 2, fields: [field(2, 1002, { kind: 'day' }), field(3, 1003, { kind: 'truncate', width: 1 })] },
  { specId: 3, fields: [field(1, 1004, { kind: 'bucket', buckets: 4 }), field(2, 1005, { kind: 'void' })] },
];

const row: Arbitrary<Row> = fc
  .tuple(...TYPES.map((type) => fc.option(valueOf(type), { freq: 6 })))
  .map((values) => new Map(values.map((value, i) => [i + 1, value])));

interface FileWithRows {
  readonly file: DataFile;
  readonly rows: readonly Row[];
}

/** The rows as files of a spec: one for each partition, with exact metrics of some columns. */
function filesOf(
  rows: readonly Row[],
  spec: PartitionSpec,
  measured: readonly boolean[],
  prefix: string,
): FileWithRows[] {
  const groups = new Map<string, { tuple: Value[]; rows: Row[] }>();
  for (const each of rows) {
    const tuple = spec.fields.map(({ sourceIds, transform }) => {
      const source = sourceIds[0]!;
      return applyTransform(transform, TYPES[source - 1]!)(each.get(source) ?? null);
    });
    const key = tuple.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join('|');
    const group = groups.get(key) ?? { tuple, rows: [] };
    groups.set(key, { tuple, rows: [...group.rows, each] });
  }
  return [...groups.values()].map((group, i) => ({
    rows: group.rows,
    file: fileOf({
      path: `${prefix}-${i}`,
      specId: spec.specId,
      partition: group.tuple,
      recordCount: group.rows.length,
      fileSizeInBytes: 100 * group.rows.length,
      ...metricsOf(group.rows, measured),
    }),
  }));
}

function metricsOf(rows: readonly Row[], measured: readonly boolean[]): Partial<DataFile> {
  const columns = TYPES.map((type, i) => ({
    type,
    id: i + 1,
    values: rows.map((each) => each.get(i + 1) ?? null),
  })).filter((_, i) => measured[i]);
  const bound = (sign: number): ReadonlyMap<number, Uint8Array> =>
    new Map(
      columns.flatMap(({ type, id, values }) => {
        const known = values.filter((value) => value !== null && !Number.isNaN(value));
        const [best] = known.toSorted((a, b) => sign * compareValues(type)(a, b));
        return best === undefined ? [] : [[id, valueToBytes(type, best)] as const];
      }),
    );
  return {
    valueCounts: new Map(columns.map(({ id, values }) => [id, values.length])),
    nullValueCounts: new Map(columns.map(({ id, values }) => [id, values.filter((value) => value === null).length])),
    nanValueCounts: new Map(
      columns.filter(({ id }) => id === 4).map(({ id, values }) => [id, values.filter(Number.isNaN).length]),
    ),
    lowerBounds: bound(1),
    upperBounds: bound(-1),
  };
}

const batch = fc.record({
  rows: fc.array(row, { maxLength: 6 }),
  spec: fc.constantFrom(...SPECS),
  measured: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
});

const filter: Arbitrary<BoundExpression> = combined(
  fc.oneof(...TYPES.map((type, i) => predicateOn(columnTerm(type, i + 1)))),
);

describe('a plan', () => {
  it('has every file with a matching row, a residual that matches the same rows, and counts all files once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 5 }), filter, async (batches, bound) => {
        const manifests = batches.map(({ rows, spec, measured }, i) => ({
          spec,
          files: filesOf(rows, spec, measured, `f${i}`),
        }));
        const inputs = manifests.map(({ spec, files }): ManifestInput => ({
          spec,
          entries: files.map(({ file }) => ({ status: 'added', sequenceNumber: 0n, fileSequenceNumber: 0n, file })),
        }));
        const table = await new ScannedTable(SCHEMA, SPECS).write(inputs);
        const { tasks, metrics } = await table.plan(bound);
        const planned = new Map(tasks.map((task) => [task.file.path, task]));
        const files = manifests.flatMap((manifest) => manifest.files);
        for (const { file, rows } of files) {
          const task = planned.get(file.path);
          const wanted = rows.filter((each) => matches(bound, each));
          expect(task ? rows.filter((each) => matches(task.residual, each)) : []).toEqual(wanted);
        }
        expect(metrics.filesTotal).toBe(files.length);
        expect(metrics.filesScanned).toBe(tasks.length);
        expect(metrics.filesScanned + metrics.filesSkipped).toBe(files.length);
        expect(metrics.manifestsScanned + metrics.manifestsSkipped).toBe(metrics.manifestsTotal);
        expect(metrics.rowsScanned).toBe(tasks.reduce((sum, { file }) => sum + file.recordCount, 0));
      }),
      { numRuns: runs(150) },
    );
  });
});
