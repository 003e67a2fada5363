import type { NestedField, PartitionTuple, StructType } from '@lh/core';
import { isUnpartitioned, partitionCoder, partitionKey } from '@lh/core/engine';
import type { BatchInput, ColumnBatch, DataFileOptions } from '@lh/core/engine';
import type { PartitionKeys } from './copy-rows.ts';
import { ROWS } from './stored-columns.ts';
import { quoteName } from '../text/quote.ts';

/** Batches with one column more: a number for the partition of each row, which core computes by any transform. */
export interface CodedBatches {
  readonly schema: StructType;
  readonly code: (batch: ColumnBatch) => ColumnBatch;
  /** Null for a table that is not partitioned: then nothing is added. */
  readonly partition: PartitionKeys | null;
}

export function codedBatches({ schema, spec }: DataFileOptions): CodedBatches {
  if (isUnpartitioned(spec)) return { schema, code: (batch) => batch, partition: null };
  const coder = partitionCoder(spec, schema);
  const numbers = new Map<string, number>();
  const tuples: PartitionTuple[] = [];
  const numberOf = (tuple: PartitionTuple): number => {
    const key = partitionKey(spec.specId, tuple);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, tuples.length);
    return tuples.push(tuple) - 1;
  };
  const name = partitionName(schema);
  const field: NestedField = { id: 0, name, required: true, type: { kind: 'int' } };
  return {
    schema: { kind: 'struct', fields: [...schema.fields, field] },
    code: (batch) => {
      const coded = coder(batch);
      const global = coded.tuples.map(numberOf);
      const values = coded.codes.map((code) => global[code]!);
      const column = { layout: 'numbers', length: batch.length, validity: null, values } as const;
      return { length: batch.length, columns: [...batch.columns, column] };
    },
    partition: {
      columns: [{ name, sql: `${ROWS}.${quoteName(name)}` }],
      tupleOf: (values) => tuples[Number(values.get(name))]!,
    },
  };
}

/** A name that no column has. */
export function partitionName(schema: StructType, number: number = 0): string {
  let name = `__lh_partition_${number}`;
  while (schema.fields.some((field) => field.name.toLowerCase() === name)) name += '_';
  return name;
}

export function isPresent(input: BatchInput): input is Iterable<ColumnBatch> {
  return Symbol.iterator in input;
}
