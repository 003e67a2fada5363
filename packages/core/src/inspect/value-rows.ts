import { columnBuilder } from '../columns/builder.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { takeBatch } from '../columns/take.ts';
import { throwIfAborted } from '../errors.ts';
import { batchFilter } from '../read/filter-batch.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { MetadataTableRead } from './metadata-table-definition.ts';
import { projectBatch } from './project-columns.ts';

const BATCH_ROWS = 4096;

/** Rows, as values in the order of the schema's fields, that the filter wants, as batches of the projection. */
export async function* valueRows(
  schema: StructType,
  rows: Iterable<readonly Value[]> | AsyncIterable<readonly Value[]>,
  { projection, filter, signal }: MetadataTableRead,
): AsyncGenerator<ColumnBatch> {
  const matching = batchFilter(filter, schema);
  const builders = schema.fields.map(({ type }) => columnBuilder(type));
  let length = 0;
  const finish = (): ColumnBatch => {
    const batch = { length, columns: builders.map((builder) => builder.finish()) };
    length = 0;
    const chosen = matching(batch);
    const projected = projectBatch(batch, schema, projection);
    return chosen ? takeBatch(projected, chosen) : projected;
  };
  for await (const row of rows) {
    throwIfAborted(signal);
    for (const [i, builder] of builders.entries()) builder.append(row[i]!);
    if (++length === BATCH_ROWS) yield finish();
  }
  if (length > 0) yield finish();
}
