import type { PartitionField, PartitionSpec } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import { isPrimitive, type StructType } from '../spec/types.ts';
import { transformResultType } from '../transforms/transforms.ts';
import type { BoundExpression, BoundPredicate, BoundTerm } from './bound-expression.ts';
import { and, mapPredicates, or, pushNotDown } from './logic.ts';
import { projectPredicate } from './project-predicate.ts';
import type { ProjectionKind } from './projection-context.ts';

/**
 * The filter of partition tuples that is TRUE for the partition of every row that matches (spec: "Scan Planning",
 * inclusive projection). Its terms' field ids are those of partition fields.
 */
export function projectInclusive(
  spec: PartitionSpec,
  schema: StructType,
  expression: BoundExpression,
): BoundExpression {
  return mapPredicates(pushNotDown(expression), (predicate) => and(projections(spec, schema, predicate, 'inclusive')));
}

/** The filter of partition tuples that is TRUE only if all rows of such a partition match (strict projection). */
export function projectStrict(spec: PartitionSpec, schema: StructType, expression: BoundExpression): BoundExpression {
  return mapPredicates(pushNotDown(expression), (predicate) => or(projections(spec, schema, predicate, 'strict')));
}

/** What each partition field over the predicate's column makes of it: every one is right, so all can be used. */
function projections(
  spec: PartitionSpec,
  schema: StructType,
  predicate: BoundPredicate,
  kind: ProjectionKind,
): BoundExpression[] {
  return spec.fields.flatMap((field) => {
    // A transform of several columns is not known to this version.
    if (field.sourceIds.length !== 1 || field.sourceIds[0] !== predicate.term.field.id) return [];
    const term = partitionTerm(field, schema, predicate);
    return term ? [projectPredicate(predicate, term, field.transform, kind)] : [];
  });
}

/** Undefined where the transform can't be computed for the column as it is now. */
function partitionTerm(field: PartitionField, schema: StructType, predicate: BoundPredicate): BoundTerm | undefined {
  const source = findField(schema, predicate.term.field.id)?.type ?? predicate.term.field.type;
  if (!isPrimitive(source) || field.transform.kind === 'unknown' || field.transform.kind === 'void') return undefined;
  const type = transformResultType(field.transform, source);
  return {
    field: { id: field.fieldId, name: field.name, required: false, type },
    path: [field.name],
    transform: null,
    type,
    nullable: true,
  };
}
