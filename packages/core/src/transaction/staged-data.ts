import { isDeletionVector } from '../manifest/content-problem.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { PartitionField, PartitionSpec } from '../spec/partition-spec.ts';
import { indexById } from '../spec/schema-fields.ts';
import type { IndexedField } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { transformToText } from '../spec/transform-text.ts';
import { validationConflict } from './conflict.ts';

/** Data files that are written but not committed, with what they were written by. */
export interface StagedData {
  readonly files: readonly DataFile[];
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  /** The table's last column id when the transaction began: fields with larger ids exist only if it commits. */
  readonly lastColumnId: number;
}

/** Delete files that are written but not committed. Several deletion vectors may lie in one Puffin file. */
export interface StagedDeletes {
  readonly files: readonly DataFile[];
  readonly spec: PartitionSpec;
}

/**
 * Checks that files written by one version of the table can be part of another, newer one. Others may have added,
 * dropped, renamed or promoted columns and changed the spec meanwhile: files stay readable by field id. What must not have
 * happened: a column became required that the files may have nulls in or lack, the files' spec went away, or an id
 * that this transaction gave to a new column was taken by another column.
 */
export function checkStagedData(metadata: TableMetadata, schema: Schema, staged: StagedData, table: string): void {
  const problem = findSpecProblem(metadata, staged.spec) ?? findSchemaProblem(schema, staged);
  if (problem !== null) throw validationConflict(table, problem);
}

/** Checks that delete files can be part of a newer version of the table than the one they were written for. */
export function checkStagedDeletes(metadata: TableMetadata, staged: StagedDeletes, table: string): void {
  const problem = findSpecProblem(metadata, staged.spec) ?? findVersionProblem(metadata, staged.files);
  if (problem !== null) throw validationConflict(table, problem);
}

/** Deletes came with v2; v3 takes new position deletes as deletion vectors only (spec: "Row-level Deletes"). */
function findVersionProblem({ formatVersion }: TableMetadata, deletes: readonly DataFile[]): string | null {
  const positions = deletes.filter(({ content }) => content === 'position-deletes');
  if (formatVersion === 1) return 'it has format version 1, which has no deletes';
  const wanted = formatVersion >= 3 ? 'deletion vectors' : 'position deletes';
  if (positions.every((file) => isDeletionVector(file) === formatVersion >= 3)) return null;
  return `it has format version ${formatVersion} now, which takes ${wanted}`;
}

function findSpecProblem(metadata: TableMetadata, staged: PartitionSpec): string | null {
  const now = metadata.partitionSpecs.find((spec) => spec.specId === staged.specId);
  if (
    now &&
    now.fields.length === staged.fields.length &&
    now.fields.every((field, i) => sameField(field, staged.fields[i]!))
  ) {
    return null;
  }
  return `partition spec ${staged.specId} is ${now ? 'another one' : 'gone'} now`;
}

function sameField(a: PartitionField, b: PartitionField): boolean {
  return (
    a.fieldId === b.fieldId &&
    transformToText(a.transform) === transformToText(b.transform) &&
    String(a.sourceIds) === String(b.sourceIds)
  );
}

function findSchemaProblem(schema: Schema, staged: StagedData): string | null {
  const now = indexById(schema);
  const then = indexById(staged.schema);
  for (const [id, { field, path }] of then) {
    if (id <= staged.lastColumnId) continue;
    const other = now.get(id);
    if (other?.path.join('.') !== path.join('.') || other.field.type.kind !== field.type.kind) {
      return `the new column '${path.join('.')}' has another id now`;
    }
  }
  for (const [id, indexed] of now) {
    const problem = findRequiredProblem(indexed, then.get(id), then);
    if (problem !== null) return problem;
  }
  return null;
}

function findRequiredProblem(
  now: IndexedField,
  then: IndexedField | undefined,
  staged: ReadonlyMap<number, IndexedField>,
): string | null {
  if (!now.field.required || then?.field.required) return null;
  const name = now.path.join('.');
  if (then) return `column '${name}' is required now`;
  // A missing column reads as its initial default; one in a struct that is missing too is never looked at.
  const parentIsMissing = now.parentId !== null && !staged.has(now.parentId);
  const hasDefault = now.field.initialDefault !== undefined && now.field.initialDefault !== null;
  return parentIsMissing || hasDefault ? null : `a required column '${name}' was added`;
}
