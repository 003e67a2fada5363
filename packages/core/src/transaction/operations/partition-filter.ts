import type { BoundExpression, BoundTerm } from '../../expr/bound-expression.ts';
import { and, or } from '../../expr/logic.ts';
import type { PartitionField, PartitionSpec, PartitionTuple } from '../../spec/partition-spec.ts';
import { findField } from '../../spec/schema-fields.ts';
import type { Schema } from '../../spec/schema.ts';
import type { PrimitiveType } from '../../spec/types.ts';
import type { Value } from '../../spec/values.ts';
import { transformResultType } from '../../transforms/transforms.ts';
import { termOf } from './merge-keys.ts';

/** What is TRUE for exactly the rows that a spec puts into some partitions, whatever spec their files have. */
export function partitionFilter(
  tuples: readonly PartitionTuple[],
  spec: PartitionSpec,
  schema: Schema,
): BoundExpression {
  const terms = spec.fields.map((field) => termOfField(field, schema));
  return or(tuples.map((tuple) => and(terms.map((term, i) => hasValue(term, tuple[i]!)))));
}

/** Null for a field that says nothing of a row. */
function termOfField({ transform, sourceIds }: PartitionField, schema: Schema): BoundTerm | null {
  if (transform.kind === 'void') return null;
  const term = termOf(findField(schema, sourceIds[0]!)!, schema);
  if (transform.kind === 'identity') return term;
  return { ...term, transform, type: transformResultType(transform, term.type as PrimitiveType) };
}

function hasValue(term: BoundTerm | null, value: Value): BoundExpression {
  if (term === null) return { op: 'true' };
  if (value === null) return { op: 'isNull', term };
  return Number.isNaN(value) ? { op: 'isNaN', term } : { op: 'eq', term, value };
}
