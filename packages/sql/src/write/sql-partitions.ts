import type { PartitionTuple } from '@lh/core';
import { isUnpartitioned } from '@lh/core/engine';
import type { DataFileOptions } from '@lh/core/engine';
import { partitionName } from './batch-partitions.ts';
import type { PartitionKeys } from './copy-rows.ts';
import { columnAccess } from './stored-columns.ts';
import { transformSql } from './transform-sql.ts';

/** How DuckDB tells the partition of a row: null if the table has none, undefined if it can't. */
export function sqlPartitions({ schema, spec }: DataFileOptions): PartitionKeys | null | undefined {
  if (isUnpartitioned(spec)) return null;
  const fields = spec.fields.map(({ transform, sourceIds }, i) => {
    const source = sourceIds.length === 1 ? columnAccess(schema, sourceIds[0]!) : null;
    const made = source && transformSql(transform, source.type, source.sql);
    return made && { name: partitionName(schema, i), ...made };
  });
  const known = fields.filter((field) => field !== null);
  if (known.length < fields.length) return undefined;
  return {
    columns: known.map(({ name, sql }) => ({ name, sql })),
    tupleOf: (values): PartitionTuple =>
      known.map(({ name, parse }) => {
        const text = values.get(name) ?? null;
        return text === null ? null : parse(text);
      }),
  };
}
