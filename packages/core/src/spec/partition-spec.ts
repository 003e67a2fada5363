import type { Transform } from './transform.ts';
import { transformToText } from './transform-text.ts';
import type { UnknownFields } from './unknown-fields.ts';
import type { Value } from './values.ts';

export interface PartitionSpec {
  readonly specId: number;
  readonly fields: readonly PartitionField[];
  readonly unknownFields?: UnknownFields;
}

export interface PartitionField {
  /** One id, or several for a multi-argument transform (v3). */
  readonly sourceIds: readonly number[];
  readonly fieldId: number;
  readonly name: string;
  readonly transform: Transform;
  readonly unknownFields?: UnknownFields;
}

/** Partition values in the order of the spec's fields. */
export type PartitionTuple = readonly Value[];

/** Partition field ids start here (spec: "Partition Evolution"). */
export const FIRST_PARTITION_FIELD_ID = 1000;

export const UNPARTITIONED_SPEC: PartitionSpec = { specId: 0, fields: [] };

/** Specs without fields, or with `void` ones only, put every file into one partition. */
export function isUnpartitioned(spec: PartitionSpec): boolean {
  return spec.fields.every((field) => field.transform.kind === 'void');
}

/** Whether two specs partition the same way under the same names; spec ids and field ids may differ. */
export function partitionFieldsEqual(
  a: readonly Omit<PartitionField, 'fieldId'>[],
  b: readonly Omit<PartitionField, 'fieldId'>[],
): boolean {
  const text = ({ sourceIds, transform, name }: Omit<PartitionField, 'fieldId'>): string =>
    `${sourceIds.join(',')} ${transformToText(transform)} ${name}`;
  return a.length === b.length && a.every((field, i) => text(field) === text(b[i]!));
}
