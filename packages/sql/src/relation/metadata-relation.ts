import type { Schema } from '@lh/core';
import { bindExpression } from '@lh/core/engine';
import type { ColumnBatch, MetadataTableColumns } from '@lh/core/engine';
import type { QueryRows } from '../feed/query-rows.ts';
import type { ScanNeeds } from '../plan/prune.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { withVariantBytes } from '../types/variant-bytes.ts';
import { valueLiteral } from '../types/value-literal.ts';

export interface MetadataRelationSource {
  readonly rows: QueryRows;
  readonly signal: AbortSignal | undefined;
}

/**
 * A query that gives the rows of a metadata table which the query around it needs. Columns that it doesn't read are
 * null: what isn't asked for isn't decoded.
 */
export async function metadataRelation(
  { columns, schema }: { readonly columns: MetadataTableColumns; readonly schema: Schema },
  needs: ScanNeeds,
  { rows, signal }: MetadataRelationSource,
): Promise<string> {
  const isRead = (index: number): boolean => needs.columns === null || needs.columns.has(index);
  const wanted = schema.fields.filter((_, i) => isRead(i));
  // Rows without columns can't be handed over.
  const fields = wanted.length > 0 ? wanted : schema.fields.slice(0, 1);
  const projection = { ...schema, fields };
  const filter = bindExpression(schema, needs.filter);
  const batches = columns.batches({ projection, filter, signal });
  const relation = await rows.collect(handedOver(projection), enough(batches, needs.maxRows));
  if (fields.length === schema.fields.length) return relation;
  const names = duckdbNames(schema).map(quoteName);
  const list = handedOver(schema).fields.map(({ type }, i) =>
    fields.includes(schema.fields[i]!) ? names[i]! : `${valueLiteral(type, null)} AS ${names[i]!}`,
  );
  return `SELECT ${list.join(', ')} FROM (${relation})`;
}

/** The schema as DuckDB has it: bounds of variants are as rare as queries that look into them, so they are handed on. */
export function handedOver(schema: Schema): Schema {
  return { ...schema, fields: withVariantBytes(schema.fields) };
}

/** Batches until there are so many rows. */
async function* enough(batches: AsyncIterable<ColumnBatch>, maxRows: number | null): AsyncGenerator<ColumnBatch> {
  let missing = maxRows ?? Number.POSITIVE_INFINITY;
  if (missing <= 0) return;
  for await (const batch of batches) {
    yield batch;
    missing -= batch.length;
    if (missing <= 0) return;
  }
}
