import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoundExpression } from '../../src/expr/bound-expression.ts';
import { manifestEvaluator } from '../../src/expr/manifest-evaluator.ts';
import { partitionEvaluator } from '../../src/expr/partition-evaluator.ts';
import { projectInclusive, projectStrict } from '../../src/expr/project.ts';
import { residualEvaluator } from '../../src/expr/residual.ts';
import { expressionToText } from '../../src/expr/to-text.ts';
import { compareValues } from '../../src/spec/compare-values.ts';
import type { PartitionFieldSummary } from '../../src/spec/manifest.ts';
import type { PartitionSpec, PartitionTuple } from '../../src/spec/partition-spec.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import { parseTransform, transformToText } from '../../src/spec/transform-text.ts';
import type { Transform } from '../../src/spec/transform.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import type { PrimitiveType, StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { applyTransform, canTransform, transformResultType } from '../../src/transforms/transforms.ts';
import { TRANSFORMED_TYPES, TRANSFORMS, valueOf } from './arbitraries.ts';
import { columnTerm, combined, matches, predicateOn, transformTerm } from './expressions.ts';

function tableOf(type: PrimitiveType, transforms: readonly Transform[]): { schema: StructType; spec: PartitionSpec } {
  return {
    schema: { kind: 'struct', fields: [columnTerm(type).field] },
    spec: {
      specId: 0,
      fields: transforms.map((transform, i) => ({ sourceIds: [1], fieldId: 1000 + i, name: `p${i}`, transform })),
    },
  };
}

function tupleOf(type: PrimitiveType, transforms: readonly Transform[], value: Value): PartitionTuple {
  return transforms.map((transform) => applyTransform(transform, type)(value));
}

/** A column of a type, filters on it or on transforms of it, and some rows. */
function filtered(type: PrimitiveType): fc.Arbitrary<{ filter: BoundExpression; rows: Value[] }> {
  const terms = [
    columnTerm(type),
    ...TRANSFORMS.filter((transform) => transform.kind !== 'identity' && canTransform(transform, type)).map(
      (transform) => transformTerm(type, transform),
    ),
  ];
  const values = valueOf(type);
  // Literals that are values of rows, and results of transforms, make edges likely.
  const predicate = fc.constantFrom(...terms).chain((term) => {
    const apply = term.transform ? applyTransform(term.transform, type) : (value: Value): Value => value;
    if (term.transform?.kind === 'void') return predicateOn(columnTerm(type));
    return predicateOn(term, fc.oneof(values.map(apply), valueOf(term.type)));
  });
  return fc.record({ filter: combined(predicate), rows: fc.array(fc.option(values), { minLength: 1, maxLength: 8 }) });
}

const cases = TRANSFORMED_TYPES.map(
  ({ type, transform }) => [transformToText(transform), typeToText(type), transform, type] as const,
);

describe.each(cases)('%s of %s', (_, __, transform, type) => {
  const other = parseTransform('identity');
  const { schema, spec } = tableOf(type, [transform, other]);
  const single = tableOf(type, [transform]).spec;

  it('projects to partitions: none with a match is lost, and strict ones match as a whole', () => {
    fc.assert(
      fc.property(filtered(type), ({ filter, rows }) => {
        const inclusive = partitionEvaluator(single, schema, projectInclusive(single, schema, filter));
        const strict = partitionEvaluator(single, schema, projectStrict(single, schema, filter));
        for (const value of rows) {
          const tuple = tupleOf(type, [transform], value);
          const match = matches(filter, new Map([[1, value]]));
          if (match && !inclusive(tuple))
            throw new Error(`lost a match: ${expressionToText(projectInclusive(single, schema, filter))}`);
          if (!match && strict(tuple))
            throw new Error(
              `covers a row that does not match: ${expressionToText(projectStrict(single, schema, filter))}`,
            );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves a residual that decides the rest', () => {
    fc.assert(
      fc.property(filtered(type), ({ filter, rows }) => {
        for (const [someSpec, transforms] of [
          [single, [transform]],
          [spec, [transform, other]],
        ] as const) {
          const residual = residualEvaluator(someSpec, schema, filter);
          for (const value of rows) {
            const left = residual(tupleOf(type, transforms, value));
            expect(matches(left, new Map([[1, value]]))).toBe(matches(filter, new Map([[1, value]])));
            // With the value itself in the tuple nothing is left open.
            if (transforms.length === 2) expect(['true', 'false']).toContain(left.op);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps manifests with a match', () => {
    const result = transformResultType(transform, type);
    fc.assert(
      fc.property(filtered(type), fc.boolean(), ({ filter, rows }, knowsNaN) => {
        const results = rows.map((value) => applyTransform(transform, type)(value));
        const summary = summaryOf(result, results, knowsNaN);
        if (rows.some((value) => matches(filter, new Map([[1, value]])))) {
          expect(manifestEvaluator(single, schema, filter)([summary])).toBe(true);
        }
        expect(manifestEvaluator(single, schema, filter)(null)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

function summaryOf(type: PrimitiveType, values: readonly Value[], knowsNaN: boolean): PartitionFieldSummary {
  const ordinary = values.filter((value) => value !== null && !Number.isNaN(value)).toSorted(compareValues(type));
  const [lowest, highest] = [ordinary.at(0) ?? null, ordinary.at(-1) ?? null];
  return {
    containsNull: values.includes(null),
    containsNaN: knowsNaN ? values.some((value) => Number.isNaN(value)) : null,
    lowerBound: lowest === null ? null : valueToBytes(type, lowest),
    upperBound: highest === null ? null : valueToBytes(type, highest),
  };
}
