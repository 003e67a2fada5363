import { defaultValue } from '../columns/default-value.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { MICROS_PER_DAY, NANOS_PER_DAY } from '../spec/datetime-text.ts';
import type { IcebergType, NestedField, StructType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { FileFields } from './file-fields.ts';

/** Values of columns that a file lacks, by field id; where there is none, the column's initial default counts, or null. */
export type PartitionConstants = ReadonlyMap<number, Value>;

/**
 * What the file's partition says of columns: those with an identity transform have one value in all of its rows (spec:
 * "Column Projection").
 */
export function partitionConstants(task: FileScanTask): PartitionConstants {
  const constants = new Map<number, Value>();
  task.spec.fields.forEach((field, i) => {
    // Other fields of the same source don't tell its value, nor do transforms that this version doesn't know.
    if (field.transform.kind === 'identity') constants.set(field.sourceIds[0]!, task.file.partition[i] ?? null);
  });
  return constants;
}

/** The value that all rows of a file have in a column that it lacks. */
export function absentValue(field: NestedField, constants: PartitionConstants): Value {
  const constant = constants.get(field.id);
  return constant === undefined ? defaultValue(field, 'initialDefault') : promoted(field.type, constant);
}

/** Partition values have the type that the column had when the spec was made; it may have been promoted since. */
function promoted(type: IcebergType, value: Value): Value {
  return typeof value === 'number' && PROMOTIONS[type.kind] ? PROMOTIONS[type.kind]!(value) : value;
}

const PROMOTIONS: { readonly [K in TypeKind]?: (value: number) => Value } = {
  long: (value) => BigInt(value),
  timestamp: (days) => BigInt(days) * MICROS_PER_DAY,
  timestamp_ns: (days) => BigInt(days) * NANOS_PER_DAY,
};

/** Leaves that a file surely has one value of only, for pruning by statistics. */
export function absentLeaves(
  schema: StructType,
  fields: FileFields,
  constants: PartitionConstants,
): ReadonlyMap<number, Value> {
  const absent = new Map<number, Value>();
  const visit = (struct: StructType, depth: number, allNull: boolean): void => {
    for (const field of struct.fields) {
      const missing = allNull || !fields.has(field.id);
      const value = allNull ? null : absentValue(field, constants);
      // Where a struct is null its fields are null too, whatever their default: only a default of null is sure inside one.
      if (missing && (depth === 0 || value === null)) absent.set(field.id, value);
      if (field.type.kind === 'struct' && (!missing || value === null)) visit(field.type, depth + 1, missing);
    }
  };
  visit(schema, 0, false);
  return absent;
}
